"""What a report about a problem needs to know of this computer. In English, for those who read the report."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import PySide6
from PySide6.QtCore import QSysInfo, qVersion
from PySide6.QtGui import QGuiApplication

from gglib_desktop import __version__
from gglib_desktop.viewmodels.window import WindowViewModel
from gglib_desktop.views.look.folders import home_folder


def diagnostics(parts: WindowViewModel, data_dir: Path) -> str:
    """No names of models, no keys, no options, and the home folder as ``~``: it can be shown to anyone."""
    engine = parts.engine.state.engine
    used = "none found"
    if engine is not None:
        mtp = "with MTP" if engine.capabilities.has_mtp else "without MTP"
        used = f"{_short(engine.path)} (version {engine.version}, {mtp}, source: {engine.source})"
    lines = (
        f"GGLib Desktop {__version__}",
        f"Python {platform.python_version()}, Qt {qVersion()}, PySide6 {PySide6.__version__}",
        f"{QSysInfo.prettyProductName()}, kernel {QSysInfo.kernelVersion()}, {QSysInfo.currentCpuArchitecture()}",
        f"Screen: {_screen()}",
        f"Engine: {used}",
        f"Data folder: {_short(data_dir)}",
        f"Models: {parts.library.models.total}, servers running: {parts.servers.totals.running}",
    )
    return "\n".join(lines)


def _screen() -> str:
    screen = QGuiApplication.primaryScreen()
    size = screen.size()
    font = QGuiApplication.font()
    return (
        f"{QGuiApplication.platformName()}, {size.width()} x {size.height()} at {screen.devicePixelRatio():g},"
        f" {font.family()} {font.pointSizeF():g} pt"
    )


def _short(path: Path) -> str:
    home = home_folder()
    text = str(path)
    return f"~{text[len(home) :]}" if text.startswith(f"{home}{os.sep}") else text
