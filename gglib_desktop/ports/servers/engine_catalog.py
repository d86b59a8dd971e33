"""The port that finds inference engines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gglib_desktop.domain.engine.capabilities import Engine, EngineDevice

if TYPE_CHECKING:  # not needed before the window is there
    from gglib_desktop.domain.servers.dialect import Dialect


class EngineCatalog(Protocol):
    """Finds server programs of one kind and says what they can do, by running them."""

    @property
    def dialect(self) -> Dialect:
        """What programs of this kind call things."""

    async def find(self, configured: Path | None) -> Engine:
        """The engine in force: the environment's, else ``configured``, else one from PATH, else the packaged one.

        Raises: ConfigurationError for the field ``engine``, saying what is wrong with the one that was named.
        """

    async def inspect(self, path: Path) -> Engine:
        """The engine at ``path``. Raises: ConfigurationError for the field ``engine``."""

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:
        """What ``engine`` can compute on besides the CPU; none when it does not tell."""
