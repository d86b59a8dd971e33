"""Asks whether to end a server that another program started."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QStyle, QVBoxLayout, QWidget

from gglib_desktop.viewmodels.servers.foreign import ForeignRow
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.widgets.buttons import box_button

_TEXT_CHARACTERS = 56


class StopForeignDialog(QDialog):
    """Accepted means: end that one process. Enter and Esc leave it."""

    def __init__(self, row: ForeignRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stopForeignDialog")
        self.setWindowTitle(self.tr("Stop process {pid}").format(pid=row.server.pid))
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        layout.setSpacing(14)
        layout.addLayout(self._question(row))
        layout.addWidget(self._buttons())

    def _question(self, row: ForeignRow) -> QHBoxLayout:
        picture = QLabel()
        side = self.style().pixelMetric(QStyle.PixelMetric.PM_LargeIconSize)
        picture.setPixmap(icon("warning").pixmap(side, side))
        heading = self._text("stopForeignHeading", self.tr("Stop {title}?").format(title=_short(row.title)))
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        text = QVBoxLayout()
        text.setSpacing(6)
        text.addWidget(heading)
        text.addWidget(self._text("stopForeignConsequence", self._consequence(row)))
        line = QHBoxLayout()
        line.setSpacing(14)
        line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(text, 1)
        return line

    def _text(self, object_name: str, text: str) -> QLabel:
        label = QLabel(text)
        label.setObjectName(object_name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setMinimumWidth(label.fontMetrics().averageCharWidth() * _TEXT_CHARACTERS)
        return label

    def _consequence(self, row: ForeignRow) -> str:
        server = row.server
        lines = [self.tr("Process {pid} was not started by GGLib Desktop.").format(pid=server.pid)]
        if server.parent:
            lines.append(self.tr("{parent} started it, and may start it again.").format(parent=_capital(server.parent)))
        if server.port is not None:
            lines.append(self.tr("Programs that use port {port} lose it.").format(port=server.port))
        lines.append(self.tr("It is asked to end, and ended by force if it has not done so a few seconds later."))
        return " ".join(lines)

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        box_button(box, "stopForeignStop", self.tr("Stop it"), QDialogButtonBox.ButtonRole.AcceptRole)
        cancel = box_button(box, "stopForeignCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        cancel.setDefault(True)
        cancel.setFocus()
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box


def _short(text: str) -> str:
    """A command line may be very long; its beginning is enough here."""
    return text if len(text) <= _TEXT_CHARACTERS * 2 else text[: _TEXT_CHARACTERS * 2] + "…"


def _capital(text: str) -> str:
    """``another GGLib Desktop`` begins a sentence; a program's or a service's name stays as it is."""
    return text[0].upper() + text[1:] if text.startswith("another ") else text
