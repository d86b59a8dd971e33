"""The folder of runs on another computer, and the scripts that do something in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import re
import uuid
from collections.abc import Sequence
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.places.ssh.scripts import script
from gglib_desktop.adapters.places.ssh.shell import Shell
from gglib_desktop.adapters.places.ssh.told import Computer, Known, pairs, text
from gglib_desktop.adapters.ssh.machine import Answer, Machine
from gglib_desktop.domain.errors import RunnerUnavailable, StartFailed

# The name of a run without that of its model: the path of a socket must be short.
_NAME = re.compile(r"(\d{8}-\d{6})-(?:.*-)?([0-9a-f]{8})")
_SOCKET = "s.sock"
_LONGEST_SOCKET = 107
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def folder_of(run: str) -> str:
    """The name of a run's folder there."""
    found = _NAME.fullmatch(run)
    return f"{found[1]}-{found[2]}" if found else run


class Runs:
    """Those of one owner on one computer. Methods raise RunnerUnavailable."""

    def __init__(self, machine: Machine, data_dir: Path, programs: Sequence[str]) -> None:
        """The data directory is the owner. ``programs`` are looked for in PATH there."""
        self._machine = machine
        self._shell = Shell(machine)
        self._data_dir = data_dir
        self._programs = programs
        self.owner = ""
        self.computer: Computer | None = None

    async def aclose(self) -> None:
        """Ends the link. What runs there goes on."""
        await self._shell.aclose()
        await self._machine.aclose()

    async def greeted(self, *, again: bool = False) -> Computer:
        """What is known of the computer, asked once, or ``again``."""
        if self.computer is None or again:
            self.owner = self.owner or await asyncio.to_thread(_owner_id, self._data_dir)
            answer = await self._shell.run(script("hello"), *self._programs)
            self.computer = Computer.of(answer.output)
        return self.computer

    def ask_again(self) -> None:
        """As ``Machine.ask_again``."""
        self._machine.ask_again()

    async def told(self, name: str, *arguments: str, limit_s: float = 10) -> Answer:
        """What a script says that is about no run."""
        return await self._shell.run(script(name), *arguments, limit_s=limit_s)

    def socket(self, run: str) -> str | None:
        """Where a server may listen there; None where its path would be too long."""
        path = f"{self.computer.root}/{folder_of(run)}/{_SOCKET}" if self.computer is not None else ""
        return path if path and len(path.encode("utf-8", "surrogateescape")) <= _LONGEST_SOCKET else None

    async def ask(self, name: str, run: str, *arguments: str) -> bytes:
        """Runs a script that is about one run, and gives what it said."""
        folder = folder_of(run)
        if not _PLAIN.fullmatch(folder):
            raise RunnerUnavailable(f"no run is called {run!r}")
        return await self._said(name, folder, *arguments)

    async def ask_all(self, name: str, *arguments: str) -> bytes:
        """Runs a script that is about all runs of this owner."""
        await self.greeted()
        return await self._said(name, self.owner, *arguments)

    async def others(self) -> bytes:
        """What the script says of the runs of all owners."""
        return await self._said("others")

    async def start(self, run: str, launch: bytes, address: str) -> Known | None:
        """Returns its process; None if that has ended already. Raises: StartFailed in the words of the computer."""
        root = (await self.greeted()).root
        arguments = (root, folder_of(run), script("runs/supervise"), self._signature, address)
        answer = await self._shell.run(script("runs/start"), *arguments, input=launch, limit_s=20)
        if answer.status:
            raise StartFailed(f"that computer does not start it: {_words(answer)}")
        return Known.of(pairs(answer.output))

    async def begin_to_stop(self, run: str, process: str, limits_s: tuple[float, float, float]) -> None:
        tenths = (str(round(limit_s * 10)) for limit_s in limits_s)
        await self.ask("stop", run, process, script("runs/ladder"), *tenths)

    async def take(self, run: str, owner: str, lease_s: int) -> str:
        """Makes a run of ``owner`` ours, if it has no lease any more. Returns ``taken`` or ``kept``."""
        told = await self.ask("take", run, owner, self._signature, str(lease_s))
        return text(told).strip()

    @property
    def _signature(self) -> str:
        """The owner, and what tells people whose the run is."""
        return f"{self.owner} {platform.node()}:{os.path.abspath(self._data_dir)}".replace("\n", " ")

    async def _said(self, name: str, *arguments: str) -> bytes:
        root = (await self.greeted()).root
        answer = await self._shell.run(script(f"runs/{name}"), root, *arguments)
        if answer.status:
            raise RunnerUnavailable(_words(answer))
        return answer.output


def _words(answer: Answer) -> str:
    return text(answer.output).strip() or f"its script ended with status {answer.status}"


def _owner_id(data_dir: Path) -> str:
    """By which other computers know this data directory. Blocks. Raises: RunnerUnavailable."""
    path = data_dir / "owner-id"
    try:
        if not path.exists():
            draft = data_dir / f"owner-id.{uuid.uuid4().hex}"
            private.write_draft(draft, uuid.uuid4().hex.encode("ascii"))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text(encoding="ascii").strip()
    except OSError as exc:
        raise RunnerUnavailable(f"cannot write {path}: {exc.strerror}") from exc
