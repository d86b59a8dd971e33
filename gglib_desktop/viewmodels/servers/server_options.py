"""The options of one server: those in force, those of its next start, what its panel chose; and their memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.gguf.forecast import ByteRange
from gglib_desktop.domain.launch.options import BUILT_IN, MtpChoice, choice_names
from gglib_desktop.domain.servers.remedies import Remedy, lower_context
from gglib_desktop.domain.servers.server import OWN_PLACES, ServerConfig
from gglib_desktop.domain.servers.states import Crashed, Failed, Healthy, Loading, ServerState, Starting, Stopping
from gglib_desktop.services.launch.launcher import Launcher, RestartPlan
from gglib_desktop.services.servers.snapshot import Rejected, ServerSnapshot
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel


@dataclass
class _Typed:
    """What was chosen in a form and is not in force, and the names of that which is not saved.

    ``before`` was saved for the model in its place; ``saves`` are the tasks that save.
    """

    choices: dict[str, object] = field(default_factory=dict)
    unsaved: set[str] = field(default_factory=set)
    before: dict[str, object] = field(default_factory=dict)
    saves: set[asyncio.Task[None]] = field(default_factory=set)

    def forget(self) -> None:
        self.choices, self.unsaved = {}, set()


class ServerOptionsViewModel(ViewModel):
    """Saves what is chosen in ``form`` at once. It is in force from the server's next start on."""

    changed = Signal()

    def __init__(self, server: ServerSnapshot, launcher: Launcher, scope: TaskScope) -> None:
        super().__init__(scope)
        self._server = server
        self._launcher = launcher
        self._plan = RestartPlan(BUILT_IN, BUILT_IN, BUILT_IN)
        # What did not start, and of which the user has read.
        self.read_rejected: Rejected | None = None
        self._typed = _Typed()
        self.form = OptionFormViewModel(launcher, None, launcher.model_of(server.config), draft=BUILT_IN)
        self.form.edited.connect(self._on_edited)
        self.restart = self.command(self._restart, f"restart server {server.id}")
        self.use_saved = self.command(self._use_saved, f"use saved settings server {server.id}")
        self.revert = self.command(self._revert, f"revert options server {server.id}")
        self._reading = scope.start(self._read_plan(), name="launch options")

    @property
    def is_changed(self) -> bool:
        """Something was chosen in the form that is not in force."""
        return any(self.form.state.fields[name].is_changed for name in self._typed.choices)

    @property
    def can_apply(self) -> bool:
        """The form leads to another server than the one that runs, or ran last."""
        return not self._launcher.leads_to_same(self._server.config, self.form.draft, self._plan.in_force)

    @property
    def saved_changed(self) -> bool:
        """A restart would use other saved choices, beside what was chosen in the form, which shows that itself."""
        in_force = self._plan.in_force
        untyped = self._plan.options.with_values(**{name: in_force.get(name) for name in self._typed.choices})
        return not self._launcher.leads_to_same(self._server.config, untyped, in_force)

    @property
    def own_choices(self) -> tuple[str, ...]:
        """The names of those that were made for its start only, and that a restart keeps."""
        return tuple(name for name in choice_names() if name in self._plan.own - self._typed.choices.keys())

    @property
    def unlisted_flags(self) -> tuple[str, ...]:
        """Extra arguments of a restart that the engine's help does not list."""
        is_here = self._server.config.place in OWN_PLACES
        return self._launcher.engines.unlisted_flags(self._plan.options) if is_here else ()

    def show(self, server: ServerSnapshot) -> None:
        """Takes the supervisor's news."""
        before, self._server = self._server, server
        has_come_up = self._is_tried(before.state) and not self._is_tried(server.state)
        if server.config != before.config or (self._typed.choices and has_come_up):
            self.read_again()

    @staticmethod
    def _is_tried(state: ServerState) -> bool:
        """Whether a configuration may yet prove to be none that works."""
        return isinstance(state, Starting | Loading | Stopping | Failed | Crashed)

    def read_again(self) -> None:
        """Something else may be saved, or the library has been read and tells more of the model."""
        self._reading.cancel()
        self._reading = self._scope.start(self._read_plan(), name="launch options")

    def mend(self, remedy: Remedy, config: ServerConfig, flag: str) -> None:
        """Applies what a remedy for the failure of ``config`` changes, and starts again.

        ``flag`` is the extra argument that the failure is about. Those that only show something are the view's.
        """
        match remedy:
            case Remedy.TRY_AGAIN:
                pass
            case Remedy.DROP_FLAGS:
                self._typed.choices.pop("extra_args", None)
                engine = self._launcher.engines.choice(config.engine)
                left = engine.dialect.without_option(config.extra_args, flag, engine.capabilities) if flag else ()
                self.run(self._restart(extra_args=left), "drop flags")
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
        self.restart.trigger()

    def close(self) -> None:
        """Ends what runs for this panel alone."""
        self._reading.cancel()

    async def _read_plan(self) -> None:
        """The form shows what the next restart uses. What was typed goes when it is in force, or saved anew elsewhere.

        After a return to the last good configuration it keeps what was typed, to be corrected.
        """
        self._plan = plan = await self._launcher.plan(self._server.id)
        is_tried = self._is_tried(self._server.state)
        self._typed.choices = {
            name: value
            for name, value in self._typed.choices.items()
            if (is_tried or plan.in_force.get(name) != value)
            and (name in self._typed.unsaved or plan.as_saved.get(name) == value)
        }
        self._typed.unsaved &= self._typed.choices.keys()
        self._typed.before = {name: value for name, value in self._typed.before.items() if name in self._typed.choices}
        model = self._launcher.model_of(self._server.config)
        self.form.load(plan.options.with_values(**self._typed.choices), model, in_force=plan.in_force)
        self.changed.emit()

    async def _restart(self, **choices: object) -> None:
        await self._launcher.restart(self._server.id, self._typed.choices | choices)

    async def _use_saved(self) -> None:
        self._typed.forget()
        await self._launcher.restart(self._server.id, keep_own=False)

    def _on_edited(self, names: frozenset[str]) -> None:
        choices = {name: self.form.draft.get(name) for name in names}
        self._typed.choices |= choices
        self._typed.unsaved |= choices.keys()
        self.changed.emit()
        engines, chosen = self._launcher.engines, self.form.draft.engine
        if "engine" in names and not engines.is_known(chosen):
            # All panels hear of it, and load their forms again.
            self._scope.start(engines.find_chosen(chosen), name="find engine")
        task = self._scope.start(self._save(choices), name="save launch options")
        self._typed.saves.add(task)
        task.add_done_callback(self._typed.saves.discard)

    async def _save(self, choices: Mapping[str, object]) -> None:
        """The first server's form is the model's; of a further one's only what happens after a crash is."""
        if self._server.number > 1:
            choices = {name: value for name, value in choices.items() if name == "restart"}
        if not choices:
            return
        try:
            before = await self._launcher.save_choices(self._server.config, choices)
        except GglibError as exc:
            self.failed.emit(exc)
            return
        if before is not None:
            self._typed.before = {**before, **self._typed.before}
            self._typed.unsaved -= {name for name, value in choices.items() if self.form.draft.get(name) == value}

    async def _revert(self) -> None:
        """The form shows what is in force again, and what was saved before it was changed is saved again."""
        if self._typed.saves:
            await asyncio.wait(set(self._typed.saves))
        before, self._typed.before = self._typed.before, {}
        self._typed.forget()
        if before:
            await self._launcher.save_choices(self._server.config, before)
        # It tells of changes that are gone now.
        self.read_rejected = self._server.rejected
        self.read_again()


class MemoryForecast(QObject):
    """The forecast for the last configuration with which a server was healthy, made once it is healthy."""

    found = Signal()

    def __init__(self, launcher: Launcher, scope: TaskScope) -> None:
        super().__init__()
        self._launcher = launcher
        self._scope = scope
        self._config: ServerConfig | None = None
        self._bytes: ByteRange | None = None

    def of(self, config: ServerConfig) -> ByteRange | None:
        """None if it belongs to another configuration, or is unknown."""
        return self._bytes if config == self._config else None

    def show(self, server: ServerSnapshot) -> None:
        """Takes the supervisor's news."""
        if isinstance(server.state, Healthy) and server.config != self._config:
            self._bytes, self._config = None, server.config
            self._scope.start(self._make(server.config), name="forecast")

    async def _make(self, config: ServerConfig) -> None:
        found = await self._launcher.forecast(config)
        if config == self._config:
            self._bytes = found
            self.found.emit()
