"""One server: its present run, and what follows it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from gglib_desktop.domain.errors import ProcessError, RunnerUnavailable
from gglib_desktop.domain.servers.restart import next_retry
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.states import (
    Crashed,
    Failed,
    Starting,
    Stopping,
    Unreachable,
    Unresponsive,
    handle_of,
    is_live,
)
from gglib_desktop.services.servers.failure_diagnosis import failure_at_once
from gglib_desktop.services.servers.run import ServerRun
from gglib_desktop.services.servers.snapshot import Rejected, ServerChanged, ServerContext, ServerSnapshot


@dataclass(frozen=True)
class _Next:
    """What is started once the present run has ended."""

    config: ServerConfig
    on_trial: bool


class Server:
    """Starts runs one after the other: on request, again after a crash, and back to the last healthy configuration."""

    def __init__(self, snapshot: ServerSnapshot, context: ServerContext) -> None:
        self._context = context
        self._run = ServerRun(snapshot, context)
        self._life: asyncio.Task[None] | None = None
        self._next: _Next | None = None
        # The last healthy configuration, and whether to return to it if this run fails.
        self._last_good: ServerConfig | None = None
        self._on_trial = False
        self._tries = 0

    @property
    def snapshot(self) -> ServerSnapshot:
        return self._run.snapshot

    @property
    def is_live(self) -> bool:
        return is_live(self.snapshot.state)

    @property
    def names(self) -> tuple[str, ...]:
        """By which clients call it, as far as its command line shows them."""
        return self._context.monitor.names_said(self.snapshot.config, self.snapshot.command_line)

    def follow(self, handle: ProcessHandle) -> None:
        """Watches a process that another run of the program, or another program, started."""
        self._context.events.emit(ServerChanged(self.snapshot))
        self._live_on(handle)

    def show_end(self, state: Crashed) -> None:
        """Of one that ended while it was not watched."""
        self._run.show(replace(self.snapshot, state=state))

    def show_reason(self, reason: str) -> None:
        """Why its place cannot be reached."""
        if isinstance(state := self.snapshot.state, Unreachable):
            self._run.show(replace(self.snapshot, state=replace(state, reason=reason)))

    def begin(self, config: ServerConfig) -> None:
        """Starts it, unless it lives. This replaces a pending retry."""
        self._tries = 0
        self.end_waiting()
        self._begin(config)

    def restart(self, config: ServerConfig, *, on_trial: bool = False) -> None:
        """Stops it if it lives, and starts it with ``config``. ``on_trial``: if that fails, as when last healthy."""
        if self.is_live:
            self._next = _Next(config, on_trial)
            self._run.ask_to_stop()
        elif not isinstance(self.snapshot.state, Unreachable):  # which may run, so it would be a second one
            self.begin(config)

    async def refuses(self, config: ServerConfig) -> bool:
        """Whether a start with ``config`` is known to fail; the snapshot then says why."""
        state = self.snapshot.state
        handle = handle_of(state)
        if handle is None or isinstance(state, Stopping | Unresponsive | Unreachable):
            return False
        try:
            await self._context.monitor.check(config, instead_of=handle)
        except ProcessError as exc:
            if self.is_live:
                failure = failure_at_once(self._context.monitor.diagnose_for(config), exc)
                rejected = Rejected(config, failure, untouched=True)
                self._run.show(replace(self.snapshot, rejected=rejected))
                return True
        return False

    async def stop(self) -> None:
        """Returns when it has ended and will not start again automatically. Raises: StopFailed, RunnerUnavailable."""
        if isinstance(state := self.snapshot.state, Unreachable):
            raise RunnerUnavailable(f"{state.place} cannot be reached")
        self._next = None
        self.stop_trying()
        if self._life is None or not self.is_live:
            return
        stop = self._run.ask_to_stop()
        await asyncio.wait({self._life, stop}, return_when=asyncio.FIRST_EXCEPTION)
        if stop.done() and not stop.cancelled():
            stop.result()

    async def kill(self) -> None:
        """Ends it without grace. Raises: StopFailed."""
        self._next = None
        await self._run.kill()

    def stop_trying(self) -> None:
        """A server that has ended and waits for its next start, or for the decision about one, stays as it is."""
        self._on_trial = False
        state = self.snapshot.state
        if isinstance(state, Crashed):
            self.end_waiting()
            self._run.show(replace(self.snapshot, state=replace(state, retry=None)))

    def end_waiting(self) -> None:
        """Nothing follows the run that has ended, and there is no more news of it."""
        if self._life is not None and not self.is_live:
            self._life.cancel()

    def _begin(self, config: ServerConfig, *, on_trial: bool = False, rejected: Rejected | None = None) -> None:
        former, old = self._run, self.snapshot
        if former.ready_at is not None:
            self._last_good = old.config
        state = Starting(time.time())
        snapshot = ServerSnapshot(old.id, old.number, config, state, log_name=old.log_name, rejected=rejected)
        self._run = ServerRun(snapshot, self._context, former_line=old.command_line or former.former_line)
        self._on_trial = on_trial
        self._context.events.emit(ServerChanged(snapshot))
        self._live_on()

    def _live_on(self, adopted: ProcessHandle | None = None) -> None:
        self._life = self._context.scope.start(self._live(adopted), name=f"server {self.snapshot.id}")
        self._life.add_done_callback(self._on_life_over)

    def _on_life_over(self, life: asyncio.Task[None]) -> None:
        error = None if life.cancelled() else life.exception()
        if life is self._life and error is not None and self.is_live:
            self._run.lose_sight(error)

    async def _live(self, adopted: ProcessHandle | None) -> None:
        run = self._run
        await run.live(adopted)
        following, self._next = self._next, None
        state = run.snapshot.state
        if following is not None and not run.survived:
            self._tries = 0
            self._begin(following.config, on_trial=following.on_trial)
        elif isinstance(state, Failed) and self._on_trial and self._last_good not in {None, run.snapshot.config}:
            self._begin(self._last_good, rejected=Rejected(run.snapshot.config, state.failure))
        elif isinstance(state, Crashed):
            await self._try_again(run, state)

    async def _try_again(self, run: ServerRun, crashed: Crashed) -> None:
        """Starts it once more if its model's policy says so. ``end_waiting`` cancels this."""
        policy = await self._context.restart_policy(run.snapshot.config.model_id)
        ready_s = crashed.at - run.ready_at if run.ready_at is not None else 0.0
        retry = next_retry(policy, crashed.failure, tries=self._tries, ready_s=ready_s, now=crashed.at)
        if retry is None:
            return
        run.show(replace(run.snapshot, state=replace(crashed, retry=retry)))
        await asyncio.sleep(max(0.0, retry.at - time.time()))
        self._tries = retry.number
        self._begin(run.snapshot.config, rejected=run.snapshot.rejected)
