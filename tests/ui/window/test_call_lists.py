"""A start and the end of a server go through the modules that CONTRIBUTING.md lists, and through no others."""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

from PySide6.QtGui import QAction

ROOT = Path(__file__).parents[3]
PACKAGE = f"{ROOT / 'gglib_desktop'}/"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CARRIERS = {
    "qt_loop.py",
    "tasks.py",
    "viewmodels/commands.py",
    "services/events.py",
    "adapters/places/awaited_exit.py",
}
_before: ContextVar[tuple[str, ...]] = ContextVar("_before", default=())


def listed(title: str) -> list[str]:
    """The modules of a numbered list, as they are called where servers are simulated."""
    _, _, rest = TEXT.partition(title)
    lines = rest.split("\n\n")[1].splitlines()
    return [re.findall(r"`([\w/]+\.py)`", line)[0].replace("/local/", "/simulated/") for line in lines]


def modules(frame: FrameType | None) -> tuple[str, ...]:
    """Those of a stack, the outermost first, each run of calls inside one module once."""
    found: list[str] = []
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE) and (name := name.removeprefix(PACKAGE)) not in CARRIERS:
            found.append(name)
        frame = frame.f_back
    return tuple(reversed(found))


@contextmanager
def watching(module: str, function: str) -> Iterator[list[list[str]]]:
    """The ways on which a function is entered, also by way of the tasks that led to it."""
    ways: list[list[str]] = []

    def look(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_name == function and code.co_filename == PACKAGE + module:
            way = (*_before.get(), *modules(frame.f_back))
            ways.append([each for number, each in enumerate(way) if way[number - 1 : number] != (each,)])

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        token = _before.set((*_before.get(), *modules(sys._getframe(1))))
        try:
            return asyncio.Task(coroutine, loop=loop, **options)
        finally:
            _before.reset(token)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(make)
    sys.setprofile(look)
    try:
        yield ways
    finally:
        sys.setprofile(None)
        loop.set_task_factory(None)


async def test_from_start_to_the_process(desk):
    *way, _spawn = listed("From Start to the process")
    await desk.open()
    await desk.add("Tiny")
    with watching(way[-1], "spawn") as ways:
        desk.window.findChild(QAction, "start").trigger()
        await desk.panel_in("Tiny", "Healthy")
    assert ways == [way[:-1]]
    assert len(way) == 8


async def test_from_the_end_of_the_process_to_the_badge(desk):
    _process, runner, run, *rest = listed("From the end of the process to the badge")
    await desk.open()
    model = await desk.add("Tiny")
    with watching("adapters/places/awaited_exit.py", "wait") as waits:
        desk.start(model)
        await desk.panel_in("Tiny", "Healthy")
    assert [run, runner] in [wait[-2:] for wait in waits]
    (handle,) = await desk.runner.list_running()
    with watching(rest[-1], "_on_state") as ways:
        desk.runner.crash(handle)
        await desk.panel_in("Tiny", "Crashed")
    assert [run, *rest[:-1]] in [way[way.index(run) :] for way in ways]
    assert len(rest) == 3
