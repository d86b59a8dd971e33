"""The images that go with the next question."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gglib_desktop.viewmodels.servers.chat.chat import ChatViewModel
from gglib_desktop.viewmodels.servers.chat.turns import Attachment
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.layout.flow_row import FlowRow

_LONGEST_NAME = 32


class Attachments(FlowRow):
    """A button for each image, which takes it away."""

    grown = Signal()  # buttons were made

    def __init__(self, chat: ChatViewModel, parent: QWidget) -> None:
        super().__init__((), parent)
        self._chat = chat
        self._shown: tuple[Attachment, ...] = ()
        self.hide()

    def show_attached(self, attached: tuple[Attachment, ...]) -> None:
        if attached == self._shown:
            return
        self._shown = attached
        while (item := self.flow.takeAt(0)) is not None:
            if (button := item.widget()) is not None:
                button.deleteLater()
        for index, each in enumerate(attached):
            button = push_button(f"removeImage{index + 1}", f"{_short(each.name)} ✕", self)
            button.setAccessibleName(self.tr("Remove image {name}").format(name=each.name))
            button.setToolTip(button.accessibleName())
            button.clicked.connect(partial(self._chat.detach, index))
            self.flow.addWidget(button)
        self.setVisible(bool(attached))
        if attached:
            self.grown.emit()


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
