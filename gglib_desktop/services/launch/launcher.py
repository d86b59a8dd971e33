"""The one way in which a model becomes a running server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities
from gglib_desktop.domain.errors import ConfigurationError, InvalidModelFile, LibraryError
from gglib_desktop.domain.gguf.sidecars import WHY_NOT_STARTED
from gglib_desktop.domain.launch.options import (
    ENGINE_MIN_PROBABILITY,
    LaunchOptions,
    MeasuredDrafting,
    MtpChoice,
    MtpDecision,
    MtpReason,
    Resolved,
    Source,
    decide_mtp,
    for_engine,
    options_of,
    own_choices,
    resolve,
    server_config,
)
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.client_names import are_numbered
from gglib_desktop.domain.options.drafting import drafts_otherwise
from gglib_desktop.domain.options.engine_options import DRAFT_OPTIONS
from gglib_desktop.domain.servers.router.kind import is_router
from gglib_desktop.domain.servers.server import OWN_PLACE, OWN_PLACES, ServerConfig
from gglib_desktop.services.launch.draft_files import DraftFiles
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.measured import Measured, not_measured
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper

if TYPE_CHECKING:
    from gglib_desktop.domain.gguf.forecast import ByteRange, Serving
    from gglib_desktop.domain.launch.form import FormContext


def _no_forecast(_model: Model, _serving: Serving) -> None:
    return None


def _no_obstacle(_model: Path, _draft: Path) -> None:
    return None


async def _as_it_is(config: ServerConfig) -> ServerConfig:
    return config


@dataclass(frozen=True)
class RestartPlan:
    """The configuration that a restart of a server would use, and the present one. All options are resolved.

    ``as_saved``: without the server's own choices. ``own``: their names, if they differ from the saved ones.
    """

    in_force: LaunchOptions
    as_saved: LaunchOptions
    options: LaunchOptions
    own: frozenset[str] = frozenset()


class Launcher:
    """Starts models with the options chosen for them, on the engine in force.

    The options of a start; for each one, the first source that sets it counts:

    - *Start* of a model: the choices for this start only, the model's launch defaults, the defaults of all models.
    - *Restart*, *Apply and restart* and *Try again* of a server: what its form shows, the choices for its last
      start only (its own choices), then what is saved **now**. So a changed default counts from the next restart on,
      and a choice for one start lasts as long as its server. The panel says when a restart would change something
      that was not typed there, and which own choices it would keep; *Use launch defaults* drops these.
    - A server that was taken over while it ran: its own choices are all in which it then differed from what is
      saved. A restart keeps them, and the panel says so.
    - A model that is not listed has nothing saved: its servers restart as they are.
    - A further server of a model never takes the saved port, which is the first one's.
    - A retry after a crash repeats the configuration that crashed, without anything new. A return
      after changed settings failed repeats the last healthy one.
    """

    def __init__(
        self,
        library: Library,
        supervisor: Supervisor,
        engines: Engines,
        settings: SettingsKeeper,
        *,
        mtp_suppressed: bool,
        forecast: Callable[[Model, Serving], ByteRange | None] = _no_forecast,
        drafting_obstacle: Callable[[Path, Path], str | None] = _no_obstacle,
        renew_router: Callable[[ServerConfig], Awaitable[ServerConfig]] = _as_it_is,
        measured: Measured = not_measured,
    ) -> None:
        """``forecast`` blocks, and returns the memory for serving a model; so does ``drafting_obstacle``.

        ``renew_router`` gives the configuration for the restart of a router. Raises: ConfigurationError, LibraryError.
        """
        self.draft_files = DraftFiles(library, drafting_obstacle)
        self._renew_router = renew_router
        self._measured = measured
        self._forecast = forecast
        self._library = library
        self._supervisor = supervisor
        self.engines = engines
        self._settings = settings
        self._mtp_suppressed = mtp_suppressed
        # Held from reading what is saved for a model until it is written again with changes.
        self._saving = asyncio.Lock()
        # Where the saved choices would have led, by server and the configuration that it was started with.
        self._as_saved: dict[tuple[int, ServerConfig], ServerConfig] = {}

    async def forecast(self, config: ServerConfig) -> ByteRange | None:
        """The memory for serving this; None if unknown."""
        serving = self.engines.choice(config.engine).dialect.serving(config)
        if serving is None:
            return None
        serving = replace(serving, draft_bytes=await self.draft_files.size_of(config))
        return await asyncio.to_thread(self._forecast, self.model_of(config), serving)

    def decide_mtp(self, model: Model, options: LaunchOptions) -> MtpDecision:
        """Whether a start would draft, as far as known now."""
        engine = self._engine_at(options.place or model.place, options.engine)
        return decide_mtp(
            options.mtp,
            model=model,
            engine=engine,
            suppressed=self._mtp_suppressed,
            otherwise=drafts_otherwise(options),
            measured=self._measured_of(model, options),
        )

    def _measured_of(self, model: Model, options: LaunchOptions) -> MeasuredDrafting | None:
        """What was measured of the model, if it counts for a start with these resolved options."""
        drafting = MtpDecision(True, MtpReason.CHOSEN)
        config = server_config(model, options, base_port=self._settings.current.base_port, mtp=drafting)
        return self._measured(model, config, self._engine_at(options.place or model.place, options.engine))

    def resolve(self, launch: LaunchOptions, saved: LaunchOptions, model: Model | None = None) -> Resolved:
        """The result of a start with these choices of its own, over those ``saved`` for the model."""
        defaults = self._settings.current.defaults
        resolved = resolve(launch, saved, defaults)
        if model is not None and (measured := self._measured_of(model, resolved.options)) is not None:
            resolved = resolve(launch, saved, defaults, measured)
        choice = self.engines.choice(resolved.options.engine)
        engine = self._engine_at(resolved.options.place or OWN_PLACE, resolved.options.engine)
        capabilities = engine.capabilities if engine is not None else EngineCapabilities()
        return for_engine(resolved, choice.dialect.missing_options(capabilities))

    def _engine_at(self, place: str, chosen: str | None) -> Engine | None:
        """As far as it is known."""
        if place in OWN_PLACES:
            return self.engines.choice(chosen).engine
        found = self.engines.at(place, chosen)
        return found if isinstance(found, Engine) else None

    def place_name(self, place_id: str) -> str:
        """What a place is called; empty for this computer."""
        if place_id in OWN_PLACES:
            return ""
        place = self._settings.current.places.get(place_id)
        return (place.name if place is not None else None) or place_id

    def takes_memory_here(self, place_id: str) -> bool:
        """Whether its servers use this computer's memory. Containers of an engine on it do."""
        return place_id in OWN_PLACES or place_id in self._settings.current.places_sharing_files()

    def form_context(
        self,
        layer: Source | None,
        model: Model | None,
        model_options: LaunchOptions,
        in_force: LaunchOptions | None = None,
    ) -> FormContext:
        """The context of a form for that layer of choices; ``in_force`` is what its server runs with."""
        from gglib_desktop.domain.launch.form import FormContext

        settings = self._settings.current
        return FormContext(
            layer=layer,
            model=model,
            engine=self.engines.current,
            dialect=self.engines.dialect,
            base_port=settings.base_port,
            mtp_suppressed=self._mtp_suppressed,
            model_options=model_options,
            app_options=settings.defaults,
            names_taken=self._supervisor.names_taken,
            places=settings.places_sharing_files() if model is None or model.place in OWN_PLACES else {},
            worker_places=settings.worker_places() if model is None or model.place in OWN_PLACES else {},
            ask_there=self.engines.at,
            in_force=in_force,
            measured=self._measured_of,
            draft_file=lambda path: self.draft_files.known(model, path) if model is not None else None,
            draft_files=self.draft_files.offered(model) if model is not None else (),
            engines=self.engines.choices(),
        )

    async def start(
        self, model_id: int, launch: LaunchOptions | None = None, *, another: bool = False, remember: bool = False
    ) -> int | None:
        """Starts a model, with the choices of this ``launch`` over those saved for it. Returns the server's id.

        With choices of its own a running model gets one more server. ``remember`` saves them for the model, but not the
        port of one more server. None if the model is not in the library any more, or if the program ends. Raises:
        LibraryError, ConfigurationError for a file that is not a model.
        """
        model = self._library.model(model_id)
        if model is None:
            return None
        model = await self._startable(model)
        runs = self._supervisor.has_live_server(model_id)
        another = another or (launch is not None and runs)
        launch = launch or LaunchOptions()
        async with self._saving:
            saved = await self._library.launch_options(model_id)
            if remember:
                kept = launch.replace(port=None) if another else launch
                saved = kept.over(saved)
                await self._library.save_launch_options(model_id, saved)
        if another:
            # The port chosen for the model is its first server's.
            saved = saved.replace(port=None)
        # A start without an engine fails with its reason where the user looks: in the server's panel.
        await self._look_for(self.resolve(launch, saved).options.engine)
        config = self._config(model, self.resolve(launch, saved, model).options)
        if self._supervisor.is_ending:
            return None  # it was requested before all was stopped
        as_saved = self._config(model, self.resolve(LaunchOptions(), saved, model).options)
        is_new = another or not self._supervisor.has_live_server(model_id)
        server_id = self._supervisor.start(config, another=another)
        if is_new:
            self._note_saved(server_id, config, as_saved)
        await self._library.note_used(model_id)
        return server_id

    async def to_measure(
        self, model_id: int, launch: LaunchOptions | None = None
    ) -> tuple[Model, ServerConfig, Engine] | None:
        """What a start with these choices would be now, with its drafting switched on, and the engine.

        None if the model is not in the library any more. Raises: LibraryError, ConfigurationError for a file that is
        not a model or where no engine is found.
        """
        model = self._library.model(model_id)
        if model is None:
            return None
        model = await self._startable(model)
        options = self.resolve(launch or LaunchOptions(), await self._library.launch_options(model_id)).options
        await self._look_for(options.engine)
        engine = self._engine_at(options.place or model.place, options.engine)
        if engine is None:
            raise ConfigurationError("engine", options.engine, "no engine was found")
        return model, self._config(model, options.replace(mtp=MtpChoice.ON)), engine

    async def _look_for(self, engine: str | None) -> None:
        """What it can do decides what it is started with."""
        if self.engines.choice(engine).engine is None:
            await self.engines.find_chosen(engine)

    async def _startable(self, model: Model) -> Model:
        """Looks again at a file that could not be used.

        Raises: ConfigurationError for a file that is not a model, InvalidModelFile if it still cannot be used.
        """
        if model.sidecar is not None:
            raise ConfigurationError("model_path", str(model.path), WHY_NOT_STARTED[model.sidecar])
        if not model.is_here:
            return model  # its place looks at the file
        await self._library.companions.read_adapters(model)
        if model.problem is not None:
            file = await self._library.examine(model.path)
            if file.problem is not None:
                raise InvalidModelFile(model.path, file.problem)
            await self._library.add([model.path])
        return self._library.model(model.id) or model

    async def config_of(self, model: Model) -> ServerConfig:
        """What a start of a model would serve now, with what is saved for it. Raises: as ``start``."""
        model = await self._startable(model)
        async with self._saving:
            saved = await self._library.launch_options(model.id)
        await self._look_for(self.resolve(LaunchOptions(), saved).options.engine)
        return self._config(model, self.resolve(LaunchOptions(), saved, model).options)

    async def plan(self, server_id: int) -> RestartPlan:
        """The configuration of a restart now. Raises: LibraryError."""
        server = self._supervisor.server(server_id)
        config = server.config
        async with self._saving:
            saved = await self._library.launch_options(config.model_id)
        model = self._library.model(config.model_id)
        if model is None:
            in_force = self.options_in_force(config, saved)
            return RestartPlan(in_force, in_force, in_force)
        await self._library.companions.read_adapters(model)
        for engine in {config.engine, self.resolve(LaunchOptions(), saved).options.engine} - {None}:
            await self._look_for(engine)
        if server.number > 1:
            saved = saved.replace(port=None)
        in_force = self.options_in_force(config, saved)
        as_saved = self.resolve(LaunchOptions(), saved, model).options
        then = self._as_saved.setdefault((server_id, config), self._config(model, as_saved))
        options = as_saved.with_values(**{name: in_force.get(name) for name in own_choices(config, then)})
        return RestartPlan(in_force, as_saved, options, options.differing(as_saved))

    async def restart(
        self, server_id: int, choices: Mapping[str, object] | None = None, *, keep_own: bool = True
    ) -> None:
        """Restarts a server as planned, with these ``choices`` on top; if the changes fail, as it was.

        ``keep_own``: with the choices for its last start only. Raises: LibraryError, after a restart as it was.
        """
        before = self._supervisor.server(server_id).config
        if is_router(before):
            await self._supervisor.try_out(server_id, await self._renew_router(before))
            return
        try:
            plan = await self.plan(server_id)
        except LibraryError:
            await self._supervisor.try_out(server_id, before)
            raise
        options = (plan.options if keep_own else plan.as_saved).with_values(**(choices or {}))
        model = self.model_of(before)
        await self._look_for(options.engine)
        config = self._config(model, options)
        self._note_saved(server_id, config, self._config(model, plan.as_saved))
        await self._supervisor.try_out(server_id, config)

    def leads_to_same(self, config: ServerConfig, options: LaunchOptions, others: LaunchOptions) -> bool:
        """Whether two sets of resolved options restart a server as the same."""
        if options.same_server(others):
            return True
        model = self.model_of(config)
        return self._config(model, options) == self._config(model, others)

    async def save_choices(self, config: ServerConfig, choices: Mapping[str, object]) -> Mapping[str, object] | None:
        """Saves the choices in a server's form. Returns what was saved in their place before.

        None if its model is not listed. Raises: LibraryError.
        """
        async with self._saving:
            saved = await self._library.launch_options(config.model_id)
            await self._library.save_launch_options(config.model_id, saved.with_values(**choices))
        if self._library.model(config.model_id) is None:
            return None
        return {name: saved.get(name) for name in choices}

    def options_in_force(self, config: ServerConfig, saved: LaunchOptions) -> LaunchOptions:
        """The choices behind a configuration; where it does not show them, the ones in ``saved`` and the defaults."""
        otherwise = self.resolve(LaunchOptions(), saved, self.model_of(config)).options
        options = options_of(config).replace(restart=otherwise.restart)
        if config.place == (otherwise.place or self.model_of(config).place):
            options = options.replace(place=otherwise.place)
        if are_numbered(config.client_names, self._config(self.model_of(config), otherwise).client_names):
            options = options.replace(alias=otherwise.alias)  # a number is not a choice
        if config.spec_draft_n_max is None:
            options = options.replace(**{name: otherwise.get(name) for name in DRAFT_OPTIONS})
        elif config.spec_draft_p_min is None:
            options = options.replace(spec_draft_p_min=ENGINE_MIN_PROBABILITY)
        for mtp in (otherwise.mtp, MtpChoice.AUTO):
            same = options.replace(mtp=mtp)
            if self.decide_mtp(self.model_of(config), same).enabled == bool(config.spec_draft_n_max):
                return same
        return options

    def model_of(self, config: ServerConfig) -> Model:
        """The library's model, or one made from the configuration if that is not there any more."""
        model = self._library.model(config.model_id)
        # One that has just been added has no name yet.
        return model if model is not None and model.name else _model_of(config)

    def _note_saved(self, server_id: int, config: ServerConfig, as_saved: ServerConfig) -> None:
        """Remembers it for as long as the server has a panel."""
        panels = {server.id for server in self._supervisor.servers}
        self._as_saved = {key: then for key, then in self._as_saved.items() if key[0] in panels}
        self._as_saved[server_id, config] = as_saved

    def _config(self, model: Model, options: LaunchOptions) -> ServerConfig:
        words = self.engines.choice(options.engine).dialect.with_adapters(
            options.extra_args, self._library.companions.adapters(model)
        )
        options = options.replace(extra_args=words)
        decision = self.decide_mtp(model, options)
        return server_config(model, options, base_port=self._settings.current.base_port, mtp=decision)


def _model_of(config: ServerConfig) -> Model:
    return Model(config.model_id, config.model_path, None, None, 0.0, config.model_name)
