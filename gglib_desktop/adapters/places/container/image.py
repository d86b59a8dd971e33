"""An image of a container engine of this computer: whether it is there, and what its programs print."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from gglib_desktop.adapters.places.container import creation
from gglib_desktop.adapters.places.container.addresses import socket_of, sockets_of
from gglib_desktop.adapters.places.container.container_process import exit_of
from gglib_desktop.adapters.places.container.docker_api import DockerApi, Gone, Refused
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.servers.failures import ServerExit
from gglib_desktop.tasks import LogReporter, TaskScope

_ANSWER_S, _PAUSE_S = 60.0, 0.05
# The last but one is Podman's word.
_OVER = frozenset({"created", "exited", "stopped", "dead"})


class Image:
    """``engine`` is ``podman`` or ``docker``. Nothing is ever pulled. Methods raise RunnerUnavailable.

    Raises: ConfigurationError for a variable of ``environment`` that names no unix socket.
    """

    def __init__(self, engine: str, name: str, environment: Mapping[str, str], data_dir: Path) -> None:
        self.engine = engine
        self.name = name
        self._sockets = sockets_of(engine, environment)
        self._data_dir = data_dir
        self._scope = TaskScope(LogReporter())
        self._left = False
        self._told: tuple[DockerApi, dict[str, Any]] | None = None
        self._swept = False

    async def aclose(self) -> None:
        """Ends the questions under way."""
        self._left = True
        await self._scope.aclose()

    def check_not_left(self) -> None:
        """Raises: RunnerUnavailable."""
        if self._left:
            raise RunnerUnavailable("the runner is closed")

    async def greeted(self) -> tuple[DockerApi, dict[str, Any]]:
        """The engine, and what it tells of itself."""
        if self._told is None:
            api = DockerApi(socket_of(self.engine, self._sockets))
            self._told = api, await api.ask("GET", "/info")
        return self._told

    def labels(self, run: str = "") -> dict[str, str]:
        """By which a container of ours is known. Without a run it only answers a question about the image."""
        return creation.labels(self._data_dir, run)

    async def sweep(self, running: Collection[str]) -> None:
        """Removes what earlier runs of the program could not remove, once. ``running``: the runs that were found."""
        if self._swept:
            return
        self._swept = True
        api, _told = await self.greeted()
        filters = json.dumps({"label": [creation.own_label(self._data_dir)]})
        for each in await api.ask("GET", "/containers/json", all="1", filters=filters):
            ours = each["Labels"]
            is_earlier = ours[creation.IDENTITY] != creation.OWN
            if each["State"] in _OVER and is_earlier and ours[creation.RUN] not in running:
                await api.remove(each["Id"])

    async def found(self) -> tuple[str, tuple[str, ...]]:
        """Its id, and the program that it runs by itself. Raises: ConfigurationError."""
        api, _told = await self.greeted()
        try:
            found = await api.ask("GET", f"/images/{self.name}/json")
        except Gone as exc:
            raise self.missing() from exc
        return found["Id"], tuple(found["Config"].get("Entrypoint") or ())

    def missing(self) -> ConfigurationError:
        reason = f"this image is not there; get it with: {self.engine} pull {self.name}"
        return ConfigurationError("place", f"{self.engine}:{self.name}", reason)

    async def answer(self, argv: Sequence[str]) -> tuple[str, ServerExit]:
        """What a program of it prints in a container of its own, and how it ends. Raises: ConfigurationError."""
        self.check_not_left()
        # To its end also where no one waits any more, so that the container is removed.
        return await asyncio.shield(self._scope.start(self._answer(argv), name=f"question to {self.name}"))

    async def _answer(self, argv: Sequence[str]) -> tuple[str, ServerExit]:
        api, told = await self.greeted()
        said = bytearray()
        asked = creation.program(self.name, argv) | {"Labels": self.labels()}
        asked["HostConfig"] |= {"NetworkMode": "none", **creation.graphics(told)}
        try:
            container = (await api.ask("POST", "/containers/create", asked))["Id"]
            try:
                await api.ask("POST", f"/containers/{container}/start")
                async with asyncio.timeout(_ANSWER_S):
                    while (found := await api.container(container)) and found["State"]["Running"]:  # noqa: ASYNC110
                        await asyncio.sleep(_PAUSE_S)
                await api.copy_log(container, said.extend, follow=False)
            finally:
                await api.remove(container, force=True)
        except Gone as exc:
            raise self.missing() from exc
        except (Refused, TimeoutError) as exc:
            why = str(exc) or "it does not end"
            raise ConfigurationError("engine", argv[0], f"cannot be run in {self.name}: {why}") from exc
        return said.decode(errors="replace"), ServerExit(None) if found is None else exit_of(found)
