"""Asks what to do with running servers when the program ends."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from gglib_desktop.domain.documents.settings import OnQuit
from gglib_desktop.views.look.icons import app_icon
from gglib_desktop.views.look.type_scale import TypeSize, set_type
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel

_MOST_NAMES = 8
_WIDTH_CHARACTERS = 52


class QuitDialog(QDialog):
    """Stop all, leave running, or stay: ``choice`` is then None. ``remember`` only applies to a choice."""

    def __init__(self, running: int, names: Sequence[str] = (), parent: QWidget | None = None) -> None:
        """``names`` are those of the running servers that have a panel."""
        super().__init__(parent)
        self.setObjectName("quitDialog")
        self.setWindowTitle(self.tr("Quit GGLib Desktop"))
        self.choice: OnQuit | None = None
        self._remember = QCheckBox(self.tr("&Remember my choice"))
        self._remember.setObjectName("quitRemember")
        self._remember.setAccessibleName(self.tr("Remember my choice"))
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        layout.setSpacing(14)
        layout.addLayout(self._question(running, names))
        layout.addWidget(self._buttons())

    @property
    def remember(self) -> bool:
        return self.choice is not None and self._remember.isChecked()

    def _question(self, running: int, names: Sequence[str]) -> QHBoxLayout:
        picture = QLabel()
        side = self.style().pixelMetric(QStyle.PixelMetric.PM_LargeIconSize) + 16
        picture.setPixmap(app_icon().pixmap(side, side))
        heading = QLabel(self._heading(running))
        heading.setObjectName("quitHeading")
        set_type(heading, TypeSize.TITLE, strong=True)
        servers = WrapLabel(self._list(names))
        servers.setObjectName("quitServers")
        servers.setFixedWidth(self.fontMetrics().averageCharWidth() * _WIDTH_CHARACTERS)
        servers.setVisible(bool(names))
        consequence = QLabel(
            self.tr("Servers that are left running keep answering.\nThey are here again at the next start.")
        )
        consequence.setObjectName("quitConsequence")
        text = QVBoxLayout()
        text.setSpacing(6)
        text.addWidget(heading)
        text.addWidget(servers)
        text.addWidget(consequence)
        text.addSpacing(6)
        text.addWidget(self._remember)
        row = QHBoxLayout()
        row.setSpacing(14)
        row.addWidget(picture)
        row.addLayout(text, 1)
        return row

    def _heading(self, running: int) -> str:
        if running == 1:
            return self.tr("One server is running.")
        return self.tr("{count} servers are running.").format(count=running)

    def _list(self, names: Sequence[str]) -> str:
        if len(names) > _MOST_NAMES:
            shown = ", ".join(names[: _MOST_NAMES - 1])
            return self.tr("{names} and {count} more").format(names=shown, count=len(names) - _MOST_NAMES + 1)
        return ", ".join(names)

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        stop = box_button(box, "quitStopAll", self.tr("Stop all and quit"), QDialogButtonBox.ButtonRole.YesRole)
        leave = box_button(
            box, "quitLeaveRunning", self.tr("Leave running and quit"), QDialogButtonBox.ButtonRole.NoRole
        )
        cancel = box_button(box, "quitCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        # What Enter does can be undone: the servers are here again at the next start.
        leave.setDefault(True)
        leave.setFocus()
        stop.clicked.connect(self._on_stop_all)
        leave.clicked.connect(self._on_leave_running)
        cancel.clicked.connect(self.reject)
        return box

    def _on_stop_all(self) -> None:
        self.choice = OnQuit.STOP_ALL
        self.accept()

    def _on_leave_running(self) -> None:
        self.choice = OnQuit.LEAVE_RUNNING
        self.accept()
