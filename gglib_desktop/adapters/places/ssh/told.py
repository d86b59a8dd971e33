"""Reads what the scripts tell of a computer and of the runs there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.servers.failures import ServerExit, StopRung
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.record import ServerRecord

# What a shell adds to the number of the signal that ended a program.
_SIGNALLED = 128
_LAST_SIGNAL = 64
_USED = 3


@dataclass(frozen=True)
class Known:
    """A process there: its number, and what tells it from a later one with the same number."""

    pid: int
    identity: str
    used: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Sequence[str]]) -> Known | None:
        """None for one that had ended before it was looked at."""
        pid, _blank, identity = _first(told, "pid").partition(" ")
        return cls(int(pid), identity, _first(told, "used")) if pid.isdigit() and " " in identity else None


@dataclass(frozen=True)
class Computer:
    """What is known of a computer since it was first reached."""

    root: str
    boot: str
    hertz: int
    page_bytes: int
    programs: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)

    def usage(self, used: str) -> Usage | None:
        """Of ticks, pages and a state, as the scripts tell them."""
        words = used.split()
        if len(words) != _USED:
            return None
        return Usage(int(words[0]) / self.hertz, int(words[1]) * self.page_bytes, paused=words[2] == "T")

    @classmethod
    def of(cls, output: bytes) -> Computer:
        """Raises: RunnerUnavailable for an answer that is none."""
        words, _line, variables = output.partition(b"\nvariables\n")
        told = pairs(words)
        try:
            return cls(
                root=told["root"][0],
                boot=told["boot"][0],
                hertz=int(told["hertz"][0]),
                page_bytes=int(told["page"][0]),
                programs=tuple(told.get("program", ())),
                environment=environment(variables),
            )
        except (KeyError, ValueError) as exc:
            raise RunnerUnavailable("it runs no scripts as Linux does: there must be sh, setsid and /proc") from exc


@dataclass(frozen=True)
class FoundRun:
    """What became of a run. ``runs`` None: that is about to be known. ``exit`` None: that is not known."""

    owner: str | None
    process: Known | None
    runs: bool | None
    exit: ServerExit | None
    is_of_earlier_boot: bool = False
    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str = ""

    @classmethod
    def of(cls, output: bytes) -> FoundRun:
        words, _line, said = output.partition(b"\nsaid ")
        told = pairs(words)
        state, ended = _first(told, "state"), _first(told, "exit")
        process = Known.of(told)
        sizes, _line, raw = said.partition(b"\n")
        argv_bytes = int(sizes.split()[0]) if sizes else 0
        return cls(
            owner=_first(told, "owner").partition(" ")[0] or None,
            process=process,
            runs=True if state == "up" else None if state else False,
            exit=exit_of(ended, _first(told, "rung")) if ended else None,
            is_of_earlier_boot=process is not None and not process.identity.endswith(_first(told, "boot")),
            argv=tuple(text(each) for each in raw[:argv_bytes].split(b"\0")[:-1]),
            environment=environment(raw[argv_bytes:]),
            address=_first(told, "address"),
        )


@dataclass(frozen=True)
class OtherRun:
    """A run whose process runs, whoever owns it. ``lease_s``: seconds since it was renewed, negative without any."""

    run: str
    process: Known
    rss_bytes: int
    lease_s: int
    owner: str
    label: str
    address: str
    record: ServerRecord


def other_runs(output: bytes, computer: Computer) -> list[OtherRun]:
    """Those whose records can be read. Raises: ValueError for what is no answer."""
    return [run for told in output.split(b"\0")[:-1] if (run := _other_run(told, computer)) is not None]


def _other_run(output: bytes, computer: Computer) -> OtherRun | None:
    told = pairs(output)
    process = Known.of(told)
    owner, _blank, label = _first(told, "owner").partition(" ")
    try:
        record = ServerRecord.from_json(_first(told, "record"))
    except (ConfigurationError, ValueError):
        return None
    if process is None:
        return None
    rss_bytes = int(_first(told, "pages")) * computer.page_bytes
    lease_s, address = int(_first(told, "lease")), _first(told, "address")
    return OtherRun(_first(told, "run"), process, rss_bytes, lease_s, owner, label, address, record)


def exit_of(code: str, rung: str) -> ServerExit:
    """The end of a run, from its exit status as a shell has it."""
    stopped_by = StopRung(rung) if rung in list(StopRung) else StopRung.NONE
    if not code.isdigit():
        return ServerExit(None, stopped_by)
    status = int(code)
    return ServerExit(_SIGNALLED - status if 0 < status - _SIGNALLED <= _LAST_SIGNAL else status, stopped_by)


def pairs(output: bytes) -> Mapping[str, Sequence[str]]:
    """The values behind each word at the beginning of a line."""
    told: dict[str, list[str]] = {}
    for line in text(output).split("\n"):
        word, _blank, value = line.partition(" ")
        told.setdefault(word, []).append(value)
    return told


def environment(variables: bytes) -> dict[str, str]:
    """Of a process, as the system tells it."""
    return dict(each.split("=", 1) for each in text(variables).split("\0") if "=" in each)


def text(told: bytes) -> str:
    """Names there are bytes, as they are here."""
    return told.decode("utf-8", "surrogateescape")


def _first(told: Mapping[str, Sequence[str]], word: str) -> str:
    return next(iter(told.get(word, ())), "")
