"""The menu bar: every action of the program, with its shortcut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QMainWindow, QMenu

from gglib_desktop.views.look.icons import icon


@dataclass(frozen=True)
class Actions:
    """All actions. The field's name is the action's object name."""

    add_models: QAction
    add_folder: QAction
    scan: QAction
    stop_scan: QAction
    create_demo: QAction
    details: QAction
    tags: QAction
    show_in_folder: QAction
    copy_path: QAction
    remove_model: QAction
    measure_drafting: QAction
    settings: QAction
    edit_settings: QAction
    quit: QAction
    start: QAction
    start_with: QAction
    start_another: QAction
    start_router: QAction
    paste_command: QAction
    defaults: QAction
    stop: QAction
    restart: QAction
    apply: QAction
    copy_endpoint: QAction
    copy_other_endpoint: QAction
    copy_key: QAction
    copy_command_line: QAction
    show_log: QAction
    dismiss: QAction
    stop_all: QAction
    find: QAction
    fold_all: QAction
    next_server: QAction
    previous_server: QAction
    foreign: QAction
    about: QAction

    def connect(self, **slots: Callable[[], object]) -> None:
        """Connects the actions that are named to their slots."""
        for name, slot in slots.items():
            getattr(self, name).triggered.connect(slot)


def make_menus(window: QMainWindow, sort: QMenu, filters: QMenu, copy_for: QMenu) -> Actions:
    """Fills the window's menu bar; ``sort`` and ``filters`` are menus of the model list, ``copy_for`` is of servers."""
    tr = window.tr
    a = _make_actions(window)
    _menu(
        window, tr("&File"), a.add_models, a.add_folder, a.scan, a.stop_scan, a.create_demo, None,
        a.settings, a.edit_settings, None, a.quit,
    )  # fmt: skip
    _menu(
        window, tr("&Model"), a.details, a.defaults, a.tags, None, a.show_in_folder, a.copy_path, None, a.remove_model,
        None, a.measure_drafting,
    )  # fmt: skip
    _menu(
        window, tr("&Server"), a.start, a.start_with, a.start_another, a.start_router, a.paste_command, None,
        a.stop, a.restart, a.apply, None, a.copy_endpoint, a.copy_other_endpoint, a.copy_key, a.copy_command_line,
        copy_for, a.show_log, a.dismiss, None, a.next_server, a.previous_server, None, a.stop_all,
    )  # fmt: skip
    _menu(window, tr("&View"), a.find, filters, sort, None, a.fold_all, None, a.foreign)
    _menu(window, tr("&Help"), a.about)
    return a


def _make_actions(window: QMainWindow) -> Actions:
    action, tr = partial(_action, window), window.tr
    return Actions(
        add_models=action("add_models", tr("&Add models…"), "Ctrl+O", "add"),
        add_folder=action("add_folder", tr("Add &folder…"), "Ctrl+Shift+O", "folder"),
        scan=action("scan", tr("S&can again"), "F5"),
        stop_scan=action("stop_scan", tr("Stop scannin&g"), "Shift+F5", "stop"),
        create_demo=action("create_demo", tr("Create &demo model"), "", "demo"),
        details=action("details", tr("&Details"), "Ctrl+I"),
        tags=action("tags", tr("&Tags"), "Ctrl+T"),
        show_in_folder=action("show_in_folder", tr("S&how in folder"), "Ctrl+Shift+E"),
        copy_path=action("copy_path", tr("Copy &path"), "Ctrl+Alt+C"),
        remove_model=action("remove_model", tr("&Remove"), "Shift+Del"),
        measure_drafting=action("measure_drafting", tr("&Measure drafting…")),
        settings=action("settings", tr("&Settings…"), "Ctrl+,", "settings"),
        edit_settings=action("edit_settings", tr("&Edit settings file")),
        quit=action("quit", tr("&Quit"), "Ctrl+Q"),
        start=action("start", tr("&Start"), "Ctrl+Return", "start"),
        start_with=action("start_with", tr("Start &with…"), "Ctrl+Shift+Return", "start-with"),
        start_another=action("start_another", tr("Start a&nother")),
        start_router=action("start_router", tr("Start ro&uter…")),
        paste_command=action("paste_command", tr("Paste co&mmand line…"), "Ctrl+Shift+V"),
        defaults=action("defaults", tr("Launch de&faults"), "Ctrl+Shift+D"),
        stop=action("stop", tr("S&top"), "Ctrl+.", "stop"),
        restart=action("restart", tr("&Restart"), "Ctrl+R", "restart"),
        apply=action("apply", tr("&Apply and restart"), "Ctrl+Shift+R"),
        copy_endpoint=action("copy_endpoint", tr("&Copy endpoint"), "Ctrl+Shift+C", "copy"),
        copy_other_endpoint=action("copy_other_endpoint", tr("Cop&y endpoint for other computers"), "", "copy"),
        copy_key=action("copy_key", tr("Copy &key"), "Ctrl+Shift+K", "copy"),
        copy_command_line=action("copy_command_line", tr("C&opy command line"), "", "copy"),
        show_log=action("show_log", tr("Show &log"), "Ctrl+L", "log"),
        dismiss=action("dismiss", tr("&Dismiss"), "Ctrl+W", "dismiss"),
        stop_all=action("stop_all", tr("Sto&p all")),
        find=action("find", tr("&Find model"), "Ctrl+F", "search"),
        fold_all=action("fold_all", tr("F&old all panels")),
        next_server=action("next_server", tr("Ne&xt server"), "Ctrl+PgDown"),
        previous_server=action("previous_server", tr("Pre&vious server"), "Ctrl+PgUp"),
        foreign=action("foreign", tr("Other &llama-servers")),
        about=action("about", tr("&About GGLib Desktop")),
    )


def tell_shortcut(button: QAbstractButton, action: QAction) -> None:
    """Tells, in the tool tip of a button, what it does and by which keys: those of the action in the menus."""
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    button.setToolTip(f"{action.toolTip()} ({keys})" if keys else action.toolTip())


def _action(window: QMainWindow, name: str, text: str, shortcut: str = "", icon_name: str = "") -> QAction:
    made = QAction(text, window)
    made.setObjectName(name)
    if shortcut:
        made.setShortcut(QKeySequence(shortcut))
    if icon_name:
        made.setIcon(icon(icon_name))
    return made


def _menu(window: QMainWindow, title: str, *entries: QAction | QMenu | None) -> QMenu:
    menu = window.menuBar().addMenu(title)
    for entry in entries:
        if entry is None:
            menu.addSeparator()
        elif isinstance(entry, QMenu):
            menu.addMenu(entry)
        else:
            menu.addAction(entry)
    return menu
