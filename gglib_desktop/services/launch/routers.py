"""Starts routers: servers that have several models, each with the launch defaults saved for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from gglib_desktop.domain.commandline.exports.router_preset import model_files, models_preset, most_loaded
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.router.kind import MODEL_STOP_S, ROUTER
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.models.router_files import RouterFiles
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.supervisor import Supervisor

_NAME = "Router"
# Models of the library have positive ids, servers of other programs negative ones above this.
_BELOW_IDS = -(2**30)


class Routers:
    """The models of a router are those of this computer. Its address and its key are as the defaults of all models say.

    It asks for the key also where one of its models would.
    """

    def __init__(self, library: Library, launcher: Launcher, supervisor: Supervisor, files: RouterFiles) -> None:
        self._library = library
        self._launcher = launcher
        self._supervisor = supervisor
        self._files = files

    @property
    def models(self) -> tuple[Model, ...]:
        """Those that a router can serve, as far as is known."""
        return tuple(
            model
            for model in self._library.models
            if model.is_here and model.sidecar is None and model.problem is None and not model.missing
        )

    async def start(self, model_ids: Iterable[int], *, most: int | None = None) -> int | None:
        """Starts a router and returns its server's id. ``most``: how many of its models are loaded at once.

        None if the program ends. Raises: ConfigurationError, LibraryError.
        """
        models = [model for each in model_ids if (model := self._library.model(each)) is not None]
        config = await self._config(models, most_loaded(most))
        if self._supervisor.is_ending:
            return None
        return self._supervisor.start(config, another=True)

    async def renewed(self, config: ServerConfig) -> ServerConfig:
        """The configuration for a restart, with what is saved for its models now. Models that are gone are left out.

        As it is where this program did not make its file. Raises: ConfigurationError, LibraryError.
        """
        text = await asyncio.to_thread(self._files.read, config.model_path)
        if text is None:
            return config
        listed = {model.path: model for model in self.models}
        models = [listed[path] for path in model_files(text) if path in listed]
        made = await self._config(models, config.extra_args)
        return made.replace(model_id=config.model_id, port=config.port)

    async def _config(self, models: Sequence[Model], words: Sequence[str]) -> ServerConfig:
        if not models:
            raise ConfigurationError("model_path", None, "a router needs at least one model of this computer")
        configs = [await self._launcher.config_of(model) for model in models]
        text = models_preset(await self._command_lines(configs), stop_s=MODEL_STOP_S)
        path = await asyncio.to_thread(self._files.write, text, keep=self._in_use())
        general = self._launcher.resolve(LaunchOptions(), LaunchOptions()).options
        asks = any(config.require_api_key for config in configs)
        servers = self._supervisor.servers
        return ServerConfig(
            min([_BELOW_IDS, *(server.config.model_id for server in servers)]) - 1,
            _NAME,
            path,
            configs[0].base_port,
            engine=ROUTER,
            host=general.host,
            require_api_key=True if asks else general.require_api_key,
            extra_args=tuple(words),
        )

    async def _command_lines(self, configs: Sequence[ServerConfig]) -> list[tuple[str, ...]]:
        """One for each model, under a name that no other one of them has."""
        engines = self._launcher.engines
        engine = engines.current or await engines.find()
        found: list[tuple[str, ...]] = []
        taken: set[str] = set()
        for config in configs:
            own = config.replace(engine=None, host=None, port=None, require_api_key=None).named(taken)
            taken.update(own.client_names)
            try:
                found.append(engines.dialect.command(own, engine, own.base_port))
            except ConfigurationError as exc:
                raise ConfigurationError(exc.field, exc.value, f"{config.model_name}: {exc.reason}") from exc
        return found

    def _in_use(self) -> frozenset[Path]:
        configs = [server.config for server in self._supervisor.servers]
        configs += [server.rejected.config for server in self._supervisor.servers if server.rejected is not None]
        return frozenset(config.model_path for config in configs)
