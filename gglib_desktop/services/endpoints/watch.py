"""The watch over one endpoint: it is looked at as servers are, and asked what it does if it tells."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from gglib_desktop.domain.endpoints.address import address_of
from gglib_desktop.domain.endpoints.look import NOT_NOW, EndpointLook, Trouble
from gglib_desktop.domain.endpoints.state import EndpointHealth, EndpointState
from gglib_desktop.domain.errors import ChatRefused, KeyRefused, KeyStoreError, NoSuchModel, RunnerUnavailable
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.traffic.chat import AskChat, ChatPiece, ChatRequest
from gglib_desktop.domain.traffic.figures import ServerFigures
from gglib_desktop.ports.machine.key_store import EndpointKeys
from gglib_desktop.ports.servers.endpoint_client import EndpointClient
from gglib_desktop.services.endpoints.snapshot import EndpointSnapshot
from gglib_desktop.services.endpoints.work import EndpointWork

_UNAUTHORIZED = "401"
_NEVER_LOOKED = EndpointLook(Trouble.SILENT)
_NOTHING = ServerFigures()
_NEVER_S = 3600.0
# For so long nothing else is believed than what it said to a chat.
_PUT_OFF_S = 30.0


@dataclass
class Watching:
    """What all watches have in common. ``visible``: the user looks."""

    client: EndpointClient
    keys: EndpointKeys
    tell: Callable[[EndpointSnapshot], None]
    visible: bool = True


@dataclass
class _Use:
    """What this program does with it. ``refused``: its last chat was, for want of a key.

    ``lacks``: the model that its last chat was refused for, whatever it lists. ``not_now``: with which number its last
    chat was put off, and when.
    """

    key_is_new: bool = True
    chosen: str | None = None
    answering: int = 0
    refused: bool = False
    lacks: str | None = None
    not_now: tuple[str, float] = ("", -math.inf)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def take_answer(self) -> None:
        self.refused, self.lacks, self.not_now = False, None, ("", -math.inf)

    def take_refusal(self, refused: ChatRefused, model: str) -> None:
        self.refused = isinstance(refused, KeyRefused)
        if isinstance(refused, NoSuchModel):
            self.lacks = model
        elif refused.status in NOT_NOW:
            self.not_now = str(refused.status), _now()


class EndpointWatch:
    """Looks at one endpoint until its task is cancelled. ``key`` is the one that it is shown."""

    def __init__(self, endpoint_id: str, number: int, name: str, url: str, watching: Watching) -> None:
        checking = EndpointState(EndpointHealth.CHECKING, time.time())
        self.snapshot = EndpointSnapshot(endpoint_id, number, name, url, checking)
        self.key: str | None = None
        self._watching = watching
        self._use = _Use()
        self._last_look = _NEVER_LOOKED
        self._work: EndpointWork | None = None

    async def watch(self) -> None:
        look_at = 0.0
        while True:
            self._use.woken.clear()
            if self._use.key_is_new:
                await self._read_key()
            began = _now()
            if began >= look_at:
                await self._look()
                look_at = self.snapshot.state.due_at(began, -self.snapshot.number, visible=self._watching.visible)
            await self._ask_about_work()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(look_at, self._work_due_at())):
                    await self._use.woken.wait()
                    look_at = 0.0

    def wake(self) -> None:
        """The user looks from now on, or has chosen something: the truth is shown at once."""
        if self._work is not None:
            self._work.wake()
        self._use.woken.set()

    def read_key(self) -> None:
        """It has another key from now on."""
        self._use.key_is_new = True
        self.wake()

    def rename(self, name: str) -> None:
        self._show(replace(self.snapshot, name=name))

    def choose(self, model: str) -> None:
        """Uses that model from now on."""
        self._use.chosen = model
        self._show(replace(self.snapshot, model=model))
        self.wake()

    @property
    def chat(self) -> AskChat:
        return self._ask

    # -- looking

    async def _read_key(self) -> None:
        self._use.key_is_new = self._use.refused = False
        self._last_look = _NEVER_LOOKED
        self.key, problem = None, ""
        try:
            self.key = await self._watching.keys.key(self.snapshot.id)
        except KeyStoreError as exc:
            problem = str(exc)
        self._show(replace(self.snapshot, has_key=self.key is not None, key_problem=problem))

    async def _look(self) -> None:
        url, before = self.snapshot.url, self._last_look
        look = self._last_look = await self._watching.client.look(url, self.key)
        is_unclear = self._is_refused or (look.is_known and self._work is None)
        if look.trouble is None and (look != before or is_unclear):
            await self._recognize(look)
        seen = look
        if look.trouble is None and (self._is_refused or self._use.refused):
            seen = replace(look, trouble=Trouble.KEY_WANTED if self.key is None else Trouble.KEY_REFUSED)
            seen = replace(seen, detail=_UNAUTHORIZED)
        elif look.trouble is None and _now() < self._use.not_now[1] + _PUT_OFF_S:
            seen = replace(look, trouble=Trouble.NOT_NOW, detail=self._use.not_now[0])
        models = look.models if look.trouble is None else self.snapshot.models
        model = self._use.chosen or next(iter(models), None)
        wanted = self._use.chosen
        if model is not None and model == self._use.lacks:
            wanted, seen = model, replace(seen, models=tuple(each for each in seen.models if each != model))
        state = self.snapshot.state.after(seen, time.time(), wanted=wanted, answers_us=self._use.answering > 0)
        self._show(replace(self.snapshot, state=state, models=models, model=model))

    async def _recognize(self, look: EndpointLook) -> None:
        """Another server may answer there by now."""
        known = await self._watching.client.recognize(self.snapshot.url, self.key, is_known=look.is_known)
        self._work = None if known is None else EndpointWork(known, self._address)

    @property
    def _is_refused(self) -> bool:
        return self._work is not None and self._work.facts.refused

    @property
    def _address(self) -> ServerAddress:
        return address_of(self.snapshot.url, self.key)

    # -- its work

    def _work_due_at(self) -> float:
        asks = self._watching.visible and self.snapshot.state.answers and self._work is not None
        return self._work.due_at if asks and self._work is not None and not self._is_refused else _now() + _NEVER_S

    async def _ask_about_work(self) -> None:
        if self._work is not None and _now() >= self._work_due_at():
            # Raised while the program ends.
            with suppress(RunnerUnavailable):
                await self._work.ask()
        work, figures = self._work, _NOTHING
        if work is not None and self.snapshot.state.answers:
            figures = work.figures()
        facts, told = (work.facts, work.told) if work is not None else (None, False)
        self._show(replace(self.snapshot, facts=facts, tells_work=told, figures=figures))

    # -- using it

    async def _ask(self, request: ChatRequest) -> AsyncGenerator[ChatPiece, None]:
        engine = self._work.engine.chat if self._work is not None else None
        ask = engine or self._watching.client.chat
        request = replace(request, model=self.snapshot.model or "")
        self._use.answering += 1
        self.wake()
        try:
            async with aclosing(ask(self._address, request)) as answer:
                async for piece in answer:
                    self._use.take_answer()
                    yield piece
        except ChatRefused as exc:
            self._use.take_refusal(exc, request.model)
            raise
        finally:
            self._use.answering -= 1
            self.wake()

    def _show(self, snapshot: EndpointSnapshot) -> None:
        if snapshot != self.snapshot:
            self.snapshot = snapshot
            self._watching.tell(snapshot)


def _now() -> float:
    return asyncio.get_running_loop().time()
