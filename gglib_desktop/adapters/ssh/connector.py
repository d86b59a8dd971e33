"""Attempts to connect to one computer, with the user's own configuration of ssh (docs/adr/0013)."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from gglib_desktop.adapters.ssh.asking import Asker
from gglib_desktop.adapters.ssh.master import Master, Refused
from gglib_desktop.adapters.ssh.private_folder import private_folder
from gglib_desktop.adapters.ssh.refusals import Cause, Refusal
from gglib_desktop.domain.documents.ssh_address import SshAddress


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
        self.host = address.host
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
        try:
            if self._folder is None:
                self._folder = await asyncio.to_thread(private_folder, self._environment)
            asking = await self._asker.attempt(self.name) if self._asker and may_ask else None
        except OSError as exc:
            raise Refused(Refusal(Cause.LOST, f"ssh cannot be used: {exc.strerror or exc}")) from exc
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
                cause = Cause.NOT_AUTHORIZED if exc.why.cause is Cause.LOST else exc.why.cause
                raise Refused(Refusal(cause, "the question of ssh was not answered")) from None
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
