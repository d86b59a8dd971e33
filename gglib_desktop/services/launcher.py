"""The one way in which a model becomes a running server."""

from __future__ import annotations

from pathlib import Path

from gglib_desktop.domain.engine import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch import LaunchOptions, MtpDecision, decide_mtp, server_config
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
        return decide_mtp(
            options.mtp, mtp_layers=model.mtp_layers, engine=self.engine, suppressed=self._mtp_suppressed
        )

    async def start(self, model_id: int, options: LaunchOptions | None = None, *, another: bool = False) -> int | None:
        """Starts a model with ``options``, else with what was chosen for it. Returns the server's id.

        None when the model is not in the library any more. Raises: LibraryError.
        """
        config = await self._config(model_id, options, another=another)
        return None if config is None else self._supervisor.start(config, another=another)

    async def restart(self, server_id: int, options: LaunchOptions | None = None) -> None:
        """Restarts a server as it was, or with ``options``, which are then saved for its model. Raises: LibraryError."""
        model_id = self._supervisor.server(server_id).config.model_id
        if options is not None and self._library.model(model_id) is not None:
            await self._library.save_launch_options(model_id, options)
        config = await self._config(model_id, options) if options is not None else None
        self._supervisor.restart(server_id, config)

    async def _config(
        self, model_id: int, options: LaunchOptions | None, *, another: bool = False
    ) -> ServerConfig | None:
        model = self._library.model(model_id)
        if model is None:
            return None
        if options is None:
            options = await self._library.launch_options(model_id)
            if another:
                # The port chosen for the model is the first server's.
                options = options.replace(port=None)
        if self.engine is None:
            # A start without an engine fails with its reason where people look: in the server's panel.
            try:
                await self.find_engine()
            except ConfigurationError:
                pass
        decision = self.decide_mtp(model, options)
        return server_config(model, options, base_port=self._settings.current.base_port, mtp=decision)
