"""llama-servers on this computer that this program did not start, and what their command lines say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gglib_desktop.domain.llama_args import shell_line

# Builds up to b10434 and later ones, where nothing else is said.
DEFAULT_PORTS = (8080, 9931)
_MODEL_FLAGS = frozenset({"-m", "--model"})
_TOKEN_FLAGS = frozenset({"-hft", "--hf-token"})
# With one of these the program prints something and ends.
_NO_SERVER_FLAGS = frozenset(
    {"-h", "--help", "--usage", "--version", "--list-devices", "-cl", "--cache-list", "--completion-bash"}
)


@dataclass(frozen=True)
class ForeignServer:
    """A llama-server process that somebody else started. ``pid`` and ``identity`` together are this very process.

    ``port`` None: it listens on none that can be reached from here. ``model_path`` None: it does not name a file.
    ``parent`` is ``name (pid)`` of what started it and still lives, or the service that it is; None when its starter
    is gone. ``started_at`` is in unix seconds.
    """

    pid: int
    identity: str
    port: int | None
    model_path: Path | None
    command_line: str
    rss_bytes: int
    parent: str | None
    started_at: int


def is_llama_server(program: str, argv: Sequence[str]) -> bool:
    """Whether a process serves: by its program's file name and, for ``llama server``, its first argument."""
    name = program.lower().removesuffix(".exe")
    serves = name == "llama-server" or (name == "llama" and argv[1:2] in (["server"], ["serve"]))
    return serves and _NO_SERVER_FLAGS.isdisjoint(argv)


def stated_model(argv: Sequence[str], environment: Mapping[str, str]) -> Path | None:
    """The model file as it was named, maybe relative to the process's folder; None for one from the network."""
    named = _value_of(argv, _MODEL_FLAGS) or environment.get("LLAMA_ARG_MODEL")
    return Path(named) if named else None


def server_port(argv: Sequence[str], environment: Mapping[str, str], listening: Collection[int]) -> int | None:
    """The port that it serves on. What it listens on decides, its command line where that leaves a choice.

    None when it neither listens nor says where: the default depends on the build, so a number would be a guess.
    """
    said = _value_of(argv, frozenset({"--port"})) or environment.get("LLAMA_ARG_PORT") or ""
    stated = int(said) if said.isascii() and said.isdigit() and 0 < int(said) <= 65535 else None
    wanted = DEFAULT_PORTS if stated is None else (stated,)
    return next((port for port in wanted if port in listening), min(listening, default=stated))


def public_command_line(argv: Sequence[str]) -> str:
    """The command line for a shell and for people, with keys and tokens hidden."""
    return shell_line(
        tuple("[hidden]" if before in _TOKEN_FLAGS else word for before, word in zip(("", *argv), argv, strict=False))
    )


def _value_of(argv: Sequence[str], flags: frozenset[str]) -> str | None:
    """The value of a flag, separate or after an equals sign. The last one counts, as it does for llama-server."""
    found = None
    for before, word in zip(("", *argv), argv, strict=False):
        flag, equals, value = word.partition("=")
        if before in flags:
            found = word
        elif equals and flag in flags:
            found = value
    return found
