"""How much of the computer's memory, and of its graphics memory, the servers use."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from gglib_desktop.viewmodels.servers.servers import ServersViewModel, ServerTotals
from gglib_desktop.views.charts.share_bar import ShareBar
from gglib_desktop.views.look.card import GRID, HALF_GRID
from gglib_desktop.views.look.theme import Figure
from gglib_desktop.views.look.type_scale import TypeSize, set_type

_GIB = 2**30


class MemoryBars(QWidget):
    """Each is hidden until both its figures are known."""

    def __init__(self, servers: ServersViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._memory = _Bar("memoryUse", self.tr("RAM"), self.tr("Memory"), self)
        self._graphics = _Bar("graphicsMemoryUse", self.tr("VRAM"), self.tr("Graphics memory"), self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._memory)
        row.addWidget(self._graphics)
        servers.totalsChanged.connect(self._render)
        self._render(servers.totals)

    @property
    def tells(self) -> bool:
        """Something is known."""
        return not (self._memory.isHidden() and self._graphics.isHidden())

    @property
    def shrinks_by(self) -> int:
        """By so much it would be narrower in short form."""
        return sum(bar.shrinks_by for bar in (self._memory, self._graphics) if not bar.isHidden())

    def set_short(self, short: bool) -> None:
        """Without the bars, only in words."""
        for bar in (self._memory, self._graphics):
            bar.set_short(short)

    @Slot(object)
    def _render(self, totals: ServerTotals) -> None:
        memory = totals.memory if totals.running else None
        graphics = totals.graphics if totals.running else None
        self._memory.show_use(memory, totals.memory_total)
        self._graphics.show_use(graphics, totals.graphics_total)


class _Bar(QWidget):
    def __init__(self, object_name: str, short: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._short, self._name = short, name
        self._text = QLabel(self)
        self._text.setObjectName(object_name)
        set_type(self._text, TypeSize.SMALL, figures=True)
        self._bar = ShareBar(Figure.MEMORY, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(HALF_GRID)
        row.addWidget(self._text)
        row.addWidget(self._bar)

    @property
    def shrinks_by(self) -> int:
        return 0 if self._bar.isHidden() else self._bar.sizeHint().width() + HALF_GRID

    def set_short(self, short: bool) -> None:
        self._bar.setHidden(short)

    def show_use(self, used: int | None, total: int | None) -> None:
        if used is not None and total:
            self._bar.show_share(used / total)
            amounts = self.tr("{used:.1f} of {total:.1f} GiB").format(used=used / _GIB, total=total / _GIB)
            text = f"{self._short} {amounts}"
            if text != self._text.text():
                self._text.setText(text)
                self._text.setAccessibleName(f"{self._name}: {amounts}")
                self.setToolTip(self.tr("Used by the servers: {amounts}").format(amounts=amounts))
        self.setVisible(used is not None and bool(total))
