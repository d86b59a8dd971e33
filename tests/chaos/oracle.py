"""Compares what the program shows with what the system has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from tests.chaos.views import PAUSED, STEADY, AppView, ShownServer, SystemView, Usage

KINDS = ("orphans", "zombies", "fds", "ports", "threads", "tasks", "disagreements")
# For one live server: its life, the wait for its exit, and a question with what that itself starts.
_TASKS_PER_SERVER = 5


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be. ``kind`` is one of KINDS."""

    kind: str
    text: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


# What a step should lead to: gives a complaint while it has not, else nothing.
Claim = Callable[[AppView], str]


def becomes(server_id: int, *words: str, causes: Collection[str] = (), not_pid: int | None = None) -> Claim:
    """A server comes to be called by one of ``words``; ``not_pid``: and is another process than that."""

    def check(app: AppView) -> str:
        server = app.server(server_id)
        if server is None:
            return f"#{server_id} is gone, not {'/'.join(words)}"
        if server.word not in words:
            return f"{server} is not {'/'.join(words)}"
        if causes and server.cause not in causes:
            return f"{server} has another cause than {' or '.join(causes)}"
        return f"{server} is the same process still" if not_pid is not None and server.pid == not_pid else ""

    return check


def pid_becomes(pid: int | None, word: str) -> Claim:
    """A process comes to be called so, whichever panel it is in."""

    def check(app: AppView) -> str:
        shown = [str(server) for server in app.live if server.pid == pid]
        return "" if any(server.pid == pid and server.word == word for server in app.live) else f"{shown} not {word}"

    return check


def shows_pids(pids: Collection[int]) -> Claim:
    def check(app: AppView) -> str:
        shown = {server.pid for server in app.live}
        return "" if shown == set(pids) else f"shows {sorted(map(str, shown))}, not {sorted(pids)}"

    return check


def differences(
    app: AppView, system: SystemView, least: Usage, paused: Collection[int], answers: Callable[[int], bool]
) -> list[Difference]:
    """All that is wrong now, or not settled yet. ``least``: what the program uses with no server."""
    found = [
        *_of_servers(app, system, paused),
        *_of_traces(system),
        *_of_usage(app, least),
        *(Difference("disagreements", f"bug: {bug}") for bug in app.bugs),
    ]
    if not found:
        # Asking costs, so last.
        found += [
            Difference("disagreements", f"{server} does not answer")
            for server in app.live
            if server.word == "Healthy" and server.pid not in paused and not answers(server.port or 0)
        ]
    return found


def without_app(system: SystemView) -> list[Difference]:
    """What is wrong while no program runs."""
    return list(_of_traces(system))


def _of_servers(app: AppView, system: SystemView, paused: Collection[int]) -> Iterator[Difference]:
    shown = {server.pid: server for server in app.live}
    if len(shown) != len(app.live):
        yield Difference("disagreements", "two panels show one process")
    for process in system.servers:
        server = shown.pop(process.pid, None)
        if server is None:
            yield Difference("orphans", f"pid {process.pid} ({process.run}) runs and is not shown")
            continue
        if server.adopted and not process.ports:
            # The program was killed between the signals that end a generating server: this one hangs for ever.
            if server.word != "Unresponsive":
                yield Difference("disagreements", f"{server} listens no more")
            continue
        yield from _of_word(server, is_paused=process.pid in paused)
        if process.ports != {server.port}:
            yield Difference("disagreements", f"{server}: the process listens on {sorted(process.ports)}")
        if process.run != server.run:
            yield Difference("disagreements", f"{server}: the process belongs to {process.run}")
    for server in shown.values():
        yield Difference("disagreements", f"{server} is shown and does not run")


def _of_word(server: ShownServer, *, is_paused: bool) -> Iterator[Difference]:
    # A paused one that was just adopted is not known to have been ready.
    allowed = PAUSED | ({"Loading"} if server.adopted else set()) if is_paused else STEADY
    if server.word not in allowed:
        yield Difference("disagreements", f"{server} is {'paused' if is_paused else 'alive and undisturbed'}")


def _of_traces(system: SystemView) -> Iterator[Difference]:
    runs = {process.run for process in system.servers}
    if runs != system.records:
        yield Difference("disagreements", f"records {sorted(system.records)} for the servers {sorted(runs)}")
    for name in system.others:
        yield Difference("disagreements", f"the file {name} was left")
    for stray in system.strays:
        yield Difference("orphans", f"no server, but alive: {stray}")
    if system.zombies:
        yield Difference("zombies", f"pids {system.zombies}", len(system.zombies))


def _of_usage(app: AppView, least: Usage) -> Iterator[Difference]:
    now, live = app.usage, len(app.live)
    limits = (
        ("fds", now.fds, least.fds + live),  # a pidfd for each
        ("fds", now.sockets, least.sockets + live),  # a kept connection to each
        ("threads", now.threads, least.threads),
        ("tasks", now.tasks, least.tasks + _TASKS_PER_SERVER * live),
    )
    for kind, count, limit in limits:
        if count > limit:
            names = f": {app.task_names}" if kind == "tasks" else ""
            yield Difference(kind, f"{count} instead of {limit} with {live} servers{names}", count - limit)
    if now.reserved:
        yield Difference("ports", f"still reserved: {now.reserved}", len(now.reserved))
