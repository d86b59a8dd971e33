"""The program's own settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.values import PORT, Limits, Value, documented, limited

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


@dataclass(frozen=True, kw_only=True)
class AppSettings(Value):
    """Settings of the program. ``engine_path`` None: look for an engine. ``stop_grace_s`` counts from SIGTERM.

    All models start with ``defaults`` unless a model or a launch says otherwise.
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

    @property
    def log_bytes(self) -> int:
        """How much the log of a server may take."""
        return self.log_size_mib * _MIB
