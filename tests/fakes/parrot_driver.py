"""A driver for another engine than llama.cpp, which proves that its port asks for nothing that only llama.cpp has."""

import ast
import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import httpx

from gglib_desktop.adapters.http.kept_connections import KeptConnections
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.environment import mtp_is_suppressed
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.options.host import own_url
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.failures import EVIDENCE_LINES, Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.foreign import StatedSettings
from gglib_desktop.domain.servers.health import Probe, ProbeResult
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.figures import Counters, SlotWork
from gglib_desktop.ports.servers.engine_driver import Seen
from tests.fakes.parrot_dialect import FLAGS, ParrotDialect, parrot_at

_TIMEOUT_S = 2.0
_CAUSES = {
    "squawk: what is (.*)[?]": FailureCause.UNKNOWN_FLAG,
    "squawk: these weights are no parrot food": FailureCause.MODEL_UNREADABLE,
    "squawk: the perch .* is taken": FailureCause.PORT_TAKEN,
    "squawk: my beak is full": FailureCause.OUT_OF_MEMORY,
}
_ANSWERS = {"awake": ProbeResult.OK, "hatching": ProbeResult.LOADING}


class ParrotReader:
    """Knows the engine by the script that a Python runs."""

    names_begin = "python"
    program_name = "parrot"
    key_flags = frozenset({"--secret"})

    def is_server(self, program: str, argv: Sequence[str]) -> bool:
        return "run" in argv and any(Path(word).name == "parrot_engine.py" for word in argv)

    def port(self, argv: Sequence[str], environment: Mapping[str, str], listening: Collection[int]) -> int | None:
        stated = int(_value(argv, FLAGS["port"]).rpartition(":")[2] or 0)
        return stated if stated in listening else None

    def model(self, argv: Sequence[str], environment: Mapping[str, str]) -> Path | None:
        return Path(_value(argv, "--weights"))

    def settings(self, argv: Sequence[str], environment: Mapping[str, str]) -> StatedSettings:
        window, called = _value(argv, FLAGS["context_size"]), _value(argv, FLAGS["alias"])
        return StatedSettings(context_size=int(window) if window else None, alias=called or None)

    def key(self, argv: Sequence[str], environment: Mapping[str, str]) -> str | None:
        return environment.get(ParrotDialect.key_variable)


class ParrotDriver:
    """Starts and asks one such program."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self.reader = ParrotReader()
        self._dialect = ParrotDialect()
        self._http = httpx.AsyncClient(trust_env=False, transport=KeptConnections())

    async def open(self) -> None:
        """All is loaded."""

    async def aclose(self) -> None:
        await self._http.aclose()

    async def engine(self) -> Engine:
        return parrot_at(self._program)

    def command(
        self, config: ServerConfig, engine: Engine, port: int, *, host: str | None, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        return self._dialect.command(config, engine, port, host=host, mtp_suppressed=mtp_is_suppressed(environment))

    def links(self, config: ServerConfig) -> Mapping[str, Path]:
        return {}

    def environment(self, inherited: Mapping[str, str], key: str | None) -> dict[str, str]:
        kept = {name: value for name, value in inherited.items() if name != self._dialect.key_variable}
        return kept if key is None else {**kept, self._dialect.key_variable: key}

    def diagnose(self, end: ServerExit, log: Sequence[str], *, served: bool = False) -> Failure:
        for pattern, cause in _CAUSES.items():
            for line in log:
                if found := re.fullmatch(pattern, line.rstrip()):
                    return Failure(cause, str(end), (line,), end, flag="".join(found.groups()))
        cause = FailureCause.KILLED if end.was_signalled else FailureCause.UNKNOWN
        return Failure(cause, str(end), tuple(log[-EVIDENCE_LINES:]), end)

    def requests(self, *, began_at: float, state: str = "") -> None:
        """Parrots say nothing of their visitors."""

    async def probe(self, server: ServerAddress, timeout_s: float) -> Probe:
        try:
            answer = await self._ask(server, "/up", timeout_s)
        except TimeoutError:
            return Probe(ProbeResult.TIMEOUT, "the parrot says nothing")
        except httpx.HTTPError as exc:
            return Probe(ProbeResult.REFUSED, f"no parrot is there: {exc}")
        result = _ANSWERS.get(answer.text, ProbeResult.FOREIGN)
        return Probe(result, "" if result is ProbeResult.OK else answer.text)

    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:
        try:
            answer = await self._ask(server, "/settings")
            wants_key = answer.status_code == httpx.codes.FORBIDDEN
            if wants_key and server.key is not None:
                answer = await self._ask(server, "/settings", key=server.key)
        except (TimeoutError, httpx.HTTPError):
            return None
        if answer.status_code == httpx.codes.FORBIDDEN:
            return ServerFacts(wants_key=True, refused=True)
        if answer.status_code != httpx.codes.OK:
            return None
        told = ast.literal_eval(answer.text)
        return ServerFacts(
            context_size=told["window"],
            context_shared=True,
            model_path=told["weights"],
            build=told["release"],
            chat_template=told["speaks"],
            drafts=told["guesses"],
            wants_key=wants_key,
            alias=told["called"][0],
        )

    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None:
        return None

    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:
        return None

    @property
    def split(self) -> None:
        """None: a model is served on one computer."""

    @property
    def router(self) -> None:
        """None: each of its servers has one model."""

    @property
    def chat(self) -> None:
        return None

    async def names(self, server: ServerAddress) -> tuple[str, ...]:
        return ()

    async def _ask(
        self, server: ServerAddress, path: str, timeout_s: float = _TIMEOUT_S, key: str = ""
    ) -> httpx.Response:
        if self._http.is_closed:
            raise RunnerUnavailable("the runner is closed")
        async with asyncio.timeout(timeout_s):
            return await self._http.get(own_url(server.host, server.port) + path, headers={"Parrot-Secret": key})


def _value(argv: Sequence[str], flag: str) -> str:
    return argv[argv.index(flag) + 1] if flag in argv else ""
