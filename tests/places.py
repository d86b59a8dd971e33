"""At which places tests ran, and why not at the others: a table at the end of each run."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

PLACES = ("local", "mock", "netns", "podman", "docker", "ssh")
# Those that must not be skipped, by their names with commas between.
_REQUIRED = "GGLIB_REQUIRE"
# Where several runs side by side leave what they saw, for one table of all.
GATHERED = "GGLIB_PLACES_SEEN"


def is_required(name: str) -> bool:
    return name in os.environ.get(_REQUIRED, "").split(",")


def skip_place(name: str, why: str) -> NoReturn:
    """``why`` is the tool's own refusal. A required place that refuses is a failure."""
    if is_required(name):
        pytest.fail(f"{name} does not run here: {why}")
    pytest.skip(f"{name} does not run here: {why}")


class SeenPlaces:
    """A plugin of pytest. A test belongs to the place that its parameters or its fixtures name."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, str, str]] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            item.user_properties += [("place", place) for place in PLACES if place in _named_by(item)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            why = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
            self._seen += [(str(place), report.outcome, str(why)) for _name, place in _places(report.user_properties)]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        gathered = os.environ.get(GATHERED)
        if gathered:
            with Path(gathered).open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(each)}\n" for each in self._seen)
        else:
            terminalreporter.write("".join(f"{line}\n" for line in table(self._seen)))


def _named_by(item: pytest.Item) -> set[str]:
    """Words in the parameters of unit tests name no place where anything ran."""
    callspec = getattr(item, "callspec", None) if "contract" in item.path.parts else None
    parameters = callspec.id.split("-") if callspec is not None else ()
    return {*parameters, *(_place_of(name) for name in getattr(item, "fixturenames", ()))}


def _place_of(fixture: str) -> str:
    return "ssh" if fixture == "sshd" else fixture.removesuffix("_service")


def _places(properties: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    return (each for each in properties if each[0] == "place")


def table(seen: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """A line for each place where anything was to be tried: passed, failed or skipped, and why."""
    seen = list(seen)
    for place in PLACES:
        counts = Counter(outcome for at, outcome, _why in seen if at == place)
        if not counts:
            continue
        skipped = next((why for at, outcome, why in seen if at == place and outcome == "skipped"), "")
        verdict = "failed" if counts["failed"] else "passed" if counts["passed"] else "skipped"
        numbers = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
        yield f"place {place}: {verdict} ({numbers}){': ' + skipped.removeprefix('Skipped: ') if skipped else ''}"


def gathered_table(path: Path) -> Iterator[str]:
    """The table over all runs that wrote into a file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else ()
    yield from table(tuple(json.loads(line)) for line in lines)
