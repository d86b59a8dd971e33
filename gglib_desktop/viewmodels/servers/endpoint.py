"""One endpoint's panel: what it shows and what can be done."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal, Slot
from typing_extensions import override

from gglib_desktop.domain.endpoints.address import others_read_along, port_of
from gglib_desktop.domain.traffic.chat import AskChat
from gglib_desktop.services.endpoints.endpoints import Endpoints
from gglib_desktop.services.endpoints.snapshot import Detached, EndpointSnapshot
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState, Untold


class EndpointViewModel(PanelViewModel):
    """Shows one endpoint. Its id is negative, so that no server of ours has it."""

    detached = Signal(str, object)  # its name, and what attaches it again

    def __init__(self, snapshot: EndpointSnapshot, endpoints: Endpoints, scope: TaskScope) -> None:
        super().__init__(scope)
        self._number = snapshot.number
        self._endpoints = endpoints
        self._state = _panel_state(snapshot)
        self.detach = self.command(self._detach, f"detach endpoint {self._number}")

    @property
    @override
    def id(self) -> int:
        return -self._number

    @property
    @override
    def state(self) -> ServerPanelState:
        return self._state

    @property
    @override
    def api_key(self) -> str | None:
        return self._endpoints.key(self._number)

    @override
    def asked(self) -> AskChat | None:
        return self._endpoints.chat(self._number)

    @property
    def is_readable_by_others(self) -> bool:
        """What is sent there can be read on the way."""
        return others_read_along(self._state.endpoint)

    def show(self, snapshot: EndpointSnapshot) -> None:
        """Takes the news of its watch."""
        state = _panel_state(snapshot)
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)
        self.figures.show(snapshot.figures)

    async def _detach(self) -> None:
        title, detached = self._state.title, await self._endpoints.detach(self._number)
        if detached is not None:
            self.detached.emit(title, partial(self._bring_back, detached))

    def _bring_back(self, detached: Detached) -> None:
        self.run(self._endpoints.attach_again(detached), "attach an endpoint again")

    @Slot(str)
    @override
    def choose(self, model: str) -> None:
        if model != self._state.client_name:
            self._endpoints.choose(self._number, model)

    def close(self) -> None:
        """Ends an answer that nobody would see."""
        if "chat" in vars(self):
            self.chat.stop()

    def look(self) -> None:
        """The user looks at it."""
        self._endpoints.look(self._number)


def _panel_state(snapshot: EndpointSnapshot) -> ServerPanelState:
    facts = snapshot.facts
    return ServerPanelState(
        title=snapshot.name,
        state=snapshot.state,
        port=port_of(snapshot.url),
        endpoint=snapshot.url,
        adopted=False,
        command_line="",
        context_size=facts.context_size if facts is not None else None,
        slots=facts.slots if facts is not None else None,
        busy_slots=snapshot.figures.busy_slots,
        rss_bytes=None,
        forecast=None,
        draft_tokens=None,
        min_probability=None,
        drafts=facts.drafts if facts is not None else None,
        draft_types=facts.draft_types if facts is not None else frozenset(),
        asks_for_key=snapshot.has_key,
        takes_images=facts.takes_images if facts is not None else None,
        client_name=snapshot.model or "",
        models=snapshot.models,
        key_problem=snapshot.key_problem,
        untold=_untold(snapshot),
    )


def _untold(snapshot: EndpointSnapshot) -> frozenset[Untold]:
    """Of one that does not answer nothing is known, which is not the same."""
    if not snapshot.state.answers:
        return frozenset()
    facts = snapshot.facts
    untold = {
        Untold.WORK: not snapshot.tells_work,
        Untold.CONTEXT: facts is None or facts.context_size is None,
        Untold.SLOTS: facts is None or facts.slots is None,
        Untold.WAIT: True,
    }
    return frozenset(each for each, is_untold in untold.items() if is_untold)
