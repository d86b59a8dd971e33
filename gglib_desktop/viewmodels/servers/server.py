"""One server's panel: what it shows and what can be done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from PySide6.QtCore import Slot
from typing_extensions import override

from gglib_desktop.domain.endpoints.state import EndpointState
from gglib_desktop.domain.engine.capabilities import EngineSource
from gglib_desktop.domain.gguf.forecast import ByteRange
from gglib_desktop.domain.launch.serving import lacks_template
from gglib_desktop.domain.options.drafting import drafter_name, drafting_method, drafts_otherwise, takes_numbers
from gglib_desktop.domain.servers.access import is_exposed
from gglib_desktop.domain.servers.effective import Difference, differences
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.remedies import Remedy, remedies_for
from gglib_desktop.domain.servers.server import OWN_PLACE, OWN_PLACES, ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.split.workers import Worker
from gglib_desktop.domain.servers.states import (
    Crashed,
    Failed,
    Loading,
    ServerState,
    Stopped,
    Stopping,
    Unreachable,
    Unresponsive,
    handle_of,
    is_live,
)
from gglib_desktop.domain.traffic.figures import ServerFigures
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.servers.snapshot import Rejected, ServerSnapshot
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.log import LogViewModel
from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.requests import RequestsViewModel
from gglib_desktop.viewmodels.servers.server_options import MemoryForecast, ServerOptionsViewModel

if TYPE_CHECKING:
    from gglib_desktop.domain.traffic.chat import AskChat
    from gglib_desktop.viewmodels.servers.router.models import RoutedModelsViewModel


PanelState = ServerState | EndpointState


class Untold(StrEnum):
    """What some endpoints do not tell."""

    WORK = "what it does"
    CONTEXT = "its context"
    SLOTS = "its slots"
    WAIT = "how long requests wait for their first token"


@dataclass(frozen=True)
class ServerPanelState:
    """All that a panel shows. ``port`` is the process's, else the one asked for; times are unix seconds.

    ``exposed``: other computers reach it. ``asks_for_key`` None: not known yet. ``refuses_us``: it wants a key that is
    not known.
    ``rejected``: why what was applied did not start, while the server is on its way back to, or in, its last good
    configuration; ``untouched``: it was not even stopped.
    ``offending_flag``: the extra argument that the failure is about, if that is known.
    ``saved_changed``: a restart would use other saved choices than the server was started with. ``own_choices``: the
    names of those that were made for its start only, and that a restart keeps.
    ``takes_images`` None: not known. ``engine_page``: the URL of the engine's own page for browsers, if it has one.
    ``client_name``: the name of the model for clients.
    ``other_engine``: a restart would use another engine. ``unlisted_flags``: extra arguments of a restart that its
    engine's help does not list. ``can_apply``: the form leads to another server than the one that runs, or ran last.
    ``models``: the names of several, of which ``client_name`` is used. ``key_problem``: why its key cannot be read.
    ``untold``: what an endpoint or a router does not tell. ``is_router``: it has many models. ``workers``: by name.
    ``engine`` serves, in place of the usual one. ``gpu_layers``: as observed, else as asked for. ``ran_s``: how long a
    server that has ended was watched as running.
    ``place``: the name of where it runs, empty for this computer.
    """

    title: str
    state: PanelState
    port: int | None
    endpoint: str
    adopted: bool
    command_line: str
    context_size: int | None
    slots: int | None
    busy_slots: int | None
    rss_bytes: int | None
    forecast: ByteRange | None
    draft_tokens: int | None
    min_probability: float | None
    drafts: bool | None = None
    draft_types: frozenset[str] = frozenset()
    lacks_template: bool = False
    exposed: bool = False
    other_endpoints: tuple[str, ...] = ()
    asks_for_key: bool | None = None
    refuses_us: bool = False
    remedies: tuple[Remedy, ...] = ()
    differences: tuple[Difference, ...] = ()
    rejected: Failure | None = None
    untouched: bool = False
    offending_flag: str = ""
    saved_changed: bool = False
    own_choices: tuple[str, ...] = ()
    other_engine: bool = False
    unlisted_flags: tuple[str, ...] = ()
    can_apply: bool = False
    gpu_layers: int | None = None
    ran_s: float | None = None
    takes_images: bool | None = None
    engine_page: str = ""
    client_name: str = ""
    place: str = ""
    engine: str = ""
    models: tuple[str, ...] = ()
    key_problem: str = ""
    untold: frozenset[Untold] = frozenset()
    drafter: str = ""
    can_measure: bool = False
    is_router: bool = False
    workers: tuple[Worker, ...] = ()

    @property
    def handle(self) -> ProcessHandle | None:
        """Its process, as long as that can be reached."""
        return None if isinstance(self.state, EndpointState) else _reached(self.state)

    @property
    def is_attached(self) -> bool:
        """Somebody else runs it: it is watched and used, never started or stopped."""
        return isinstance(self.state, EndpointState)

    @property
    def is_live(self) -> bool:
        return isinstance(self.state, EndpointState) or is_live(self.state)

    @property
    def can_answer(self) -> bool:
        """The endpoint is worth copying: a process listens there, as far as is known."""
        return self.is_attached or self.handle is not None

    @property
    def key_is_known(self) -> bool:
        """There is a key to be copied for clients."""
        return bool(self.asks_for_key) and self.can_answer and not self.refuses_us

    @property
    def can_restart(self) -> bool:
        """A start, or a restart, may succeed now."""
        return not isinstance(self.state, Stopping | Unreachable)

    @property
    def running_requests(self) -> int:
        """How many a stop would cut off, as far as is known."""
        return (self.busy_slots or 0) if self.is_live else 0

    @property
    def running_since(self) -> float | None:
        return self.handle.started_at if self.handle and not isinstance(self.state, Loading) else None


def _reached(state: ServerState) -> ProcessHandle | None:
    return None if isinstance(state, Unreachable) else handle_of(state)


class ServerViewModel(PanelViewModel):
    """Shows one server of the supervisor, and acts on it. ``routed``: the models of a router."""

    routed: RoutedModelsViewModel | None = None

    def __init__(
        self,
        snapshot: ServerSnapshot,
        supervisor: Supervisor,
        launcher: Launcher,
        scope: TaskScope,
        *,
        requests: RequestsViewModel | None = None,
    ) -> None:
        """``requests``: the history of its requests; None where none is kept."""
        super().__init__(scope)
        self._snapshot = snapshot
        self._supervisor = supervisor
        self._launcher = launcher
        self._memory = MemoryForecast(launcher, scope)
        self._memory.found.connect(self._show_state)
        self.options = ServerOptionsViewModel(snapshot, launcher, scope)
        self.options.changed.connect(self._show_state)
        self.options.failed.connect(self.failed)
        self.requests = requests
        self.figures.stateChanged.connect(self._on_figures)
        engine = launcher.engines.choice(snapshot.config.engine)
        self.log = LogViewModel(scope, supervisor.monitor.read_log, engine.dialect.level_of)
        self.stop = self.command(lambda: supervisor.stop(self.id), f"stop server {self.id}")
        self.kill = self.command(lambda: supervisor.kill(self.id), f"kill server {self.id}")
        self._state = self._panel_state(snapshot)
        self.show(snapshot)

    @property
    @override
    def id(self) -> int:
        return self._snapshot.id

    @property
    @override
    def model_id(self) -> int:
        return self._snapshot.config.model_id

    @property
    def place_id(self) -> str:
        return self._snapshot.config.place

    @property
    @override
    def state(self) -> ServerPanelState:
        return self._state

    @property
    @override
    def api_key(self) -> str | None:
        handle = self._state.handle
        return self._supervisor.monitor.describe(handle).api_key if handle is not None else None

    @override
    def asked(self) -> AskChat | None:
        handle = self._state.handle
        return self._supervisor.monitor.chat(handle) if handle is not None else None

    def show(self, snapshot: ServerSnapshot) -> None:
        """Takes the supervisor's news."""
        self._snapshot = snapshot
        self.log.show_log(snapshot.log_name)
        if self.requests is not None:
            self.requests.show_run(snapshot.log_name)
        self.options.show(snapshot)
        self._memory.show(snapshot)
        self._show_state()

    def mend(self, remedy: Remedy) -> None:
        """Applies what a remedy changes, and starts again. Those that only show something are the view's."""
        self.options.mend(remedy, self._troubled_config(self._snapshot), self._state.offending_flag)

    @Slot()
    def stop_trying(self) -> None:
        """A crashed server that waits for its next start stays crashed."""
        self._supervisor.stop_trying(self.id)

    @Slot()
    def close_rejected(self) -> None:
        """The message about what was applied last has been read."""
        self.options.read_rejected = self._snapshot.rejected
        self._show_state()

    @Slot()
    def dismiss(self) -> None:
        self._supervisor.dismiss(self.id)

    def close(self) -> None:
        """Ends what runs for this panel alone."""
        self.log.set_shown(False)
        if self.requests is not None:
            self.requests.set_shown(False)
        self.options.close()

    def _completed(self, state: ServerPanelState) -> ServerPanelState:
        """With what only servers of its kind have."""
        return state

    def _panel_state(self, snapshot: ServerSnapshot) -> ServerPanelState:
        rejected = self._rejected(snapshot)
        return replace(
            self._as_it_runs(snapshot),
            remedies=self._remedies(snapshot),
            differences=self._differences(snapshot),
            rejected=rejected.failure if rejected is not None else None,
            untouched=rejected is not None and rejected.untouched,
            offending_flag=self._offending_flag(snapshot),
            saved_changed=rejected is None and self.options.saved_changed,
            can_apply=self.options.can_apply,
            own_choices=self.options.own_choices,
            other_engine=self._differs_from_engine(snapshot),
            unlisted_flags=self.options.unlisted_flags,
        )

    def _as_it_runs(self, snapshot: ServerSnapshot) -> ServerPanelState:
        config, facts = snapshot.config, snapshot.facts
        process, handle = handle_of(snapshot.state), _reached(snapshot.state)
        return ServerPanelState(
            title=config.model_name if snapshot.number == 1 else f"{config.model_name} ({snapshot.number})",
            state=snapshot.state,
            port=process.port if process else config.port,
            endpoint=snapshot.endpoint if handle else "",
            adopted=snapshot.adopted,
            command_line=snapshot.command_line,
            context_size=facts.context_size if facts else None,
            slots=facts.slots if facts else None,
            busy_slots=self.figures.state.busy_slots,
            rss_bytes=snapshot.rss_bytes,
            workers=tuple(replace(w, place=self._launcher.place_name(w.place) or w.place) for w in snapshot.workers),
            forecast=self._memory.of(config),
            draft_tokens=config.spec_draft_n_max if takes_numbers(drafting_method(config)) else None,
            min_probability=config.spec_draft_p_min,
            drafter=drafter_name(config),
            can_measure=self._can_measure(config),
            drafts=facts.drafts if facts else None,
            draft_types=facts.draft_types if facts else frozenset(),
            lacks_template=facts is not None and self._lacks_template(config),
            exposed=handle is not None and is_exposed(config),
            other_endpoints=snapshot.other_endpoints if handle else (),
            asks_for_key=facts.wants_key if facts else None,
            refuses_us=facts is not None and facts.refused,
            engine=self._launcher.engines.other(config.engine),
            gpu_layers=facts.gpu_layers if facts and facts.gpu_layers is not None else config.gpu_layers,
            takes_images=facts.takes_images if facts else None,
            client_name=(facts.alias if facts else None) or config.model_name,
            engine_page=urljoin(snapshot.endpoint, facts.page) if handle and facts and facts.page else "",
        )

    def _can_measure(self, config: ServerConfig) -> bool:
        """What drafting brings, on this computer and for a model that drafts."""
        engine = self._launcher.engines.current
        is_real = engine is not None and engine.source is not EngineSource.MOCK
        drafts = self._launcher.model_of(config).mtp_layers > 0 or drafts_otherwise(config)
        return is_real and drafts and config.place == OWN_PLACE and self.routed is None

    def _differs_from_engine(self, snapshot: ServerSnapshot) -> bool:
        """Only this computer's engines are known."""
        is_here, engines, config = snapshot.config.place in OWN_PLACES, self._launcher.engines, snapshot.config
        return is_here and is_live(snapshot.state) and engines.differs_from(snapshot.command_line, config.engine)

    def _ran_s(self, state: ServerState) -> float | None:
        """Compared with the state that was shown last."""
        if not isinstance(state, Stopped | Failed | Crashed):
            return None
        before = self._state
        handle = None if isinstance(before.state, EndpointState) else handle_of(before.state)
        return before.ran_s if handle is None else state.at - handle.started_at

    def _lacks_template(self, config: ServerConfig) -> bool:
        """Whether chats use a template of the engine's own."""
        settled = self._launcher.engines.choice(config.engine).dialect.settles_template(config)
        return lacks_template(self._launcher.model_of(config)) and not settled

    def _show_state(self) -> None:
        snapshot, place = self._snapshot, self._launcher.place_name(self.place_id)
        state = replace(self._panel_state(snapshot), ran_s=self._ran_s(snapshot.state), place=place)
        state = self._completed(state)
        if place and isinstance(state.state, Unreachable):
            state = replace(state, state=replace(state.state, place=place))
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)

    @Slot(object)
    def _on_figures(self, figures: ServerFigures) -> None:
        if figures.busy_slots != self._state.busy_slots:
            self._show_state()

    def _differences(self, snapshot: ServerSnapshot) -> tuple[Difference, ...]:
        """Where what runs is not what was asked for."""
        if snapshot.facts is None or not is_live(snapshot.state):
            return ()
        model = self._launcher.model_of(snapshot.config).facts
        return differences(snapshot.config, snapshot.facts, model.context_length if model else None)

    def _remedies(self, snapshot: ServerSnapshot) -> tuple[Remedy, ...]:
        if isinstance(snapshot.state, Failed | Crashed | Unresponsive):
            return remedies_for(snapshot.state.failure, snapshot.config)
        rejected = self._rejected(snapshot)
        if rejected is None:
            return ()
        # The others are about what runs now, which is well.
        offered = remedies_for(rejected.failure, rejected.config)
        return tuple(remedy for remedy in offered if remedy not in {Remedy.TRY_AGAIN, Remedy.SHOW_LOG})

    def _offending_flag(self, snapshot: ServerSnapshot) -> str:
        rejected, state = self._rejected(snapshot), snapshot.state
        failure = state.failure if isinstance(state, Failed | Crashed) else rejected.failure if rejected else None
        if failure is None:
            return ""
        config = self._troubled_config(snapshot)
        engine = self._launcher.engines.choice(config.engine)
        return engine.dialect.offending_flag(failure, config, engine.capabilities)

    def _troubled_config(self, snapshot: ServerSnapshot) -> ServerConfig:
        """The configuration that the failure on show is about."""
        rejected = self._rejected(snapshot)
        return rejected.config if rejected is not None else snapshot.config

    def _rejected(self, snapshot: ServerSnapshot) -> Rejected | None:
        """What was applied last and failed, while that is worth telling."""
        is_news = snapshot.rejected is not self.options.read_rejected and is_live(snapshot.state)
        return snapshot.rejected if is_news else None
