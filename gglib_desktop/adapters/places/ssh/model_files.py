"""The model files of another computer, looked at over ssh."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gglib_desktop.adapters.places.ssh.scripts import script
from gglib_desktop.adapters.places.ssh.told import text
from gglib_desktop.adapters.ssh.machine import Machine
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.ports.models.place_files import ListedFile

_BLOCK_BYTES = 2**16
# Large trees on slow disks.
_LISTING_S, _READING_S = 120.0, 60.0
# The arguments of one program there have a limit together.
_ROOTS_AT_ONCE = 400
_WHY = {
    "gone": "the file does not exist",
    "other": "it is not a file",
    "closed": "permission to read the file is denied",
}


class SshModelFiles:
    """See ``PlaceFiles``. Each question is a session of its own: what is said is larger than lines may be."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.on_change: Callable[[Callable[[], object]], Callable[[], None]] = machine.on_change

    @property
    def is_lost(self) -> bool:
        return self._machine.since is not None

    async def listed(self, roots: Sequence[str]) -> Sequence[ListedFile]:
        files: list[ListedFile] = []
        for begin in range(0, len(roots), _ROOTS_AT_ONCE):
            some = roots[begin : begin + _ROOTS_AT_ONCE]
            answer = await self._machine.run(script("models"), *some, limit_s=_LISTING_S)
            files.extend(_files(answer.output))
        return files

    async def read(self, path: Path, offset: int, count: int) -> bytes:
        first, end = offset // _BLOCK_BYTES, -(-(offset + count) // _BLOCK_BYTES)
        blocks = str(first), str(end - first)
        answer = await self._machine.run(script("range"), str(path), *blocks, limit_s=_READING_S)
        if answer.status:
            raise InvalidModelFile(path, _WHY.get(text(answer.output).strip(), "the file cannot be read there"))
        begin = offset - first * _BLOCK_BYTES
        return answer.output[begin : begin + count]


def _files(output: bytes) -> Iterator[ListedFile]:
    words = output.split(b"\0")
    for told, path, real in zip(words[::3], words[1::3], words[2::3], strict=False):
        size, time, device, inode = told.split()
        leads_to = Path(os.fsdecode(real)) if real else None
        yield ListedFile(Path(os.fsdecode(path)), int(size), _nanoseconds(time), leads_to, int(device), int(inode))


def _nanoseconds(seconds: bytes) -> int:
    whole, _point, part = seconds.partition(b".")
    return int(whole) * 10**9 + int(part[:9].ljust(9, b"0") or b"0")
