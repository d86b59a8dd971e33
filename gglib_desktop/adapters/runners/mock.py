"""Simulated servers: a runner for demonstrations and fast tests that starts no process and opens no port."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.runners.client_names import ClientNames
from gglib_desktop.adapters.runners.data_lock import DataLock
from gglib_desktop.adapters.runners.lookups import ServerLookups
from gglib_desktop.adapters.runners.mock_server import (
    SIMULATED_ENGINE,
    MockScript,
    MockServer,
    MockTimings,
    may_be_model,
    port_for,
)
from gglib_desktop.adapters.runners.port_allocator import PortAllocator
from gglib_desktop.adapters.runners.records import ServerRecord, run_name
from gglib_desktop.domain.errors import (
    ConfigurationError,
    KeyStoreError,
    NotRunning,
    RunnerUnavailable,
    StartFailed,
)
from gglib_desktop.domain.llama_cpp.argv import server_argv
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.options.client_names import names_said
from gglib_desktop.domain.servers.access import needs_key
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.exits import ServerExit, StopRung
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, Probe, ProbeResult, Usage
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig, ServerHealth
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.servers.server_monitor import LogChunk

_log = logging.getLogger(__name__)
# Beyond the greatest pid that Linux gives (2 ** 22), so that none of these is ever a real process.
_FIRST_PID = 5_000_001
_CONTEXT_SIZE, _SLOTS = 8192, 4
_TEMPLATE = "{{ messages }}"
_CRASH_STATUS, _KILL_STATUS = -11, -9
_LOADED = "model loaded"
_IDLE = "all slots are idle"
_LOG_TAIL_BYTES = 64 * 1024
_RSS_BYTES = 64 * 2**20


class MockRunner(ServerLookups[MockServer]):
    """Simulates llama-server: nothing runs, everything is shown. Servers outlive the runner as real ones do."""

    def __init__(
        self,
        data_dir: Path,
        *,
        timings: MockTimings | None = None,
        mtp_suppressed: bool = False,
        keys: KeyStore | None = None,
    ) -> None:
        super().__init__()
        self._keys = keys or KeptKey(data_dir / KEY_FILE)
        self._timings = timings or MockTimings()
        self._mtp_suppressed = mtp_suppressed
        self._lock = DataLock(data_dir)
        self._file = data_dir / "mock-servers.json"
        self._draft = self._file.with_suffix(".tmp")
        self._logs = LogFolder(data_dir / "logs")
        self._ports = PortAllocator()
        self._names = ClientNames(lambda: [server.record for server in self._running()])
        self._next_pid = _FIRST_PID
        self._is_open = False
        self._left = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_reason: object) -> None:
        """Gives the lock back. Servers stay in the record, for the next runner."""
        self._left = True
        for server in self._servers.values():
            server.end_timers()
            server.exited.cancel()
        self._servers.clear()
        self._lock.release()

    # -- ProcessRunner

    async def start(self, config: ServerConfig) -> ProcessHandle:
        self._open()
        port = await port_for(config, self._ports, self._running)
        with self._ports.reserved(port), self._names.named(config) as named:
            argv = server_argv(named, SIMULATED_ENGINE, port, mtp_suppressed=self._mtp_suppressed)
            record = ServerRecord(run_name(config.model_name), config.alias_moved(), port, shell_line(argv))
            key = await self._keys.key() if needs_key(config) else None
            await asyncio.sleep(self._timings.answer_s)
            self._open()
            return self._begin(record, key)

    async def stop(self, handle: ProcessHandle) -> None:
        self._open()
        server = self._server(handle)
        if server.stopped_by is StopRung.NONE:
            server.stopped_by = StopRung.SIGTERM
            self._print(server, "I srv    operator(): operator(): cleaning up before exit...")
            server.at(server.age_s + server.script.stop_s, lambda: self._end(server, 0))
        await asyncio.shield(server.exited)

    async def is_running(self, handle: ProcessHandle) -> bool:
        self._open()
        server = self._servers.get(handle)
        return server is not None and not server.exited.done()

    async def health(self, handle: ProcessHandle) -> ServerHealth:
        self._open()
        self._server(handle)
        probe = await self.probe(handle, PROBE_TIMEOUT_S)
        server = self._server(handle)
        facts = await self.facts(handle)
        context_size = facts.context_size if facts is not None else None
        return ServerHealth(probe.result is ProbeResult.OK, server.last_ok, context_size, probe.message or None)

    async def list_running(self) -> Sequence[ProcessHandle]:
        self._open()
        return sorted((s.handle for s in self._running()), key=lambda handle: (handle.started_at, handle.port))

    # -- ServerMonitor

    async def check(self, config: ServerConfig, *, instead_of: ProcessHandle) -> None:
        self._open()
        port = await port_for(config, self._ports, lambda: [s for s in self._running() if s.handle != instead_of])
        server_argv(config, SIMULATED_ENGINE, port, mtp_suppressed=self._mtp_suppressed)

    async def probe(self, handle: ProcessHandle, timeout_s: float) -> Probe:
        server = self._servers.get(handle)
        if server is not None and server.frozen:
            await asyncio.wait({server.exited}, timeout=timeout_s)
        if server is None or server.exited.done():
            return Probe(ProbeResult.REFUSED, "the process is gone")
        if server.frozen:
            return Probe(ProbeResult.TIMEOUT, f"no answer within {timeout_s:g} s")
        if not server.is_ready:
            return Probe(ProbeResult.LOADING, "loading the model")
        server.last_ok = int(time.time())
        return Probe(ProbeResult.OK)

    async def usage(self, handle: ProcessHandle) -> Usage | None:
        server = self._servers.get(handle)
        if server is None or server.exited.done():
            return None
        # Loading keeps one core busy, waiting none.
        cpu_s = min(server.age_s, server.script.load_s)
        return Usage(cpu_s, _RSS_BYTES, paused=server.frozen, log_bytes=self._logs.size(server.record.run))

    async def facts(self, handle: ProcessHandle) -> ServerFacts | None:
        server = self._servers.get(handle)
        if server is None or not server.answers:
            return None
        config = server.record.config
        if server.key is None and needs_key(config):
            # An adopted one: nobody can ask a process for it that is none.
            with contextlib.suppress(KeyStoreError):
                server.key = await self._keys.key()
        size, slots = server.script.context or config.context_size or _CONTEXT_SIZE, max(0, config.parallel or 0)
        # Of a size that nobody asked for nobody is to think that memory or the model had to do with it.
        shared = not slots if config.context_size or server.script.context else None
        return ServerFacts(
            context_size=size // (slots or 1),
            slots=slots or _SLOTS,
            model_path=str(config.model_path),
            build="simulated",
            chat_template=config.chat_template or _TEMPLATE,
            context_shared=shared,
            drafts=bool(config.spec_draft_n_max) and not self._mtp_suppressed,
            wants_key=server.key is not None,
            alias=min(names_said(server.record.command_line), default=None),
        )

    async def busy_slots(self, handle: ProcessHandle) -> int | None:
        server = self._servers.get(handle)
        return 0 if server is not None and server.answers else None

    async def wait_exit(self, handle: ProcessHandle) -> ServerExit:
        server = self._servers.get(handle)
        return await asyncio.shield(server.exited) if server is not None else ServerExit(None)

    async def kill(self, handle: ProcessHandle) -> None:
        server = self._servers.get(handle)
        if server is not None and not server.exited.done():
            server.stopped_by = StopRung.SIGKILL
            self._end(server, _KILL_STATUS)

    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        return await asyncio.to_thread(self._logs.read, log_name, offset, limit_bytes)

    # -- ForeignServers: nobody else simulates any

    async def list_foreign(self) -> Sequence[ForeignServer]:
        self._open()
        return ()

    async def adopt(self, server: ForeignServer, **_model: object) -> ProcessHandle:
        raise NotRunning(f"process {server.pid} is gone")

    async def stop_foreign(self, server: ForeignServer) -> None:
        raise NotRunning(f"process {server.pid} is gone")

    # -- what happens to servers, for tests and chaos

    def crash(self, handle: ProcessHandle, status: int = _KILL_STATUS) -> None:
        """Ends a server as if it had died or somebody else had killed it. Raises: NotRunning."""
        self._end(self._server(handle), status)

    def freeze(self, handle: ProcessHandle) -> None:
        """Makes a server answer nothing any more, as SIGSTOP does. Raises: NotRunning."""
        self._server(handle).frozen = True

    def thaw(self, handle: ProcessHandle) -> None:
        """Undoes ``freeze``. Raises: NotRunning."""
        self._server(handle).frozen = False

    # -- the life of a server

    def _begin(self, record: ServerRecord, key: str | None) -> ProcessHandle:
        script = self._script(record)
        record = record.replace(pid=self._next_pid, started_at=int(time.time()))
        server = MockServer(record, script, adopted=False)
        server.key = key
        self._next_pid += 1
        self._servers[server.handle] = server
        try:
            self._save()
        except RunnerUnavailable:
            del self._servers[server.handle]
            raise
        self._print(server, f"I srv    load_model: loading model '{record.config.model_path}'")
        self._arm(server)
        return server.handle

    def _arm(self, server: MockServer) -> None:
        script = server.script
        # By the log and not by age: a start time in whole seconds makes an adopted server look older than it is.
        tail = self._logs.read(server.record.run, -_LOG_TAIL_BYTES, _LOG_TAIL_BYTES).data if server.adopted else b""
        server.is_ready = _LOADED.encode() in tail or _IDLE.encode() in tail
        if not server.is_ready and script.ready_at_s is not None and script.ready_at_s <= server.age_s:
            self._on_ready(server)
        elif not server.is_ready:
            server.at(script.ready_at_s, lambda: self._on_ready(server))
        server.at(script.failing_at_s, lambda: self._on_load_failed(server))
        server.at(script.crashing_at_s, lambda: self._end(server, _CRASH_STATUS))
        server.at(script.freezing_at_s, lambda: self.freeze(server.handle))
        server.at(max(server.age_s, script.load_s) + self._timings.log_every_s, lambda: self._on_pulse(server))

    def _on_ready(self, server: MockServer) -> None:
        server.is_ready = True
        self._print(
            server,
            *(f"I srv  line {number}" for number in range(server.script.log_lines)),
            f"I srv  llama_server: {_LOADED}",
            f"I srv  llama_server: listening on http://127.0.0.1:{server.handle.port}",
        )

    def _on_load_failed(self, server: MockServer) -> None:
        self._print(server, f"E {server.script.fail_load}", "E srv  llama_server: exiting due to model loading error")
        self._end(server, 1)

    def _on_pulse(self, server: MockServer) -> None:
        if not server.frozen:
            self._print(server, f"I srv  update_slots: {_IDLE}")
        server.at(server.age_s + self._timings.log_every_s, lambda: self._on_pulse(server))

    def _end(self, server: MockServer, status: int) -> None:
        server.end_timers()
        # Only a parent learns how its child ended; the parent of an adopted one is gone.
        server.exited.set_result(ServerExit(None if server.adopted else status, server.stopped_by))
        try:
            self._save()
        except RunnerUnavailable as exc:
            _log.warning("%s", exc)

    def _script(self, record: ServerRecord) -> MockScript:
        """Raises: StartFailed with the words of llama-server for a flag that we do not have."""
        script = MockScript(self._timings.load_s, self._timings.stop_s)
        for word in record.config.extra_args:
            try:
                script = script.with_flag(word)
            except ValueError as exc:
                line = f"error: invalid argument: {word}"
                self._append(record.run, f"{line}\n")
                summary = "the server ended before it answered (exit code 1)"
                raise StartFailed(
                    summary, exit_status=1, log_lines=(line,), log_name=record.run, command_line=record.command_line
                ) from exc
        if script.fail_load is None and not may_be_model(record.config.model_path):
            script = dataclasses.replace(
                script, fail_load="gguf_init_from_reader: invalid magic characters, failed to load model"
            )
        return script

    # -- logs

    def _print(self, server: MockServer, *texts: str) -> None:
        """Adds lines with the time stamps of llama-server: minutes, seconds, milliseconds, microseconds."""
        seconds, us = divmod(int(server.age_s * 1e6), 1_000_000)
        stamp = f"{seconds // 60}.{seconds % 60:02}.{us // 1000:03}.{us % 1000:03}"
        self._append(server.record.run, "".join(f"{stamp} {text}\n" for text in texts))

    def _append(self, run: str, text: str) -> None:
        try:
            with os.fdopen(self._logs.open_for_append(run), "ab") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
        except (OSError, RunnerUnavailable) as exc:
            _log.warning("cannot write the log of %s: %s", run, exc)

    # -- the record

    def _open(self) -> None:
        """Takes the lock and adopts what an earlier runner left, once."""
        if self._left:
            raise RunnerUnavailable("the runner is closed")
        if self._is_open:
            return
        self._lock.acquire()
        self._is_open = True
        last_pid, records = self._saved()
        self._next_pid = max(_FIRST_PID, last_pid + 1)
        for record in records:
            with contextlib.suppress(StartFailed):
                server = MockServer(record, self._script(record), adopted=True)
                if not server.script.is_over_after(server.age_s):
                    self._servers[server.handle] = server
                    self._arm(server)
        if len(self._servers) < len(records) or self._draft.exists():
            # Those that ended while no program ran have no place in the record any more, nor has half a record one.
            self._save()

    def _saved(self) -> tuple[int, list[ServerRecord]]:
        """The last pid given and the servers that ran. A file that cannot be read is set aside."""
        try:
            saved = json.loads(self._file.read_text(encoding="utf-8"))
            return int(saved["last_pid"]), [ServerRecord.from_mapping(each) for each in saved["servers"]]
        except FileNotFoundError:
            return 0, []
        except (OSError, ValueError, KeyError, TypeError, ConfigurationError) as exc:
            _log.warning("set aside the unreadable record %s: %s", self._file, exc)
            self._file.rename(self._file.with_suffix(".unreadable"))
            return 0, []

    def _save(self) -> None:
        servers = [server.record.to_mapping() for server in self._running()]
        try:
            content = json.dumps({"last_pid": self._next_pid - 1, "servers": servers})
            private.write_draft(self._draft, content.encode("ascii"))
            self._draft.replace(self._file)
        except OSError as exc:
            raise RunnerUnavailable(f"cannot write the record {self._file}: {exc.strerror}") from exc

    # -- small things

    def _running(self) -> list[MockServer]:
        return [server for server in self._servers.values() if not server.exited.done()]

    def _server(self, handle: ProcessHandle) -> MockServer:
        server = self._servers.get(handle)
        if server is None or server.exited.done():
            raise NotRunning(f"no server of {handle.model_name} with pid {handle.pid} runs on port {handle.port}")
        return server
