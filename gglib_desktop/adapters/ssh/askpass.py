"""Lets the window answer what ssh asks. No answer is kept or logged, and none is given but the user's."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.ssh import askpass_program
from gglib_desktop.adapters.ssh.private_folder import private_folder
from gglib_desktop.domain.documents.ssh_questions import ChangedHostKey, HostKeyQuestion, read_question
from gglib_desktop.ports.machine.ssh_questions import SshQuestions
from gglib_desktop.tasks import LogReporter, TaskScope

_FOR_THIS_USER = 0o600
_RUNNABLE = 0o700
_LONGEST_QUESTION = 2**16
_QUESTION_S = 5.0
_PROGRAM = """#!/bin/sh
{variable}={token} exec {python} -I -S {program} {socket} "$1"
"""


class Askpass:
    """See ``Asker``. Each attempt has a program, a socket and a token of its own."""

    def __init__(self, questions: SshQuestions, environment: Mapping[str, str]) -> None:
        self._questions = questions
        self._environment = environment

    async def attempt(self, machine: str) -> AskpassAttempt:
        """Raises: OSError."""
        attempt = AskpassAttempt(self._questions, machine, self._environment)
        try:
            await attempt.open()
        except BaseException:
            await attempt.aclose()
            raise
        return attempt

    def tell_changed(self, machine: str, fingerprint: str) -> None:
        self._questions.tell(ChangedHostKey(machine, fingerprint))


class AskpassAttempt:
    """See ``Asking``. After one question without an answer it answers none: ssh would put it again."""

    def __init__(self, questions: SshQuestions, machine: str, environment: Mapping[str, str]) -> None:
        self._questions = questions
        self._machine = machine
        self._environment = environment
        self._token = secrets.token_hex(16)
        self._scope = TaskScope(LogReporter())
        self._folder: Path | None = None
        self._server: asyncio.Server | None = None
        self._open = 0
        self.was_called_off = False

    @property
    def is_open(self) -> bool:
        return self._open > 0

    @property
    def variables(self) -> Mapping[str, str]:
        assert self._folder is not None
        # Before 8.4 ssh asked a program only where there was a display.
        display = self._environment.get("DISPLAY") or "none"
        return {"SSH_ASKPASS": str(self._folder / "ask"), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": display}

    async def open(self) -> None:
        self._folder = folder = await asyncio.to_thread(private_folder, self._environment, runs_programs=True)
        self._server = await asyncio.start_unix_server(self._accept, folder / "socket", limit=_LONGEST_QUESTION)
        (folder / "socket").chmod(_FOR_THIS_USER)
        program = askpass_program.__spec__
        assert program is not None
        assert program.origin is not None
        text = _PROGRAM.format(
            variable=askpass_program.TOKEN_VARIABLE,
            token=self._token,
            python=shlex.quote(sys.executable),
            program=shlex.quote(program.origin),
            socket=shlex.quote(str(folder / "socket")),
        )
        await asyncio.to_thread(private.write_draft, folder / "ask", text.encode())
        (folder / "ask").chmod(_RUNNABLE)

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._scope.aclose()
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._scope.start(self._serve(reader, writer), name="question of ssh")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(_QUESTION_S):
                token, hint, prompt = json.loads(await reader.readline())
            if not hmac.compare_digest(str(token).encode(), self._token.encode()) or self.was_called_off:
                return
            # Something else than an answer is wanted: a touch of a security key, or to be allowed something.
            if hint:
                await reader.read()
                return
            answer = await self._answer(str(prompt), reader)
            if answer is not None:
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()

    async def _answer(self, prompt: str, reader: asyncio.StreamReader) -> str | None:
        """None: there is none, or ssh has gone."""
        self._open += 1
        asked = self._scope.start(self._ask(prompt), name="ask the user for ssh")
        gone = self._scope.start(reader.read(), name="ssh that asks")
        try:
            await asyncio.wait({asked, gone}, return_when=asyncio.FIRST_COMPLETED)
            answer = asked.result() if asked.done() else None
            self.was_called_off |= answer is None and not gone.done()
            return answer
        finally:
            self._open -= 1
            asked.cancel()
            gone.cancel()

    async def _ask(self, prompt: str) -> str | None:
        question = read_question(prompt, self._machine)
        if question is None:
            return None
        if isinstance(question, HostKeyQuestion):
            return "yes" if await self._questions.trusts(question) else None
        return await self._questions.secret(question)
