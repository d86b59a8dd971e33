"""Looks at processes that may end at any moment."""

import contextlib
from collections.abc import Callable, Iterable

import psutil


def those(processes: Iterable[psutil.Process], condition: Callable[[psutil.Process], object]) -> list[psutil.Process]:
    """The ones that meet it. One that has ended meanwhile does not."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if condition(process):
                found.append(process)
    return found


def kill(processes: Iterable[psutil.Process]) -> None:
    """Those of them that have not ended."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
