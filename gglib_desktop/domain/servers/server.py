"""The configuration, the process and the health of a server: the values of the process runner port."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from typing_extensions import override

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.options.client_names import ALIAS_FLAGS, are_numbered, default_names, free_names, names_in
from gglib_desktop.domain.options.engine_options import EngineOptions
from gglib_desktop.domain.values import PORT, Limits, Matching, Value, limited

# A kind of runner, such as ssh://host, is the place of what runs there.
OWN_PLACE = "local"
# What records and configurations call the computer, or the simulation, that the program itself runs on.
OWN_PLACES = frozenset({OWN_PLACE, "mock"})
PLACE = Matching(r"[a-z0-9-]{1,40}(:\S+)?", "the id of a place: up to 40 of a to z, 0 to 9 and -")


@dataclass(frozen=True)
class Places:
    """The ids of places, each once."""

    def complaint(self, value: tuple[str, ...]) -> str | None:
        wrong = next((place for place in value if PLACE.complaint(place)), None)
        if wrong is not None:
            return f"{wrong!r} {PLACE.complaint(wrong)}"
        return None if len(set(value)) == len(value) else "must name each place once: a worker serves one server"


@dataclass(frozen=True)
class ServerConfig(EngineOptions):
    """What to serve and how. An option that is None lets the engine decide.

    ``port`` None takes a free one from ``base_port`` to ``base_port + 99``. ``context_size`` is in tokens, 0 is the
    model's own. ``gpu_layers`` -1 is the engine's automatic choice. ``jinja`` False turns templates off, which None
    does not. ``spec_draft_n_max`` (MTP draft tokens) None or 0 means no drafting, whatever ``spec_draft_p_min``
    (least probability of a draft token, 0 to 1) is. ``extra_args`` follow last, verbatim. ``alias`` None is the
    model's name; it may be several names with commas between. A runner adds a number to names that another of its
    servers has, and uses a name among the ``extra_args`` as the ``alias``. ``place`` is the id of where it is to run,
    ``engine`` that of what serves it there; None is the place's own engine, and the place knows which others it has.
    ``rpc_workers`` are the ids of places whose computers take a part of the model each.
    """

    model_id: int
    model_name: str
    model_path: Path
    base_port: int = limited(PORT)
    place: str = limited(PLACE, default="local")
    rpc_workers: tuple[str, ...] = limited(Places(), default=())

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.model_name:
            raise ConfigurationError("model_name", "", "must not be empty")

    @classmethod
    @override
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Names it after the file where an earlier version wrote no name."""
        if mapping.get("model_name") == "":
            mapping = {**mapping, "model_name": Path(mapping.get("model_path", "")).stem or "model"}
        return super().from_mapping(mapping)

    @property
    def client_names(self) -> tuple[str, ...]:
        """The names by which clients are to call the model, if they are not taken."""
        return names_in(self.alias_moved().alias) or default_names(self.model_name, self.model_path)

    def named(self, taken: Collection[str] = ()) -> ServerConfig:
        """With an alias that contains none of the ``taken`` names."""
        moved = self.alias_moved()
        if moved.alias is None and not ALIAS_FLAGS.isdisjoint(moved.extra_args):
            return self  # the engine refuses a flag without its value
        return moved.replace(alias=",".join(free_names(self.client_names, taken)) or None)

    def named_as_before(self, former: Sequence[str]) -> ServerConfig:
        """With the names of its server's last process, if they only differ in their numbers.

        This keeps a server's name over a restart.
        """
        if not are_numbered(former, self.client_names):
            return self
        return self.alias_moved().replace(alias=",".join(former))


@dataclass(frozen=True)
class ProcessHandle(Value):
    """One server process, identified by pid, start time and port together. ``started_at`` is in unix seconds.

    ``place`` is the id of where it runs. ``run`` identifies the server if ``pid`` is None: for example in a container,
    whose processes have no number here.
    """

    model_id: int
    model_name: str
    pid: int | None = limited(Limits(1))
    port: int = limited(Limits(1, 65535))
    started_at: int = limited(Limits(0))
    place: str = "local"
    run: str = ""


@dataclass(frozen=True)
class ServerHealth(Value):
    """The answer to a health check. ``last_check`` is the unix time of the last successful one, in seconds."""

    healthy: bool
    last_check: int | None = None
    context_size: int | None = None
    message: str | None = None
