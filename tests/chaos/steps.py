"""The things that can happen, each as one step that says what should come of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection

from tests.chaos.app import STOP_GRACE_S
from tests.chaos.oracle import Claim, becomes, pid_becomes, shows_pids
from tests.chaos.views import AppView, ShownServer
from tests.chaos.world import MODELS, World

CAP = 5
SETTLE_S = 15.0
# The engine alone would hang for ever, or for about 14 s; this is the grace and 2 s, and as much for a busy machine.
_STOP_S = 2 * (STOP_GRACE_S + 2.0)
# An end is to be shown within 100 ms; the rest is for the looking, and for a busy machine.
_CRASH_S = 2.0
_LONGEST_PAUSE_S = 45.0

Step = Callable[[], list[Claim]]


class Steps:
    """Takes one random step at a time. ``look`` gives a fresh view; claims speak of what is to be seen afterwards."""

    def __init__(self, world: World, chance: random.Random, tell: Callable[[str], None]) -> None:
        self._world = world
        self._app = world.app
        self._chance = chance
        self._tell = tell
        # How long what a step leads to may take.
        self.limit_s = SETTLE_S
        self._weights: dict[Step, float] = {
            self.start: 10,
            self.start_another: 8,
            self.two_clicks: 4,
            self.bad_flag: 4,
            self.truncated_model: 4,
            self.port_of_a_stranger: 4,
            self.port_of_ours: 2,
            self.cancel: 12,
            self.stop: 6,
            self.stop_generating: 5,
            self.generate: 3,
            self.restart: 6,
            self.kill_now: 4,
            self.crash: 6,
            self.pause: 5,
            self.go_on: 6,
            self.long_pause: 0.7,
            self.dismiss: 4,
            self.stop_all: 5,
            self.kill_app: 4,
            self.kill_app_at_start: 4,
            self.kill_app_and_server: 3,
            self.quit_and_leave: 3,
            self.quit_and_stop: 2,
            self.burst: 14,
        }
        self._mixed: list[Step] = [
            self.start,
            self.start_another,
            self.two_clicks,
            self.bad_flag,
            self.truncated_model,
            self.cancel,
            self.stop,
            self.restart,
            self.kill_now,
            self.crash,
            self.stop_all,
            self.dismiss,
        ]

    def take(self) -> list[Claim]:
        self.limit_s = SETTLE_S
        self._end_old_pauses()
        hanging = next((s for s in self._app.view().live if s.word == "Unresponsive" and not self._is_paused(s)), None)
        if hanging is not None:
            return self._stop(hanging)
        (step,) = self._chance.choices(list(self._weights), list(self._weights.values()))
        return step()

    # -- starting

    def start(self) -> list[Claim]:
        model = self._chance.randrange(MODELS)
        return self._start("start", self._world.config(model))

    def start_another(self) -> list[Claim]:
        return self._start("start another", self._world.config(self._chance.randrange(MODELS)), another=True)

    def two_clicks(self) -> list[Claim]:
        return self._start("two clicks on start", self._world.config(self._chance.randrange(MODELS)), clicks=2)

    def bad_flag(self) -> list[Claim]:
        config = self._world.config(self._chance.randrange(MODELS), extra_args=["--no-such-flag"])
        return self._start("start with a bad flag", config, another=True, causes=["unknown flag"])

    def truncated_model(self) -> list[Claim]:
        config = self._world.config(self._chance.randrange(MODELS), model_path=self._world.truncated)
        # b10434 ends without having written its log in 2 of 100 cases when the machine is busy.
        return self._start(
            "start a truncated model", config, another=True, causes=["model corrupt", "model unreadable", "unknown"]
        )

    def port_of_a_stranger(self) -> list[Claim]:
        port = self._world.stranger.getsockname()[1]
        config = self._world.config(self._chance.randrange(MODELS), port=port)
        return self._start("start on a stranger's port", config, another=True, causes=["port taken"])

    def port_of_ours(self) -> list[Claim]:
        server = self._some_live()
        if server is None:
            return self.start()
        config = self._world.config(self._chance.randrange(MODELS), port=server.port)
        return self._start(f"start on the port of #{server.id}", config, another=True, causes=["port taken"])

    def _start(
        self,
        name: str,
        config: dict[str, object],
        *,
        another: bool = False,
        clicks: int = 1,
        causes: Collection[str] = (),
    ) -> list[Claim]:
        view = self._app.view()
        if len(view.live) >= CAP:
            return self.stop()
        self._tell(f"{name}: model {config['model_id']}")
        ids = self._app.ask("start", config=config, another=another, clicks=clicks)
        if len(set(ids)) > 1:
            return [lambda _app: f"{clicks} clicks started {ids}"]
        before = view.server(ids[0])
        if before is not None and before.is_live:
            return [shows_pids({server.pid for server in view.live if server.pid is not None})]
        return [becomes(ids[0], "Failed", causes=causes) if causes else becomes(ids[0], "Healthy")]

    def cancel(self) -> list[Claim]:
        if len(self._app.view().live) >= CAP:
            return self.stop()
        model = self._chance.randrange(MODELS)
        after_s = self._chance.choice((0.0, 0.003, self._chance.uniform(0, 0.03), self._chance.uniform(0, 0.2)))
        self._tell(f"start model {model} and cancel after {after_s * 1000:.1f} ms")
        server_id = self._app.ask("cancel", config=self._world.config(model), after_s=after_s)
        time.sleep(after_s)
        return [becomes(server_id, "Stopped")]

    # -- ending

    def stop(self) -> list[Claim]:
        server = self._some_live()
        return self._stop(server) if server is not None else self.start()

    def _stop(self, server: ShownServer) -> list[Claim]:
        self._tell(f"stop {server}")
        self._app.ask("stop", server_id=server.id)
        self.limit_s = _STOP_S
        return [becomes(server.id, "Stopped")]

    def kill_now(self) -> list[Claim]:
        server = self._some_live()
        if server is None:
            return self.start()
        self._tell(f"kill {server}")
        self._app.ask("kill", server_id=server.id)
        return [becomes(server.id, "Stopped")]

    def restart(self) -> list[Claim]:
        server = self._some_live() if self._chance.random() < 0.8 else self._some(live=False)
        if server is None:
            return self.start()
        self._tell(f"restart {server}")
        self._app.ask("restart", server_id=server.id)
        # One that failed will fail again; a port that it took may be another program's.
        words = ("Healthy",) if server.is_live else ("Healthy", "Failed")
        return [becomes(server.id, *words, not_pid=server.pid if server.is_live else -1)]

    def generate(self) -> list[Claim]:
        server = self._some_awake()
        if server is None or server.pid is None or server.port is None:
            return self.start()
        self._world.hang_up(keep=[server.pid])
        self._tell(f"generate: {server}: {self._world.talk(server.pid, server.port)}")
        return []

    def stop_generating(self) -> list[Claim]:
        server = self._some_awake()
        if server is None or server.pid is None or server.port is None:
            return self.start()
        talks = self._world.talk(server.pid, server.port)
        self._tell(f"stop while it generates ({talks}): {server}")
        self._app.ask("stop", server_id=server.id)
        self.limit_s = _STOP_S
        return [becomes(server.id, "Stopped")]

    def stop_all(self) -> list[Claim]:
        self._tell("stop all")
        self._app.ask("stop_all")
        self.limit_s = _STOP_S
        return [shows_pids([])]

    def dismiss(self) -> list[Claim]:
        server = self._some(live=False)
        if server is None:
            return self.start()
        self._tell(f"dismiss {server}")
        self._app.ask("dismiss", server_id=server.id)
        return [lambda app: "it is still shown" if app.server(server.id) else ""]

    # -- behind its back

    def crash(self) -> list[Claim]:
        server = self._some_live()
        if server is None:
            return self.start()
        self._tell(f"kill -9 {server}")
        self._world.system.crash(server)
        self.limit_s = _CRASH_S
        # A paused one that was adopted was not seen ready.
        return [becomes(server.id, "Crashed", *(("Failed",) if server.word == "Loading" else ()))]

    def pause(self) -> list[Claim]:
        server = self._some_awake()
        if server is None:
            return self.start()
        self._tell(f"pause {server}")
        self._pause(server)
        return []

    def long_pause(self) -> list[Claim]:
        server = self._some_awake()
        if server is None:
            return self.start()
        kill_app = self._chance.random() < 0.4 and not self._world.system.forgets_pauses
        self._tell(f"pause until it shows{', killing the program' if kill_app else ''}: {server}")
        self._pause(server)
        return [*(self._kill_app() if kill_app else []), pid_becomes(server.pid, "Unresponsive")]

    def go_on(self) -> list[Claim]:
        server = next(filter(self._is_paused, self._app.view().live), None)
        if server is None:
            return self.start()
        self._tell(f"let go on: {server}")
        self._thaw(server)
        return [becomes(server.id, "Healthy", "Busy")]

    def _pause(self, server: ShownServer) -> None:
        assert server.pid is not None
        self._world.note_pause(server.pid)
        self._world.system.freeze(server)

    def _thaw(self, server: ShownServer) -> None:
        assert server.pid is not None
        self._world.system.thaw(server)
        self._world.paused.pop(server.pid, None)

    def _is_paused(self, server: ShownServer) -> bool:
        return server.pid in self._world.paused

    def _end_old_pauses(self) -> None:
        long_ago = time.monotonic() - _LONGEST_PAUSE_S
        if any(since < long_ago for since in self._world.paused.values()):
            for server in filter(self._is_paused, self._app.view().live):
                self._tell(f"let go on: {server}")
                self._thaw(server)

    # -- the program itself

    def kill_app(self) -> list[Claim]:
        self._tell("kill -9 the program, start it again")
        return self._kill_app()

    def _kill_app(self) -> list[Claim]:
        before = self._world.system.view().pids
        self._app.kill()
        return self._again(before)

    def kill_app_at_start(self) -> list[Claim]:
        """Between the moments in which a server is written down, exists, and is written down with its pid."""
        if len(self._app.view().live) < CAP:
            after_s = self._chance.uniform(0, 0.015)
            self._tell(f"start another, and kill -9 the program {after_s * 1000:.1f} ms later")
            config = self._world.config(self._chance.randrange(MODELS))
            self._app.ask("start", config=config, another=True)
            time.sleep(after_s)
        self._app.kill()
        self._world.app_ended()
        self._app.start()
        return []

    def kill_app_and_server(self) -> list[Claim]:
        """One that ended unwatched is not shown, and the others are."""
        server = self._some_awake()
        if server is None or server.pid is None or self._world.runner == "mock":
            return self.kill_app()
        self._tell(f"kill -9 the program and {server}, start it again")
        before = self._world.system.view().pids
        self._app.kill()
        self._world.system.crash(server)
        deadline = time.monotonic() + SETTLE_S
        while server.pid in self._world.system.view().pids and time.monotonic() < deadline:
            time.sleep(0.005)
        return self._again(before - {server.pid})

    def quit_and_leave(self) -> list[Claim]:
        self._tell("quit, leave servers running, start again")
        before = self._world.system.view().pids
        return self._quit(stop=False) or self._again(before)

    def quit_and_stop(self) -> list[Claim]:
        self._tell("stop all and quit, start again")
        return self._quit(stop=True) or self._again(frozenset())

    def _quit(self, *, stop: bool) -> list[Claim]:
        status = self._app.quit(stop=stop)
        return [lambda _app: f"it ended with status {status}"] if status else []

    def _again(self, expected: frozenset[int]) -> list[Claim]:
        self._world.app_ended()
        runs = self._world.system.view().pids
        self._app.start()
        claims = [shows_pids(expected)]
        return claims if runs == expected else [*claims, lambda _app: f"{runs} ran on, not {expected}"]

    # -- all at once

    def burst(self) -> list[Claim]:
        """Several things without waiting for any to come to its end."""
        self._tell("burst:")
        actions = self._chance.choices(
            self._mixed,
            k=self._chance.randint(2, 5),
        )
        for action in actions:
            action()
            self.limit_s = SETTLE_S
            time.sleep(self._chance.choice((0.0, self._chance.uniform(0, 0.03), self._chance.uniform(0, 0.15))))
        ending = self._chance.random()
        if ending < 0.25:
            self._tell("… kill -9 the program, start it again")
            self._app.kill()
            self._world.app_ended()
            self._app.start()
        elif ending < 0.4:
            self._tell("… quit, leave servers running, start again")
            claims = self._quit(stop=False)
            self._world.app_ended()
            self._app.start()
            return claims
        return []

    # -- choosing

    def _some(self, *, live: bool, view: AppView | None = None) -> ShownServer | None:
        found = [server for server in (view or self._app.view()).servers if server.is_live == live]
        return self._chance.choice(found) if found else None

    def _some_live(self) -> ShownServer | None:
        return self._some(live=True)

    def _some_awake(self) -> ShownServer | None:
        found = [s for s in self._app.view().live if s.pid is not None and s.pid not in self._world.paused]
        return self._chance.choice(found) if found else None
