"""Work that is counted, so that a test of effort says the same on any machine, however busy."""

import sys
from collections.abc import Callable


def calls_of(action: Callable[[], object]) -> int:
    """How many functions, Python's own and others, this thread calls while ``action`` runs."""
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
