"""Counted work: a test of effort gives the same result on any machine, however busy."""

import sys
from collections.abc import Callable


def calls_of(action: Callable[[], object]) -> int:
    """How many functions this thread calls, in Python or in C, while ``action`` runs."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        if event in {"call", "c_call"}:
            calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(before)
    return calls
