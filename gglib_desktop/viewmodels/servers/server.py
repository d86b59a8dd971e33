"""One server's panel: what it shows and what can be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.launch.options import BUILT_IN, MtpChoice, choice_names
from gglib_desktop.domain.launch.serving import lacks_template
from gglib_desktop.domain.servers.access import is_exposed
from gglib_desktop.domain.servers.effective import Difference, differences
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.remedies import Remedy, lower_context, remedies_for
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.states import (
    Crashed,
    Failed,
    Healthy,
    Loading,
    ServerState,
    Unresponsive,
    handle_of,
    is_live,
)
from gglib_desktop.services.launch.launcher import Launcher, RestartPlan
from gglib_desktop.services.servers.snapshot import Rejected, ServerSnapshot
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import AsyncCommand, reported
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.viewmodels.servers.log import LogViewModel

if TYPE_CHECKING:
    from gglib_desktop.domain.gguf.forecast import ByteRange


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
    ``other_engine``: a restart would use another engine. ``unlisted_flags``: extra arguments of a restart that its
    engine's help does not list.
    """

    title: str
    state: ServerState
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

    @property
    def handle(self) -> ProcessHandle | None:
        return handle_of(self.state)

    @property
    def is_live(self) -> bool:
        return is_live(self.state)

    @property
    def can_answer(self) -> bool:
        """The endpoint is worth copying: a process listens there."""
        return self.handle is not None

    @property
    def key_is_known(self) -> bool:
        """There is a key to be copied for clients."""
        return bool(self.asks_for_key) and self.can_answer and not self.refuses_us

    @property
    def running_since(self) -> float | None:
        return self.handle.started_at if self.handle and not isinstance(self.state, Loading) else None


class ServerViewModel(QObject):
    """Shows one server of the supervisor, and acts on it."""

    stateChanged = Signal(object)  # ServerPanelState
    canApplyChanged = Signal(bool)
    failed = Signal(object)  # GglibError

    def __init__(self, snapshot: ServerSnapshot, supervisor: Supervisor, launcher: Launcher, scope: TaskScope) -> None:
        super().__init__()
        self.id = snapshot.id
        self._snapshot = snapshot
        self._supervisor = supervisor
        self._launcher = launcher
        self._scope = scope
        self._closed: Rejected | None = None
        self._forecast: ByteRange | None = None
        self._forecast_for: ServerConfig | None = None
        self._plan = RestartPlan(BUILT_IN, BUILT_IN, BUILT_IN)
        # What was chosen in this form and is not in force; and the names of that which is not saved.
        self._typed: dict[str, Any] = {}
        self._unsaved: set[str] = set()
        self._state = self._panel_state(snapshot)
        self.log = LogViewModel(scope, supervisor.monitor.read_log, launcher.engines.dialect.level_of)
        self.log.show_log(snapshot.log_name)
        self.form = OptionFormViewModel(launcher, None, launcher.model_of(snapshot.config), draft=BUILT_IN)
        self.form.edited.connect(self._on_edited)
        self.stop = self._command(lambda: supervisor.stop(self.id), "stop")
        self.stop_trying = self._command(self._stop_trying, "stop trying")
        self.kill = self._command(lambda: supervisor.kill(self.id), "kill")
        self.restart = self.apply = self._command(self._restart, "restart")
        self.use_saved = self._command(self._use_saved, "use saved settings")
        self._reading = self._scope.start(self._read_plan(), name="launch options")
        self._compare_memory()

    @property
    def model_id(self) -> int:
        return self._snapshot.config.model_id

    @property
    def state(self) -> ServerPanelState:
        return self._state

    @property
    def api_key(self) -> str | None:
        """What clients must show, if it is known."""
        handle = self._state.handle
        return self._supervisor.monitor.api_key(handle) if handle is not None else None

    @property
    def can_apply(self) -> bool:
        """The form leads to another server than the one that runs, or nothing runs."""
        same = self._launcher.leads_to_same(self._snapshot.config, self.form.draft, self._plan.in_force)
        return not same or not self._state.is_live

    def show(self, snapshot: ServerSnapshot) -> None:
        """Takes the supervisor's news."""
        could_apply, config = self.can_apply, self._snapshot.config
        self._snapshot = snapshot
        self.log.show_log(snapshot.log_name)
        if snapshot.config != config:
            self.read_again()
        self._compare_memory()
        self._show_state()
        if self.can_apply != could_apply:
            self.canApplyChanged.emit(self.can_apply)

    def read_again(self) -> None:
        """Something else may be saved, or the library has been read and tells more of the model."""
        self._reading.cancel()
        self._reading = self._scope.start(self._read_plan(), name="launch options")

    def mend(self, remedy: Remedy) -> None:
        """Applies what a remedy changes, and starts again. Those that only show something are the view's."""
        config = self._troubled_config(self._snapshot)
        match remedy:
            case Remedy.TRY_AGAIN:
                self.restart.trigger()
                return
            case Remedy.DROP_FLAGS:
                self._typed.pop("extra_args", None)
                flag, capabilities = self._state.offending_flag, self._launcher.engines.capabilities
                left = (
                    self._launcher.engines.dialect.without_option(config.extra_args, flag, capabilities) if flag else ()
                )
                self._scope.start(reported(self._restart(extra_args=left), self.failed), name="drop flags")
                return
            case Remedy.USE_FREE_PORT:
                self.form.edit(port=None)
            case Remedy.TURN_MTP_OFF:
                self.form.edit(mtp=MtpChoice.OFF)
            case Remedy.LOWER_CONTEXT:
                facts = self._launcher.model_of(config).facts
                self.form.edit(context_size=lower_context(config, facts.context_length if facts else None))
            case _:
                return
        self.apply.trigger()

    def _compare_memory(self) -> None:
        """Once a server is ready, what was forecast stands beside what is measured."""
        config = self._snapshot.config
        if isinstance(self._snapshot.state, Healthy) and config != self._forecast_for:
            self._forecast, self._forecast_for = None, config
            self._scope.start(self._read_forecast(config), name="forecast")

    async def _read_forecast(self, config: ServerConfig) -> None:
        found = await self._launcher.forecast(config)
        if config == self._forecast_for:
            self._forecast = found
            self.show(self._snapshot)

    async def _stop_trying(self) -> None:
        self._supervisor.stop_trying(self.id)

    def close_rejected(self) -> None:
        """The message about what was applied last has been read."""
        self._closed = self._snapshot.rejected
        self.show(self._snapshot)

    def dismiss(self) -> None:
        self._supervisor.dismiss(self.id)

    def close(self) -> None:
        """Ends what runs for this panel alone."""
        self.log.set_shown(False)
        self._reading.cancel()

    def _panel_state(self, snapshot: ServerSnapshot) -> ServerPanelState:
        config, facts, rejected = snapshot.config, snapshot.facts, self._rejected(snapshot)
        handle = handle_of(snapshot.state)
        name = config.model_name if snapshot.number == 1 else f"{config.model_name} ({snapshot.number})"
        return ServerPanelState(
            title=name,
            state=snapshot.state,
            port=handle.port if handle else config.port,
            endpoint=snapshot.endpoint if handle else "",
            adopted=snapshot.adopted,
            command_line=snapshot.command_line,
            context_size=facts.context_size if facts else None,
            slots=facts.slots if facts else None,
            busy_slots=snapshot.busy_slots,
            rss_bytes=snapshot.rss_bytes,
            forecast=self._forecast if config == self._forecast_for else None,
            draft_tokens=config.spec_draft_n_max,
            min_probability=config.spec_draft_p_min,
            drafts=facts.drafts if facts else None,
            draft_types=facts.draft_types if facts else frozenset(),
            lacks_template=facts is not None and self._lacks_template(config),
            exposed=handle is not None and is_exposed(config),
            other_endpoints=snapshot.other_endpoints if handle else (),
            asks_for_key=facts.wants_key if facts else None,
            refuses_us=facts is not None and facts.refused,
            remedies=self._remedies(snapshot),
            differences=self._differences(snapshot),
            rejected=rejected.failure if rejected is not None else None,
            untouched=rejected is not None and rejected.untouched,
            offending_flag=self._offending_flag(snapshot),
            saved_changed=rejected is None and self._saved_changed(config),
            own_choices=tuple(name for name in choice_names() if name in self._plan.own - self._typed.keys()),
            other_engine=is_live(snapshot.state) and self._launcher.engines.differs_from(snapshot.command_line),
            unlisted_flags=self._launcher.engines.unlisted_flags(self._plan.options),
        )

    def _lacks_template(self, config: ServerConfig) -> bool:
        """Whether chats use a template of the engine's own."""
        settled = self._launcher.engines.dialect.settles_template(config)
        return not settled and lacks_template(self._launcher.model_of(config))

    def _saved_changed(self, config: ServerConfig) -> bool:
        """Beside what was chosen in the panel's own form, which shows that itself."""
        in_force = self._plan.in_force
        untyped = self._plan.options.with_values(**{name: in_force.get(name) for name in self._typed})
        return not self._launcher.leads_to_same(config, untyped, in_force)

    def _show_state(self) -> None:
        state = self._panel_state(self._snapshot)
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)

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
        engines, config = self._launcher.engines, self._troubled_config(snapshot)
        return engines.dialect.offending_flag(failure, config, engines.capabilities)

    def _troubled_config(self, snapshot: ServerSnapshot) -> ServerConfig:
        """The configuration that the failure on show is about."""
        rejected = self._rejected(snapshot)
        return rejected.config if rejected is not None else snapshot.config

    def _rejected(self, snapshot: ServerSnapshot) -> Rejected | None:
        """What was applied last and failed, while that is worth telling."""
        is_news = snapshot.rejected is not self._closed and is_live(snapshot.state)
        return snapshot.rejected if is_news else None

    async def _read_plan(self) -> None:
        """The form shows what the next restart uses. What was typed goes when it is in force, or saved anew elsewhere.

        After a return to the last good configuration it keeps what was typed, to be corrected.
        """
        self._plan = plan = await self._launcher.plan(self.id)
        self._typed = {
            name: value
            for name, value in self._typed.items()
            if plan.in_force.get(name) != value and (name in self._unsaved or plan.as_saved.get(name) == value)
        }
        self._unsaved &= self._typed.keys()
        self.form.load(plan.options.with_values(**self._typed), self._launcher.model_of(self._snapshot.config))
        self._show_state()
        self.canApplyChanged.emit(self.can_apply)

    async def _restart(self, **choices: Any) -> None:
        await self._launcher.restart(self.id, **self._typed | choices)

    async def _use_saved(self) -> None:
        self._typed, self._unsaved = {}, set()
        await self._launcher.restart(self.id, keep_own=False)

    def _on_edited(self, names: frozenset[str]) -> None:
        choices = {name: self.form.draft.get(name) for name in names}
        self._typed |= choices
        self._unsaved |= choices.keys()
        self._show_state()
        self.canApplyChanged.emit(self.can_apply)
        self._scope.start(self._save(choices), name="save launch options")

    async def _save(self, choices: dict[str, Any]) -> None:
        """The first server's form is the model's; of a further one's only what happens after a crash is."""
        if self._snapshot.number > 1:
            choices = {name: value for name, value in choices.items() if name == "restart"}
        try:
            if choices and await self._launcher.save_choices(self._snapshot.config, **choices):
                self._unsaved -= {name for name, value in choices.items() if self.form.draft.get(name) == value}
        except GglibError as exc:
            self.failed.emit(exc)

    def _command(self, action: Callable[[], Awaitable[object]], name: str) -> AsyncCommand:
        command = AsyncCommand(self._scope, action, name=f"{name} server {self.id}")
        command.setParent(self)
        command.failed.connect(self.failed)
        return command
