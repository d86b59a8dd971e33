"""`make chaos`: a seeded walk through everything that can happen to servers and to the program that watches them.

The seed decides what happens; how long each thing takes is the machine's. Ends with one line of counts, and with
status 1 unless all are 0.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from tests.chaos.app_process import NoAnswerError
from tests.chaos.oracle import KINDS, Claim, Difference, differences, without_app
from tests.chaos.steps import SETTLE_S, Steps
from tests.chaos.views import Usage
from tests.chaos.world import World, say

_POLL_S = 0.02
_HISTORY = 40
# After as many disagreements the rest would tell the same again.
_ENOUGH = 3


class Chaos:
    """One run: its steps, its history and its counts."""

    def __init__(self, world: World, seed: int, *, verbose: bool, patience: float = 1.0) -> None:
        self._world = world
        self._patience = patience
        self._verbose = verbose
        self._history: list[str] = []
        self._steps = Steps(world, random.Random(seed), self._note)
        self._least: Usage | None = None
        self._ports_seen: set[int] = set()
        self.counts: Counter[str] = Counter()
        self.misses = 0

    def run(self, steps: int) -> None:
        try:
            self._begin()
            for number in range(1, steps + 1):
                self._note(f"step {number}")
                self._settle(self._steps.take())
                if self.misses >= _ENOUGH:
                    self._note(f"given up after {number} steps")
                    break
            self._end()
        except NoAnswerError as exc:
            self._world.app.abort()
            self._miss([Difference("disagreements", f"the program: {exc}")])

    def _begin(self) -> None:
        """Starts the program and sees what it uses once every part of it has been used."""
        app = self._world.app
        app.start()
        fresh = app.view().usage
        (server_id,) = app.ask("start", config=self._world.config(0))
        self._wait(lambda: app.view().server(server_id).word == "Healthy")  # type: ignore[union-attr]
        app.ask("stop", server_id=server_id)
        self._wait(lambda: not app.view().live)
        # What ends with the server, its descriptors, does so within a turn or two of the loop.
        usages = [app.view().usage for _ in range(20)]
        fds, threads = (min(getattr(each, name) for each in usages) for name in ("fds", "threads"))
        self._least = replace(fresh, fds=fds, threads=threads)
        app.ask("dismiss", server_id=server_id)
        self._note(f"begun: {self._least}")

    def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SETTLE_S * self._patience
        while not condition():
            if time.monotonic() > deadline:
                raise NoAnswerError("the first server did not start and stop as it should")
            time.sleep(_POLL_S)

    def _settle(self, claims: list[Claim]) -> None:
        """Waits until the program and the system agree and the claims hold."""
        deadline = time.monotonic() + self._steps.limit_s * self._patience
        found = self._look(claims)
        while found and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            found = self._look(claims)
        if found:
            self._miss(found)

    def _look(self, claims: list[Claim]) -> list[Difference]:
        assert self._least is not None
        view, system = self._world.app.view(), self._world.system.view()
        self._ports_seen |= {server.port for server in view.live if server.port is not None}
        paused = self._world.paused_now(system.pids)
        found = differences(view, system, self._least, paused, self._world.system.answers)
        return found + [Difference("disagreements", text) for claim in claims if (text := claim(view))]

    def _miss(self, found: list[Difference]) -> None:
        """Counts and tells what did not come to agree."""
        self.misses += 1
        self._world.keep = True
        for difference in found:
            self.counts[difference.kind] += difference.count
        say("history:", *(f"  {line}" for line in self._history[-_HISTORY:]))
        say("differences:", *(f"  {difference}" for difference in found))
        if self._world.app.pid is not None:
            say(self._world.app.view())
        say(self._world.system.view())

    def _end(self) -> None:
        """Quits and looks whether anything is left."""
        self._note("stop all and quit")
        status = self._world.app.quit(stop=True)
        found = [Difference("disagreements", f"it ended with status {status}")] if status else []
        found += [Difference("disagreements", f"in its log: {line}") for line in self._world.app.troubles()]
        system = self._world.system.view()
        found += [Difference("orphans", f"pid {process.pid} ({process.run})") for process in system.servers]
        found += without_app(system)
        listening = [port for port in sorted(self._ports_seen) if self._world.system.is_listened_on(port)]
        found += [Difference("ports", f"something listens on {port}") for port in listening]
        if found:
            self._miss(found)

    def _note(self, line: str) -> None:
        self._history.append(line)
        if self._verbose:
            say(f"{time.strftime('%H:%M:%S')} {line}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--runner", choices=["local", "mock"], default="local")
    parser.add_argument("--verbose", action="store_true", help="tell each step")
    parser.add_argument("--patience", type=float, default=1.0, help="times longer to wait, on a busy machine")
    arguments = parser.parse_args()
    with World(arguments.runner) as world:
        chaos = Chaos(world, arguments.seed, verbose=arguments.verbose, patience=arguments.patience)
        chaos.run(arguments.steps)
    counts = " ".join(f"{kind}={chaos.counts[kind]}" for kind in KINDS)
    say(f"chaos: seed={arguments.seed} steps={arguments.steps} {counts}")
    return 1 if any(chaos.counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
