"""The models of a router, as it tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RoutedState(StrEnum):
    """What a router says of one of its models. FAILED: its process ended by itself, which a request may mend."""

    UNLOADED = "unloaded"
    LOADING = "loading"
    LOADED = "loaded"
    FAILED = "failed"


@dataclass(frozen=True)
class RoutedModel:
    """One model of a router. ``progress``, from 0 to 1, is that of its loading, if known.

    ``exit_status`` is that of its last process, if that failed. A router does not tell signals from codes.
    """

    name: str
    state: RoutedState = RoutedState.UNLOADED
    progress: float | None = None
    exit_status: int | None = None

    @property
    def can_load(self) -> bool:
        return self.state in {RoutedState.UNLOADED, RoutedState.FAILED}
