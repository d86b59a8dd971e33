"""The one way in which a model becomes a running server."""

from __future__ import annotations

import contextlib
from pathlib import Path

from gglib_desktop.domain.engine import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch import LaunchOptions, MtpChoice, MtpDecision, decide_mtp, server_config
from gglib_desktop.domain.model import Model
from gglib_desktop.domain.server import ServerConfig
from gglib_desktop.ports.engine_catalog import EngineCatalog
from gglib_desktop.services.library import Library
from gglib_desktop.services.listeners import Listeners
from gglib_desktop.services.settings_keeper import SettingsKeeper
from gglib_desktop.services.supervisor import Supervisor


class Launcher:
    """Starts models with what was chosen for them, on the engine in force.

    ``engine`` is None until one was found; ``engine_problem`` then says why none can be used, once that is known.
    """

    def __init__(
        self,
        library: Library,
        supervisor: Supervisor,
        catalog: EngineCatalog,
        settings: SettingsKeeper,
        *,
        mtp_suppressed: bool,
    ) -> None:
        self._library = library
        self._supervisor = supervisor
        self._catalog = catalog
        self._settings = settings
        self._mtp_suppressed = mtp_suppressed
        self._listeners: Listeners[None] = Listeners()
        self.subscribe = self._listeners.add
        self.engine: Engine | None = None
        self.engine_problem: ConfigurationError | None = None

    async def find_engine(self) -> Engine:
        """The engine in force; remembers it, or the reason why there is none. Raises: ConfigurationError."""
        before = (self.engine, self.engine_problem)
        try:
            self.engine, self.engine_problem = await self._catalog.find(self._settings.current.engine_path), None
            return self.engine
        except ConfigurationError as exc:
            self.engine, self.engine_problem = None, exc
            raise
        finally:
            if (self.engine, self.engine_problem) != before:
                self._listeners.tell(None)

    async def test_engine(self, path: Path | None) -> Engine:
        """The engine that this path, or with None the search, would give. Raises: ConfigurationError."""
        return await (self._catalog.inspect(path) if path is not None else self._catalog.find(None))

    def decide_mtp(self, model: Model, options: LaunchOptions) -> MtpDecision:
        """Whether a start would draft, as far as is known now."""
        return decide_mtp(options.mtp, mtp_layers=model.mtp_layers, engine=self.engine, suppressed=self._mtp_suppressed)

    async def start(self, model_id: int, options: LaunchOptions | None = None, *, another: bool = False) -> int | None:
        """Starts a model with ``options``, else with what was saved for it. Returns the server's id.

        Given options are saved, unless the model runs already: then they are for one more server of it. None when the
        model is not in the library any more. Raises: LibraryError.
        """
        model = self._library.model(model_id)
        if model is None:
            return None
        another = another or (options is not None and self._supervisor.has_live_server(model_id))
        if options is None:
            options = await self._library.launch_options(model_id)
            if another:
                # The port chosen for the model is its first server's.
                options = options.replace(port=None)
        elif not another:
            await self._library.save_launch_options(model_id, options)
        if self.engine is None:
            # A start without an engine fails with its reason where people look: in the server's panel.
            with contextlib.suppress(ConfigurationError):
                await self.find_engine()
        server_id = self._supervisor.start(self._config(model, options), another=another)
        await self._library.note_used(model_id)
        return server_id

    async def restart(self, server_id: int, options: LaunchOptions | None = None) -> None:
        """Restarts a server as it was, or with ``options``. Raises: LibraryError.

        Given options are saved for its model, unless it is a further server of it.
        """
        server = self._supervisor.server(server_id)
        config = server.config
        if options is not None:
            model = self._library.model(config.model_id)
            if model is not None and server.number == 1:
                await self._library.save_launch_options(model.id, options)
            config = self._config(model or _model_of(config), options)
        self._supervisor.restart(server_id, config)

    async def saved_options(self, config: ServerConfig) -> LaunchOptions | None:
        """What is saved for a server's model; None when the library does not have it any more. Raises: LibraryError."""
        if self._library.model(config.model_id) is None:
            return None
        return await self._library.launch_options(config.model_id)

    async def save_options(self, config: ServerConfig, options: LaunchOptions) -> None:
        """Saves what was chosen in a server's form for its model. Raises: LibraryError."""
        await self._library.save_launch_options(config.model_id, options)

    def options_in_force(self, config: ServerConfig, saved: LaunchOptions | None) -> LaunchOptions:
        """The choices behind a configuration: the saved ones if they lead to it, else as close as it tells."""
        if saved is not None:
            model = self.model_of(config)
            if self._config(model, saved).replace(base_port=config.base_port, model_name=config.model_name) == config:
                return saved
        options = _options_of(config)
        by_itself = options.replace(mtp=MtpChoice.AUTO)
        same = self.decide_mtp(self.model_of(config), by_itself).enabled == bool(config.spec_draft_n_max)
        return by_itself if same else options

    def model_of(self, config: ServerConfig) -> Model:
        """The library's model, or what the configuration itself says of one that is not there any more."""
        return self._library.model(config.model_id) or _model_of(config)

    def _config(self, model: Model, options: LaunchOptions) -> ServerConfig:
        decision = self.decide_mtp(model, options)
        return server_config(model, options, base_port=self._settings.current.base_port, mtp=decision)


def _model_of(config: ServerConfig) -> Model:
    return Model(config.model_id, config.model_path, None, None, 0.0, config.model_name)


def _options_of(config: ServerConfig) -> LaunchOptions:
    drafting = bool(config.spec_draft_n_max)
    options = LaunchOptions(
        port=config.port, context_size=config.context_size, mtp=MtpChoice.ON if drafting else MtpChoice.OFF
    )
    if config.spec_draft_n_max:
        options = options.replace(spec_draft_n_max=config.spec_draft_n_max)
    if drafting and config.spec_draft_p_min is not None:
        options = options.replace(spec_draft_p_min=config.spec_draft_p_min)
    return options
