"""The real window over simulated servers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QWidget
from shiboken6 import delete
from typing_extensions import override

from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.models.model_row import SortKey
from gglib_desktop.views.servers.panel.view import ServerPanel
from gglib_desktop.views.window.main_window import MainWindow
from tests.fakes.accessibility import seen_in
from tests.fakes.program import Program, running_program
from tests.fakes.supervision import KeptBugs
from tests.fakes.waiting import poll, reasons_told


@dataclass
class Desk(Program):
    """The program with its window."""

    window: MainWindow

    @override
    async def add(self, name: str = "Tiny", facts: ModelFacts | None = None) -> Model:
        """Adds a model; returns when it is selected."""
        model = await super().add(name, facts)
        await poll(lambda: self.models.selected is not None and self.models.selected.id == model.id)
        return model

    async def dialog(self, action: str) -> QDialog:
        """What a command of the menus opens."""
        command = self.window.findChild(QAction, action)
        assert command is not None
        command.trigger()
        await poll(lambda: any(each.isVisible() for each in self.window.findChildren(QDialog)))
        (dialog,) = [each for each in self.window.findChildren(QDialog) if each.isVisible()]
        return dialog

    def panel(self, title: str) -> ServerPanel:
        (found,) = [p for p in self.window.findChildren(ServerPanel) if p.accessibleName() == f"Server: {title}"]
        assert isinstance(found, ServerPanel)
        return found

    async def panel_in(self, title: str, word: str) -> ServerPanel:
        """The panel, once it says that its server is in the state with this word."""

        def says() -> bool:
            # Reading a whole window as assistive technology does takes long.
            states = [server.state for server in self.app.servers.panels.values()]
            if (title, word) not in [(state.title, state.state.word) for state in states]:
                return False
            if not any(node.name == f"Server: {title}" for node in seen_in(self.window)):
                return False
            return any(node.name == f"Health: {word}" for node in seen_in(self.panel(title)))

        await poll(says)
        await reasons_told()
        return self.panel(title)


@pytest.fixture
async def desk(qapp, tmp_path: Path, bugs: KeptBugs) -> AsyncIterator[Desk]:
    geometry = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    # So that tests know the order, whatever they call their models.
    geometry.setValue("sort", str(SortKey.ADDED))
    async with running_program(tmp_path, bugs) as program:
        window = MainWindow(program.app, geometry, tmp_path / "data")
        window.show()
        yield Desk(**vars(program), window=window)
        window.close_for_good()
    delete(window)


def text_of(top: QWidget) -> str:
    """All text on screen."""
    return "\n".join(node.name for node in seen_in(top) if node.shown)
