"""The line of a server: what one needs at a glance, and the buttons for it. All that a folded panel shows."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QGuiApplication, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.traffic.figures import ServerFigures
from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.type_scale import set_type
from gglib_desktop.views.servers.panel.exposed_mark import ExposedMark
from gglib_desktop.views.servers.panel.line_buttons import LineButtons
from gglib_desktop.views.servers.panel.line_facts import GAP, Detail, LineFacts
from gglib_desktop.views.servers.panel.state_badge import StateBadge
from gglib_desktop.views.widgets.expander import Expander
from gglib_desktop.views.widgets.labels.elided import ElidedLabel

# What is left of a name, in average characters, before buttons lose their words, and before there are two rows.
_NAME_CHARACTERS = 16
_LEAST_NAME_CHARACTERS = 9
_LEAST_PLACE_CHARACTERS = 7


class PlaceLabel(ElidedLabel):
    """Where a server runs; only there if that is not this computer. The whole name is its tip."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("place")
        self.hide()

    def show_place(self, name: str) -> bool:
        """Whether it is another one than before."""
        if name == self.text():
            return False
        self.setText(name)
        self.setAccessibleName(self.tr("Place: {name}").format(name=name))
        self.setToolTip(self.accessibleName())
        self.setVisible(bool(name))
        return True

    @property
    def least_room(self) -> int:
        """With a gap; none where it is not there."""
        return min(self._natural, self._least) + GAP if self.text() else 0

    def fit(self, room: int) -> None:
        """Takes what it needs of a room, and not less than ``least_room``."""
        self.setFixedWidth(max(min(self._natural, room - GAP), min(self._natural, self._least)))

    @property
    def _natural(self) -> int:
        return self.fontMetrics().horizontalAdvance(self.text()) + GAP

    @property
    def _least(self) -> int:
        return self.fontMetrics().averageCharWidth() * _LEAST_PLACE_CHARACTERS


class Line(QWidget):
    """Its columns have the same width in all lines and states. In a narrow window buttons lose their words first."""

    def __init__(self, server: PanelViewModel, buttons: LineButtons, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self.fold = Expander("fold", self)
        # Models with the same name differ at its end.
        self._name = ElidedLabel(self, Qt.TextElideMode.ElideMiddle)
        self._name.setObjectName("serverName")
        set_type(self._name, strong=True)
        self._place = PlaceLabel(self)
        self._exposed = ExposedMark(self)
        self._badge = StateBadge(server, self)
        self._facts = LineFacts(self)
        self._buttons = buttons
        top = QHBoxLayout()
        top.setSpacing(GAP)
        top.addWidget(self.fold)
        top.addWidget(self._name, 1)
        for widget in (self._place, self._exposed, self._badge, self._facts, self._buttons):
            top.addWidget(widget)
        self._below = QHBoxLayout()
        layout = self._layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(self._below)
        self._top = top
        self._name.setMinimumWidth(self._name.fontMetrics().averageCharWidth() * _LEAST_NAME_CHARACTERS)
        server.figures.stateChanged.connect(self._on_figures)
        self._buttons.copy.clicked.connect(self.copy_endpoint)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Of Tab, in their order."""
        return (self.fold, *self._buttons.stops)

    def show_state(self, state: ServerPanelState) -> None:
        self._name.setText(state.title)
        self._exposed.show_state(state)
        if self._place.show_place(state.place):
            self._fit()
        self._facts.show_state(state, self._server.figures.state)
        self._buttons.show_state(state)

    @Slot(object)
    def _on_figures(self, figures: ServerFigures) -> None:
        self._facts.show_state(self._server.state, figures)

    def show_time(self, text: str) -> None:
        self._facts.show_time(text)

    def show_open(self, is_open: bool) -> None:
        name = self.tr("Fold {title}") if is_open else self.tr("Open {title}")
        self.fold.show_expanded(is_open, name.format(title=self._server.state.title))

    @Slot()
    def copy_endpoint(self) -> None:
        QGuiApplication.clipboard().setText(self._server.state.endpoint)
        self._buttons.say_copied()

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """All of the line opens and folds the panel."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.fold.click()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    @override
    def minimumSizeHint(self) -> QSize:
        """Of two rows: without this, the wide line of a wide window would keep the window wide."""
        first = (
            self._rest
            + self._place.least_room
            + self._badge.width_of(short=True)
            + self._buttons.narrow
            + self._name.minimumWidth()
        )
        second = self.fold.sizeHint().width() + GAP + self._facts.width_of(Detail.FIGURES)
        return QSize(max(first, second), super().minimumSizeHint().height())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @property
    def _rest(self) -> int:
        """What is always in the first row beside the name, the badge and the buttons, and the gaps."""
        return self.fold.sizeHint().width() + 4 * GAP

    def _fit(self) -> None:
        """Facts that are nice to have go first, then the words of buttons and numbers; then there are two rows."""
        facts, buttons, character = self._facts, self._buttons, self._name.fontMetrics().averageCharWidth()
        left = self.width() - self._rest - self._badge.width_of(short=True)
        more = self._badge.width_of(short=False) - self._badge.width_of(short=True)
        named, least = _NAME_CHARACTERS * character, _LEAST_NAME_CHARACTERS * character
        in_two = False
        if left >= facts.width_of(Detail.ALL) + buttons.wide + named + more:
            detail = Detail.ALL
        elif left >= facts.width_of(Detail.FIGURES) + buttons.wide + named:
            detail = Detail.FIGURES
        else:
            in_two = left < facts.width_of(Detail.NUMBERS) + buttons.narrow + least + self._place.least_room
            detail = Detail.FIGURES if in_two else Detail.NUMBERS
        buttons.set_short(in_two or detail is Detail.NUMBERS)
        facts.set_detail(detail)
        self._badge.set_short(detail is not Detail.ALL)
        name = max(least, min(self._name.sizeHint().width() + GAP, named))
        taken = buttons.width() + name + (more if detail is Detail.ALL else 0)
        # It takes nothing from the columns, so that they stay in line with those of other servers.
        self._place.fit(left - taken - (0 if in_two else facts.width_of(detail)))
        if in_two != (self._below.count() > 0):
            self._move_facts(in_two)
        # At once, not after one more turn of the event loop with the former widths.
        self._layout.activate()

    def _move_facts(self, below: bool) -> None:
        if below:
            self._below.addSpacing(self.fold.sizeHint().width() + GAP)
            self._below.addWidget(self._facts)
            self._below.addStretch()
        else:
            while self._below.takeAt(0) is not None:
                pass
            self._top.insertWidget(self._top.indexOf(self._buttons), self._facts)
