"""Says which program this is, what it runs and where its data are."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gglib_desktop.views.look.icons import app_icon
from gglib_desktop.views.look.type_scale import TypeSize, set_type
from gglib_desktop.views.widgets.buttons import box_button

_ICON_SIDE = 64
_PROJECT = "https://github.com/gglib/gglib-desktop"


class AboutDialog(QDialog):
    """Its texts can be selected and copied. ``engine`` and ``data_folder`` are shown as they are.

    ``diagnostics`` is what *Copy diagnostics* copies.
    """

    def __init__(
        self, version: str, engine: str, data_folder: str, diagnostics: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._diagnostics = diagnostics
        self.setObjectName("aboutDialog")
        self.setWindowTitle(self.tr("About GGLib Desktop"))
        self.setMinimumWidth(440)
        layout = QVBoxLayout(self)
        layout.setSpacing(14)
        layout.addLayout(self._heading(version))
        facts = QFormLayout()
        facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        facts.addRow(self.tr("Engine"), _fact("aboutEngine", self.tr("Engine"), engine))
        facts.addRow(self.tr("Data folder"), _fact("aboutDataFolder", self.tr("Data folder"), data_folder))
        facts.addRow(self.tr("License"), _fact("aboutLicense", self.tr("License"), self.tr("MIT License")))
        facts.addRow(self.tr("Project"), self._link())
        layout.addLayout(facts)
        layout.addStretch()
        box = QDialogButtonBox(self)
        self._copy = box_button(
            box, "copyDiagnostics", self.tr("Copy diagnostics"), QDialogButtonBox.ButtonRole.ActionRole
        )
        self._copy.setToolTip(self.tr("Versions, engine and folders, for a report about a problem. No keys, no names."))
        self._copy.clicked.connect(self._on_copy)
        close = box_button(box, "aboutClose", self.tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.setDefault(True)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        close.setFocus()

    def _heading(self, version: str) -> QHBoxLayout:
        picture = QLabel()
        picture.setPixmap(app_icon().pixmap(_ICON_SIDE, _ICON_SIDE))
        name = QLabel(self.tr("GGLib Desktop"))
        set_type(name, TypeSize.TITLE, strong=True)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addStretch()
        text.addWidget(name)
        text.addWidget(_fact("aboutVersion", self.tr("Version"), self.tr("Version {version}").format(version=version)))
        text.addWidget(QLabel(self.tr("The desktop control room for local LLM servers")))
        text.addStretch()
        row = QHBoxLayout()
        row.setSpacing(14)
        row.addWidget(picture)
        row.addLayout(text, 1)
        return row

    def _link(self) -> QLabel:
        link = QLabel(f'<a href="{_PROJECT}">{_PROJECT}</a>')
        link.setObjectName("aboutProject")
        link.setAccessibleName(self.tr("Project: {address}").format(address=_PROJECT))
        link.setOpenExternalLinks(True)
        link.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        return link

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._diagnostics)
        self._copy.setText(self.tr("Copied"))


def _fact(object_name: str, accessible_name: str, text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName(object_name)
    label.setAccessibleName(f"{accessible_name}: {text}" if accessible_name not in text else text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    label.setWordWrap(True)
    return label
