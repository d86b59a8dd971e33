"""The llama-servers on this computer that other programs started, one row each."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gglib_desktop.domain.errors import ConfigurationError, GglibError, RunnerUnavailable
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.servers.foreign import ForeignRow, ForeignViewModel
from gglib_desktop.views.look.card import HALF_GRID
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.widgets.expander import Expander
from gglib_desktop.views.widgets.labels.elided import ElidedLabel
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import sentence, words_for_error

_MOST_ROWS = 3
# In a window lower than this, one row less: the panels above need the room.
_LOW_WINDOW = 700
_PROBLEM_MS = 20_000
# The user may be on the way to the button of the next row for so long.
_SETTLE_MS = 5_000


class ForeignView(QFrame):
    """One line with a count, which is only shown while there are rows, and has its place also when it is not.

    Unfolded it is at most a few rows high, the rest scrolls.
    """

    def __init__(self, foreign: ForeignViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._foreign = foreign
        self._rows: dict[tuple[int, str], _Row] = {}
        self._folded = True
        self._limit = _MOST_ROWS
        # The height does not shrink at once when rows go: the buttons would jump away from the mouse.
        self._most_seen = 0
        self.setObjectName("foreignServers")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(self.tr("Other llama-servers on this computer"))
        self._fold = Expander("foldForeign", self)
        self._fold.clicked.connect(self._on_fold)
        self._title = QLabel(self)
        self._title.setObjectName("foreignTitle")
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self._problem = WrapLabel(parent=self)
        self._problem.setObjectName("foreignProblem")
        self._problem.hide()
        self._forget_problem = QTimer(self, singleShot=True, interval=_PROBLEM_MS)
        self._forget_problem.timeout.connect(self._on_problem_old)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.setObjectName("settle")
        self._settle.timeout.connect(self._on_settled)
        self._scroll = self._make_scroll()
        self._lay_out()
        foreign.rowsChanged.connect(self._render)
        foreign.failed.connect(self._on_failed)
        foreign.found.connect(self._on_found)
        self._render(foreign.rows)

    def _lay_out(self) -> None:
        policy = self.sizePolicy()
        # It appears some moments after the window: the panels above must not move then.
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        header = QHBoxLayout()
        header.addWidget(self._fold)
        header.addWidget(self._title, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(HALF_GRID, 0, HALF_GRID, 0)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self._problem)
        layout.addWidget(self._scroll)

    def fit_into(self, window_height: int) -> None:
        """Takes less room in a low window."""
        self._limit = _MOST_ROWS if window_height >= _LOW_WINDOW else _MOST_ROWS - 1
        self._fit()

    @Slot(QWidget)
    def tab_after(self, last: QWidget) -> None:
        """Tab comes here after ``last``."""
        for button in (self._fold, *(button for row in self._rows.values() for button in row.buttons)):
            self.setTabOrder(last, button)
            last = button

    def _make_scroll(self) -> QScrollArea:
        content = QWidget(self)
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.addStretch(1)
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
        self._rows = {key: self._rows[key] for key in keys}
        self._fit()

    def _fit(self) -> None:
        count = len(self._rows)
        self._most_seen = max(self._most_seen, count) if count and not self._folded else 0
        if min(self._most_seen, self._limit) > count and not self._settle.isActive():
            self._settle.start()
        shown = min(self._most_seen, self._limit)
        if shown:
            row_height = max(row.sizeHint().height() for row in self._rows.values())
            self._scroll.setFixedHeight(shown * row_height + (shown - 1) * self._list.spacing())
        self._scroll.setVisible(bool(shown))
        title = self.accessibleName()
        self._title.setText(f"{title} ({count})" if self._folded and count else title)
        self._fold.show_expanded(not self._folded, self.tr("Other llama-servers: {count}").format(count=count))
        self.setVisible(bool(count) or not self._problem.isHidden())

    @Slot()
    def _on_settled(self) -> None:
        self._most_seen = len(self._rows)
        self._fit()

    @Slot()
    def _on_fold(self) -> None:
        self._folded = not self._folded
        self._fit()

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
            self._folded = False
            self._fit()
            row.first_button.setFocus(Qt.FocusReason.OtherFocusReason)


class _Row(QWidget):
    """One server: what it serves and the buttons, and below what is known about the process."""

    def __init__(self, row: ForeignRow, foreign: ForeignViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._foreign = foreign
        self._row = row
        self.setObjectName(f"foreign{row.server.pid}")
        self._title = ElidedLabel(self)
        self._title.setObjectName("foreignModel")
        self._facts = ElidedLabel(self)
        self._facts.setObjectName("foreignFacts")
        self._show = self._button("showKeeper", self.tr("Show its window"), self.tr("Another GGLib Desktop has it"))
        self._adopt = self._button("adopt", self.tr("Adopt"), self.tr("Watch and stop it here, as your own servers"))
        self._stop = self._button("stop", self.tr("Stop"), self.tr("End this process"), "stop")
        self._ignore = self._button("ignore", self.tr("Ignore"), self.tr("Do not show it again in this session"))
        line = QHBoxLayout()
        line.addWidget(self._title, 1)
        self.buttons = (self._show, self._adopt, self._stop, self._ignore)
        for button in self.buttons:
            line.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self._facts)
        self._show.clicked.connect(self._on_show)
        self._adopt.clicked.connect(self._on_adopt)
        self._stop.clicked.connect(self._on_stop)
        self._ignore.clicked.connect(self._on_ignore)

    @property
    def first_button(self) -> QPushButton:
        return self._adopt if self._row.server.kept_by is None else self._show

    def show_row(self, row: ForeignRow) -> None:
        self._row = row
        kept = row.server.kept_by is not None
        self._show.setVisible(kept)
        # Two windows that act on one server would both show something wrong.
        self._adopt.setVisible(not kept)
        self._stop.setVisible(not kept)
        self._title.setText(row.title)
        self._title.setToolTip(row.server.command_line)
        self._facts.setText(self._facts_text(row))
        for button in self.buttons:
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
        port = self.tr("port unknown") if server.port is None else self.tr("port {port}").format(port=server.port)
        return " · ".join(
            (
                self.tr("pid {pid}").format(pid=server.pid),
                port,
                self.tr("RAM {size}").format(size=size_text(server.rss_bytes)),
                self._owner_text(row),
            )
        )

    def _owner_text(self, row: ForeignRow) -> str:
        """The program that looks after it now is more important than the one that started it."""
        if row.server.kept_by is not None:
            return self.tr("managed by another GGLib Desktop")
        parent = row.server.parent
        return self.tr("started by {parent}").format(parent=parent) if parent else self.tr("its starter is gone")

    @Slot()
    def _on_show(self) -> None:
        self._foreign.show_keeper(self._row.server)

    @Slot()
    def _on_adopt(self) -> None:
        self._foreign.adopt(self._row.server)

    @Slot()
    def _on_ignore(self) -> None:
        self._foreign.ignore(self._row.server)

    @Slot()
    def _on_stop(self) -> None:
        self._foreign.run(self._stop_if_meant(), f"ask about process {self._row.server.pid}")

    async def _stop_if_meant(self) -> None:
        # This row may be gone by the time of the answer.
        row, foreign = self._row, self._foreign
        from gglib_desktop.views.servers.foreign.stop_dialog import StopForeignDialog

        if await ask(StopForeignDialog(row, self.window())) == QDialog.DialogCode.Accepted:
            foreign.stop(row.server)
