"""The row of controls below a chat."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QCheckBox, QFileDialog, QWidget

from gglib_desktop.viewmodels.servers.chat.chat import ChatState, ChatViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.servers.chat.pictures import read_picture
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.layout.flow_row import FlowRow


class ChatTools(FlowRow):
    """What can be done with a conversation beside talking."""

    reasoningToggled = Signal(bool)

    def __init__(self, chat: ChatViewModel, parent: QWidget) -> None:
        super().__init__((), parent)
        self._chat = chat
        self._engine_url = ""
        self._attach = push_button("attachImage", self.tr("Attach image…"), self)
        self._regenerate = push_button("regenerate", self.tr("Regenerate"), self)
        self._copy = push_button("copyAnswer", self.tr("Copy answer"), self)
        self._clear = push_button("clearChat", self.tr("Clear chat"), self)
        reasoning = QCheckBox(self.tr("Show reasoning"), self)
        reasoning.setObjectName("showReasoning")
        reasoning.setAccessibleName(self.tr("Show reasoning"))
        self._engine_page = push_button("openEnginePage", self.tr("Open engine page"), self)
        for widget in (self._attach, self._regenerate, self._copy, self._clear, reasoning, self._engine_page):
            self.flow.addWidget(widget)
        self._attach.clicked.connect(self._on_attach)
        self._regenerate.clicked.connect(chat.regenerate)
        self._copy.clicked.connect(self._on_copy)
        self._clear.clicked.connect(chat.clear)
        reasoning.toggled.connect(self.reasoningToggled)
        self._engine_page.clicked.connect(self._on_engine_page)

    def show_server(self, state: ServerPanelState) -> None:
        self._engine_url = state.engine_page
        self._engine_page.setVisible(bool(state.engine_page))
        self._engine_page.setToolTip(state.engine_page)
        refuses = state.takes_images is False
        text = self.tr("This model takes no images.") if refuses else self.tr("An image for the next message")
        self._attach.setEnabled(not refuses)
        self._attach.setToolTip(text)
        self._attach.setAccessibleDescription(text)

    def show_chat(self, state: ChatState) -> None:
        self._regenerate.setEnabled(state.can_regenerate)
        self._copy.setEnabled(state.has_answer)
        self._clear.setEnabled(not state.is_empty and not state.is_answering)

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._chat.conversation.last_answer)

    @Slot()
    def _on_engine_page(self) -> None:
        QDesktopServices.openUrl(QUrl(self._engine_url))

    @Slot()
    def _on_attach(self) -> None:
        dialog = QFileDialog(self, self.tr("Attach image"))
        dialog.setObjectName("attachImageDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters([self.tr("Images (*.png *.jpg *.jpeg *.webp *.gif *.bmp)"), self.tr("All files (*)")])
        dialog.setDirectory(home_folder())
        dialog.filesSelected.connect(self._on_files_chosen)
        dialog.open()

    @Slot(list)
    def _on_files_chosen(self, names: list[str]) -> None:
        for path in map(Path, names):
            self._chat.attach(path.name, partial(read_picture, path))
