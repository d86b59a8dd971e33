"""What a start asks of earlier measurements."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.launch.options import MeasuredDrafting
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import ServerConfig

Measured: TypeAlias = Callable[[Model, ServerConfig, Engine | None], MeasuredDrafting | None]
"""What was measured of a model's drafting for such a configuration and engine; None: nothing that counts."""


def not_measured(_model: Model, _config: ServerConfig, _engine: Engine | None) -> None:
    """Says so of all."""
