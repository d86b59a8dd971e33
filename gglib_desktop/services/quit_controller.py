"""When the program ends, and what happens to the servers then."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from gglib_desktop.domain.documents.settings import AppSettings, OnQuit
from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.servers.server import OWN_PLACES
from gglib_desktop.domain.servers.states import Ended
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
# The whole end has a limit too, which is not much longer.
_ELSEWHERE_S = 10.0

# Asks the user what to do with this many servers (None: do not quit), and whether to remember the answer.
AskPerson = Callable[[int], Awaitable[tuple[OnQuit | None, bool]]]


class QuitController:
    """Collects wishes to quit (the user closes the window) and orders (a signal, the end of the session)."""

    def __init__(
        self, settings: SettingsKeeper, running: Callable[[], Awaitable[int]], ask: AskPerson, scope: TaskScope
    ) -> None:
        self._settings = settings
        self._running = running
        self._ask = ask
        self._scope = scope
        self._wished = asyncio.Event()
        self._ordered = asyncio.Event()
        self._decision: OnQuit | None = None

    def wish(self) -> None:
        """The user wants to quit. If servers are running, the user is asked and may decide otherwise."""
        self._wished.set()

    def order(self) -> None:
        """The user cannot be asked: "ask" counts as "stop all"."""
        self._ordered.set()

    @property
    def is_ordered(self) -> bool:
        """Nothing is worth waiting for any more."""
        return self._ordered.is_set()

    @property
    def decision(self) -> OnQuit:
        """The decision, or what an order to quit would decide now."""
        if self._decision is not None:
            return self._decision
        setting = self._settings.current.on_quit
        return OnQuit.STOP_ALL if setting is OnQuit.ASK else setting

    async def decided(self) -> OnQuit:
        """Returns when the program is to end: stop all servers, or leave them running."""
        self._decision = await self._decide()
        return self._decision

    async def _decide(self) -> OnQuit:
        order = self._scope.start(self._ordered.wait(), name="order to quit")
        while True:
            wish = self._scope.start(self._answer_wish(), name="wish to quit")
            await asyncio.wait({order, wish}, return_when=asyncio.FIRST_COMPLETED)
            if order.done():
                wish.cancel()
                return self.decision
            if (answer := wish.result()) is not None:
                order.cancel()
                return answer

    async def _answer_wish(self) -> OnQuit | None:
        await self._wished.wait()
        self._wished.clear()
        running, setting = await self._running(), self._settings.current.on_quit
        if running == 0:
            return OnQuit.STOP_ALL
        if setting is not OnQuit.ASK:
            return setting
        choice, remember = await self._ask(running)
        if choice is not None and remember:
            try:
                await self._settings.change(on_quit=choice)
            except GglibError as exc:
                # Quitting matters more than remembering how.
                _log.warning("%s", exc)
        return choice


async def stop_servers(supervisor: Supervisor, settings: AppSettings, on_quit: OnQuit) -> None:
    """Ends the servers that quitting ends, at all places at once. None elsewhere is waited for longer than 10 s."""

    def is_stopped_at(place: str) -> bool:
        return settings.stops_servers_at(place, on_quit)

    async def stop_elsewhere() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ELSEWHERE_S):
                await supervisor.stop_all(lambda place: place not in OWN_PLACES and is_stopped_at(place))

    here = supervisor.stop_all(lambda place: place in OWN_PLACES and is_stopped_at(place))
    await asyncio.gather(here, stop_elsewhere())
    for server in supervisor.servers:
        if is_stopped_at(server.config.place) and not isinstance(server.state, Ended):
            _log.warning("could not stop %s at %s", server.config.model_name, server.config.place)
