"""The llama-servers on this computer that somebody else started, one row each."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gglib_desktop.domain.errors import ConfigurationError, GglibError, RunnerUnavailable
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.foreign import ForeignRow, ForeignViewModel
from gglib_desktop.views.dialogs.ask import ask
from gglib_desktop.views.dialogs.stop_foreign import StopForeignDialog
from gglib_desktop.views.icons import icon
from gglib_desktop.views.widgets.elided_label import ElidedLabel
from gglib_desktop.views.widgets.wrap_label import WrapLabel
from gglib_desktop.views.wording import sentence, words_for_error

_MOST_ROWS = 3
_PROBLEM_MS = 20_000


class ForeignView(QFrame):
    """There only while there is something to show; at most a few rows high, the rest scrolls."""

    def __init__(self, foreign: ForeignViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._foreign = foreign
        self._rows: dict[tuple[int, str], _Row] = {}
        self.setObjectName("foreignServers")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        title = QLabel(self.tr("Other llama-servers on this computer"), self)
        title.setObjectName("foreignTitle")
        self.setAccessibleName(title.text())
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        self._problem = WrapLabel(parent=self)
        self._problem.setObjectName("foreignProblem")
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.hide()
        self._forget_problem = QTimer(self, singleShot=True, interval=_PROBLEM_MS)
        self._forget_problem.timeout.connect(self._on_problem_old)
        self._scroll = self._make_scroll()
        layout = QVBoxLayout(self)
        for widget in (title, self._problem, self._scroll):
            layout.addWidget(widget)
        foreign.rowsChanged.connect(self._render)
        foreign.failed.connect(self._on_failed)
        foreign.found.connect(self._on_found)
        self._render(foreign.rows)

    def _make_scroll(self) -> QScrollArea:
        content = QWidget(self)
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea(self)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        return scroll

    # -- showing

    @Slot(object)
    def _render(self, rows: tuple[ForeignRow, ...]) -> None:
        keys = [row.key for row in rows]
        for key in [key for key in self._rows if key not in keys]:
            gone = self._rows.pop(key)
            gone.hide()
            self._list.removeWidget(gone)
            gone.deleteLater()
        for index, row in enumerate(rows):
            widget = self._rows.get(row.key)
            if widget is None:
                widget = self._rows[row.key] = _Row(row, self._foreign, self)
                self._list.insertWidget(index, widget)
            widget.show_row(row)
        self._fit()

    def _fit(self) -> None:
        heights = [row.sizeHint().height() for row in self._rows.values()]
        shown = heights[:_MOST_ROWS]
        gaps = self._list.spacing() * max(0, len(shown) - 1)
        self._scroll.setFixedHeight(sum(shown) + gaps)
        self._scroll.setVisible(bool(shown))
        self.setVisible(bool(shown) or not self._problem.isHidden())

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        match error:
            case ConfigurationError():
                text = sentence(error.reason)
            case RunnerUnavailable():
                text = sentence(str(error))
            case _:
                text = words_for_error(error).summary
        self._problem.setText(text)
        self._problem.show()
        self._forget_problem.start()
        self._fit()

    @Slot()
    def _on_problem_old(self) -> None:
        self._problem.hide()
        self._fit()

    @Slot()
    def _on_found(self) -> None:
        row = next(iter(self._rows.values()), None)
        if row is not None:
            row.adopt.setFocus(Qt.FocusReason.OtherFocusReason)


class _Row(QWidget):
    """One server: what it serves and the buttons, and below what is known of the process."""

    def __init__(self, row: ForeignRow, foreign: ForeignViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._foreign = foreign
        self._row = row
        self.setObjectName(f"foreign{row.server.pid}")
        self._title = ElidedLabel(self)
        self._title.setObjectName("foreignModel")
        self._facts = ElidedLabel(self)
        self._facts.setObjectName("foreignFacts")
        self.adopt = self._button("adopt", self.tr("Adopt"), self.tr("Watch and stop it here, as your own servers"))
        self._stop = self._button("stop", self.tr("Stop"), self.tr("End this process"), "stop")
        self._ignore = self._button("ignore", self.tr("Ignore"), self.tr("Do not show it again in this session"))
        line = QHBoxLayout()
        line.addWidget(self._title, 1)
        for button in (self.adopt, self._stop, self._ignore):
            line.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self._facts)
        self.adopt.clicked.connect(self._on_adopt)
        self._stop.clicked.connect(self._on_stop)
        self._ignore.clicked.connect(self._on_ignore)

    def show_row(self, row: ForeignRow) -> None:
        self._row = row
        self._title.setText(row.title)
        self._title.setToolTip(row.server.command_line)
        self._facts.setText(self._facts_text(row))
        for button in (self.adopt, self._stop, self._ignore):
            button.setEnabled(not row.busy)

    def _button(self, name: str, text: str, tip: str, icon_name: str = "") -> QPushButton:
        pid = self._row.server.pid
        button = QPushButton(text, self)
        if icon_name:
            button.setIcon(icon(icon_name))
        button.setObjectName(f"{name}Foreign{pid}")
        button.setAccessibleName(f"{text} {pid}")
        button.setToolTip(tip)
        return button

    def _facts_text(self, row: ForeignRow) -> str:
        server = row.server
        port = self.tr("port unknown") if server.port is None else self.tr("port %1").replace("%1", str(server.port))
        parent = server.parent
        return " · ".join(
            (
                self.tr("pid %1").replace("%1", str(server.pid)),
                port,
                self.tr("RAM %1").replace("%1", size_text(server.rss_bytes)),
                self.tr("started by %1").replace("%1", parent) if parent else self.tr("its starter is gone"),
            )
        )

    @Slot()
    def _on_adopt(self) -> None:
        self._foreign.adopt(self._row.server)

    @Slot()
    def _on_ignore(self) -> None:
        self._foreign.ignore(self._row.server)

    @Slot()
    def _on_stop(self) -> None:
        self._foreign.run(self._stop_if_meant, f"ask about process {self._row.server.pid}")

    async def _stop_if_meant(self) -> None:
        # This row may be gone by the time of the answer.
        row, foreign = self._row, self._foreign
        if await ask(StopForeignDialog(row, self.window())) == QDialog.DialogCode.Accepted:
            foreign.stop(row.server)
