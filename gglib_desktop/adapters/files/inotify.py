"""The kernel's inotify, which Python's library does not offer. Every call releases the interpreter lock."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from typing import NamedTuple

_MODIFY = 0x00000002
_ATTRIB = 0x00000004
_CLOSE_WRITE = 0x00000008
_MOVED_FROM = 0x00000040
_MOVED_TO = 0x00000080
_CREATE = 0x00000100
_DELETE = 0x00000200
_DELETE_SELF = 0x00000400
_MOVE_SELF = 0x00000800
_UNMOUNT = 0x00002000
_OVERFLOW = 0x00004000
_IGNORED = 0x00008000
_ONLYDIR = 0x01000000
_EXCL_UNLINK = 0x04000000
_ISDIR = 0x40000000
_ONESHOT = 0x80000000

_CAME = _CREATE | _MOVED_TO
_WENT = _DELETE | _MOVED_FROM
_SELF_WENT = _DELETE_SELF | _MOVE_SELF
# Not MODIFY: a download would report itself thousands of times a second, and its end is a CLOSE_WRITE.
_WANTED = _CAME | _WENT | _SELF_WENT | _CLOSE_WRITE | _ATTRIB | _ONLYDIR | _EXCL_UNLINK
_ONE_WRITE = _MODIFY | _WENT | _ONLYDIR | _ONESHOT
_EVENT = struct.Struct("iIII")
_READ_BYTES = 2**16


class InotifyEvent(NamedTuple):
    """An event in the folder ``watch``; ``name`` is empty if it concerns that folder itself."""

    watch: int
    mask: int
    name: str

    @property
    def is_folder(self) -> bool:
        return bool(self.mask & _ISDIR)

    @property
    def created(self) -> bool:
        return bool(self.mask & _CREATE)

    @property
    def went(self) -> bool:
        """It no longer has this name."""
        return bool(self.mask & _WENT)

    @property
    def watch_went(self) -> bool:
        """The watched folder itself is gone or elsewhere."""
        return bool(self.mask & (_SELF_WENT | _UNMOUNT | _IGNORED))

    @property
    def overflow(self) -> bool:
        """More happened than the kernel could report."""
        return bool(self.mask & _OVERFLOW)


class Inotify:
    """One inotify instance for one thread. Raises OSError, also if the system has no inotify."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(None, use_errno=True)
            self._fd = _checked(self._library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        except (AttributeError, TypeError) as exc:
            raise OSError("this system has no inotify") from exc
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def watch_also(self, fd: int) -> None:
        """Becomes readable as soon as ``read`` has an event."""
        self._poll.register(fd, select.POLLIN)

    def add(self, folder: str) -> int:
        """Watches a folder without the folders below it. The same folder gets the same number."""
        return _checked(self._library.inotify_add_watch(self._fd, os.fsencode(folder), _WANTED), folder)

    def add_once(self, folder: str) -> int:
        """Watches a folder until a file in it is written or goes: the first time is one event, later times are none."""
        return _checked(self._library.inotify_add_watch(self._fd, os.fsencode(folder), _ONE_WRITE), folder)

    def fileno(self) -> int:
        """Readable while there are events."""
        return self._fd

    def remove(self, watch: int) -> None:
        self._library.inotify_rm_watch(self._fd, watch)  # fails if the folder is gone, which is fine

    def read(self, timeout_s: float) -> list[InotifyEvent]:
        """The next events, none after ``timeout_s``."""
        self._poll.poll(timeout_s * 1000)
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return []
        events = []
        offset = 0
        while offset < len(data):
            watch, mask, _cookie, length = _EVENT.unpack_from(data, offset)
            offset += _EVENT.size
            events.append(InotifyEvent(watch, mask, os.fsdecode(data[offset : offset + length].rstrip(b"\0"))))
            offset += length
        return events

    def close(self) -> None:
        os.close(self._fd)


def _checked(result: int, path: str | None = None) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result
