"""This computer as a place for servers that do not outlive this program."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from typing_extensions import override

from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.local import processes
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.domain.servers.record import ServerRecord

# The server takes the place of the shell, so that its process is the one that was started. Beside it a small one waits
# for the end of the pipe, which the kernel closes however this program ends. It belongs to the group that it ends, so
# that group is that of the server as long as it lives.
_HOLD = 'exec 3<&0; { read -r line <&3; rm -f -- "$0"; kill -s KILL -- "-$$"; } & exec "$@" 3<&- </dev/null'


class HeldPlace(LocalPlace):
    """Its servers end with this program, their records too: each is held by a pipe to it."""

    def __init__(
        self, data_dir: Path, records: Path, *, environment: Mapping[str, str], in_thread: InThread, log_bytes: int
    ) -> None:
        """``records``: the folder with those of the runner."""
        super().__init__(data_dir, environment=environment, in_thread=in_thread, log_bytes=lambda: log_bytes)
        self._records = records
        self._pipe: tuple[int, int] | None = None

    @override
    async def aclose(self) -> None:
        """Ends what is still held."""
        await super().aclose()
        pipe, self._pipe = self._pipe, None
        for each in pipe or ():
            with contextlib.suppress(OSError):
                os.close(each)

    @override
    def _spawn(
        self,
        record: ServerRecord,
        argv: tuple[str, ...],
        environment: Mapping[str, str],
        output_fd: int,
        folder: Path | None,
    ) -> int:
        if self._pipe is None:
            self._pipe = os.pipe()
        held = ("/bin/sh", "-uc", _HOLD, str(self._records / f"{record.run}.json"), *argv)
        return processes.spawn(held, environment, output_fd, folder, input_fd=self._pipe[0])
