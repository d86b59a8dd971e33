"""Attempts to connect to one computer, with the user's own configuration of ssh (docs/adr/0013)."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gglib_desktop.adapters.ssh.asking import Asker
from gglib_desktop.adapters.ssh.master import Master, Refused
from gglib_desktop.adapters.ssh.refusals import Cause, Refusal
from gglib_desktop.domain.documents.ssh_address import SshAddress

# ssh adds 17 characters to the path of a socket, which may have 107.
_MOST_PATH = 60


class Connector:
    """``name`` is how the user knows the computer."""

    def __init__(
        self,
        address: SshAddress,
        *,
        name: str = "",
        config: Path | None = None,
        environment: Mapping[str, str] = os.environ,
        asker: Asker | None = None,
    ) -> None:
        """``config`` takes the place of the user's own configuration of ssh. Without ``asker`` no question is asked."""
        self.name = name or address.host
        self._address = address
        self._config = config
        self._environment = environment
        self._asker = asker
        self._folder: Path | None = None

    async def attempt(self, *, may_ask: bool) -> Master:
        """Raises: Refused."""
        program = shutil.which("ssh", path=self._environment.get("PATH"))
        if program is None:
            raise Refused(Refusal(Cause.LOST, "ssh is not installed on this computer (package openssh-client)"))
        if self._folder is None:
            self._folder = await asyncio.to_thread(_private_folder, self._environment)
        asking = await self._asker.attempt(self.name) if self._asker and may_ask else None
        try:
            return await Master.open(
                program,
                self._address,
                config=self._config,
                folder=self._folder,
                environment=self._environment,
                asking=asking,
            )
        except Refused as exc:
            if asking is not None and asking.was_called_off:
                raise Refused(Refusal(Cause.NOT_AUTHORIZED, "the question of ssh was not answered")) from None
            if self._asker is not None and may_ask and exc.why.cause is Cause.CHANGED_HOST_KEY:
                self._asker.tell_changed(self.name, exc.why.fingerprint)
            raise
        finally:
            if asking is not None:
                await asking.aclose()

    async def aclose(self) -> None:
        """Removes what the connections needed."""
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


def _private_folder(environment: Mapping[str, str]) -> Path:
    """A new folder for this user alone, with a path so short that ssh can make sockets there. Blocks."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    parents = (runtime, tempfile.gettempdir(), "/tmp")  # noqa: S108  # mkdtemp makes a folder of its own
    short = next(
        each for each in parents if os.path.isabs(each) and len(each) < _MOST_PATH and os.access(each, os.W_OK)
    )
    return Path(tempfile.mkdtemp(prefix="gglib-ssh-", dir=short))
