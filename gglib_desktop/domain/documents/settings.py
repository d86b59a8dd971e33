"""The program's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from gglib_desktop.domain.endpoints.address import EndpointUrl
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.servers.server import OWN_PLACES
from gglib_desktop.domain.values import PORT, Keys, Limits, Matching, OneOf, Value, documented, limited

DEFAULT_BASE_PORT = 9000
DEFAULT_STOP_GRACE_S = 5.0
# From the second SIGTERM to SIGKILL.
SECOND_GRACE_S = 1.0
# A server that loads for so long without any progress has failed.
LOAD_STALL_S = 120.0
_MIB = 1024 * 1024
DEFAULT_LOG_BYTES = 64 * _MIB
STOP_GRACE_LIMITS = Limits(0.5, 120)
KEEP_ROWS_LIMITS = Limits(1000, 1_000_000)
KEEP_DAYS_LIMITS = Limits(1, 3650)
LOG_SIZE_LIMITS = Limits(1, 4096)
PLACE_ID = Matching(r"[a-z0-9-]{1,40}", "up to 40 of a to z, 0 to 9 and -")


class OnQuit(StrEnum):
    """What quitting the program does with running servers."""

    ASK = "ask"
    STOP_ALL = "stop all"
    LEAVE_RUNNING = "leave running"


class Theme(StrEnum):
    """The window's color scheme."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


_SSH = "ssh"
_CONTAINER_ENGINES = ("podman", "docker")
PLACE_SCHEMES = (*_CONTAINER_ENGINES, "ssh")
"""How the address of a place begins that this version can use."""
_ON_QUIT_THERE = OneOf((OnQuit.STOP_ALL, OnQuit.LEAVE_RUNNING))


def _shown_name() -> Any:
    return documented("What it is called in the window. Without it, its id.", default=None, example="The big machine")


@dataclass(frozen=True, kw_only=True)
class PlaceSettings(Value):
    """Another place where servers run. ``name`` None: its id is shown. ``on_quit`` None: they are left running."""

    url: str = limited(
        Matching(r"[^\s-]\S*", "an address"),
        meaning="Its address, such as podman:IMAGE for containers of that image.",
        example="podman:IMAGE",
    )
    name: str | None = _shown_name()
    engine: str | None = documented(
        "The program of the engine there. Without it, one is looked for.", default=None, example="/usr/bin/llama-server"
    )
    folders: tuple[str, ...] = documented("Folders of models there.", default=(), example=["/srv/models"])
    ssh_config: str | None = documented(
        "A configuration file of ssh that counts instead of your own.", default=None, example="~/.ssh/gpu-box"
    )
    on_quit: OnQuit | None = documented(
        "What quitting does with its servers. Without it, they are left running.", default=None, limits=_ON_QUIT_THERE
    )
    rpc_network: str | None = None  # it waits for places that use it

    @property
    def scheme(self) -> str:
        """How its address begins, which says what it is."""
        return self.url.partition(":")[0]

    @property
    def shares_files(self) -> bool:
        """Its servers read the files of this computer, under the same paths."""
        return self.scheme in _CONTAINER_ENGINES


@dataclass(frozen=True, kw_only=True)
class EndpointSettings(Value):
    """A server that somebody else runs. Its key lies in the key store. ``name`` None: its id is shown."""

    url: str = limited(
        EndpointUrl(r"https?://\S+", "an http or https address"),
        meaning="Its address, as clients are given it.",
        example="http://127.0.0.1:8000/v1",
    )
    name: str | None = _shown_name()


@dataclass(frozen=True, kw_only=True)
class EngineSettings(Value):
    """An engine that models can choose beside the place's own. ``path`` None: its program is looked for."""

    path: Path | None = documented(
        "Its program. Without it, one is looked for.", default=None, example="/usr/local/bin/engine"
    )


_IDS = Keys(PLACE_ID, reserved=OWN_PLACES)


@dataclass(frozen=True, kw_only=True)
class AppSettings(Value):
    """Settings of the program. ``engine_path`` None: look for an engine. ``stop_grace_s`` counts from SIGTERM.

    All models start with ``defaults`` unless a model or a launch says otherwise. ``engines``, ``places``
    and ``endpoints`` are by their ids, which never change.
    """

    engine_path: Path | None = documented("The llama-server program. Without it, one is looked for.", default=None)
    base_port: int = limited(
        PORT,
        default=DEFAULT_BASE_PORT,
        meaning="Servers whose port is Auto take a free one from this port on.",
    )
    stop_grace_s: float = limited(
        STOP_GRACE_LIMITS,
        default=DEFAULT_STOP_GRACE_S,
        meaning="How many seconds a server may take to end before it is asked again and then killed.",
    )
    on_quit: OnQuit = documented("What quitting does with running servers.", default=OnQuit.ASK)
    theme: Theme = documented("The colours of the window.", default=Theme.SYSTEM)
    requests_keep_rows: int = limited(
        KEEP_ROWS_LIMITS, default=100_000, meaning="How many requests the history keeps, the newest of all servers."
    )
    requests_keep_days: int = limited(
        KEEP_DAYS_LIMITS, default=90, meaning="For how many days the history keeps requests."
    )
    log_size_mib: int = limited(
        LOG_SIZE_LIMITS,
        default=DEFAULT_LOG_BYTES // _MIB,
        meaning="How many MiB the log of a server may take. A longer one is cut down to its last quarter of this.",
    )
    defaults: LaunchOptions = LaunchOptions()
    engines: Mapping[str, EngineSettings] = field(default_factory=dict, metadata={"limits": _IDS})
    places: Mapping[str, PlaceSettings] = field(default_factory=dict, metadata={"limits": _IDS})
    endpoints: Mapping[str, EndpointSettings] = field(default_factory=dict, metadata={"limits": _IDS})

    def engine_path_of(self, engine: str) -> Path | None:
        """The program of another engine than the usual one; None: it is looked for."""
        return self.engines[engine].path if engine in self.engines else None

    @property
    def log_bytes(self) -> int:
        """How much the log of a server may take."""
        return self.log_size_mib * _MIB

    def places_sharing_files(self) -> dict[str, str]:
        """The names of the places beside this computer, by their ids, at which its model files can be served."""
        return {place_id: place.name or place_id for place_id, place in self.places.items() if place.shares_files}

    def worker_places(self) -> dict[str, str]:
        """The names of the places, by their ids, whose computers can take a part of a model."""
        return {place_id: place.name or place_id for place_id, place in self.places.items() if place.scheme == _SSH}

    def stops_servers_at(self, place: str, on_quit: OnQuit) -> bool:
        """Whether quitting ends the servers of a place, where ``on_quit`` was decided for this computer's."""
        if place in OWN_PLACES:
            return on_quit is OnQuit.STOP_ALL
        return place in self.places and self.places[place].on_quit is OnQuit.STOP_ALL
