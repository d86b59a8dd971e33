"""Where the container engines of this computer listen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable

PODMAN, DOCKER = "podman", "docker"
_VARIABLES = {PODMAN: "CONTAINER_HOST", DOCKER: "DOCKER_HOST"}
_UNIX = "unix://"
_START = {
    PODMAN: "start it with: systemctl --user start podman.socket",
    DOCKER: "start it with: sudo systemctl start docker",
}


def sockets_of(engine: str, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where an engine may listen, the first one first. Raises: ConfigurationError for a variable that is no use."""
    variable = _VARIABLES[engine]
    stated = environment.get(variable)
    if stated:
        if not stated.startswith(_UNIX):
            reason = (
                "only unix sockets are used, as in unix:///run/user/1000/podman/podman.sock: over a network, anyone who"
                " reaches a container engine is root on its computer"
            )
            raise ConfigurationError(variable, stated, reason)
        return (Path(stated.removeprefix(_UNIX)),)
    if engine == DOCKER:
        return (Path("/run/docker.sock"),)
    runtime = environment.get("XDG_RUNTIME_DIR")
    own = (Path(runtime, "podman/podman.sock"),) if runtime else ()
    return (*own, Path("/run/podman/podman.sock"))


def socket_of(engine: str, sockets: tuple[Path, ...]) -> Path:
    """The one that is there. Raises: RunnerUnavailable."""
    for socket in sockets:
        if socket.exists():
            if os.access(socket, os.R_OK | os.W_OK):
                return socket
            raise RunnerUnavailable(f"{socket} is closed to this user, who may not use that container engine")
    where = " or ".join(map(str, sockets))
    raise RunnerUnavailable(f"no {engine} service listens on {where}; {_START[engine]}")
