"""A server's command line as something to run elsewhere: for a shell, as a script, a systemd unit or a compose file.

Keys are never written: each format says where to put one.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import PurePath

from gglib_desktop.domain.commandline.invocation import looks_like_flag
from gglib_desktop.domain.llama_cpp.argv import KEY_VARIABLE
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.host import is_loopback

CONTAINER_IMAGE = "ghcr.io/ggml-org/llama.cpp:server"
_KEYS = {"--api-key": KEY_VARIABLE, "-hft": "HF_TOKEN", "--hf-token": "HF_TOKEN"}
_SECRET_VARIABLES = frozenset(_KEYS.values())
_FOLDERS = {"-m": "/models", "--model": "/models", "--chat-template-file": "/templates"}
_PS_PLAIN = re.compile(r"-{0,2}[A-Za-z][\w-]*|\d+", re.ASCII)
_PS_SINGLE_QUOTE = re.compile("['‘’‚‛]")
_UNIT_PLAIN = re.compile(r"[\w./:=,@+-]+", re.ASCII)
_UNIT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "%": "%%"}
_YAML_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "$": "$$"}


class ExportFormat(StrEnum):
    """The formats that a command line can be written in."""

    SH = "sh"
    POWERSHELL = "powershell"
    SCRIPT = "script"
    SYSTEMD = "systemd"
    COMPOSE = "compose"


def export(argv: Sequence[str], form: ExportFormat, environment: Mapping[str, str] | None = None) -> str:
    """The command line in that format. It ends in a line break except for the two formats that are one line.

    ``argv`` is that of ``server_argv``, ``environment`` what else is set for the server. PowerShell passes on a double
    quote inside a word from version 7.3.
    """
    words, keys = _without_keys(argv)
    settings = {name: value for name, value in (environment or {}).items() if name not in _SECRET_VARIABLES}
    keys += [name for name in environment or {} if name in _SECRET_VARIABLES and name not in keys]
    if not is_loopback(dict(itertools.pairwise(words)).get("--host")) and KEY_VARIABLE not in keys:
        # A server that other computers reach asks for a key, here as when the program starts it.
        keys.append(KEY_VARIABLE)
    return _WRITERS[form](words, settings, keys)


def _without_keys(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words without keys, and the variables that take them."""
    words: list[str] = []
    variables: list[str] = []
    rest = iter(argv)
    for word in rest:
        variable = _KEYS.get(flag_of(word))
        if variable is None:
            words.append(word)
            continue
        if "=" not in word:
            next(rest, None)
        if variable not in variables:
            variables.append(variable)
    return words, variables


def _lines(words: Sequence[str], quote: Callable[[str], str]) -> list[str]:
    """One line per flag with its values."""
    lines: list[str] = []
    for word in words:
        if lines and not looks_like_flag(word):
            lines[-1] += " " + quote(word)
        else:
            lines.append(quote(word))
    return lines


# -- shells


def _sh(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    prefixes = [f"{name}={_sh_quoted(value)}" for name, value in settings.items()]
    # The value stays in the shell that runs the line.
    prefixes += [f'{name}="${name}"' for name in keys]
    return " ".join((*prefixes, *map(_sh_quoted, words)))


def _sh_quoted(word: str) -> str:
    # A percent sign means something to cmd.exe, where the line may be pasted, and to our own reader.
    return f"'{word}'" if "%" in word and shlex.quote(word) == word else shlex.quote(word)


def _powershell(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    lines = [f"# Set $env:{name} first." for name in keys]
    lines += [f"$env:{name} = {_ps_quoted(value)}" for name, value in settings.items()]
    program, *arguments = words
    return "\n".join([*lines, " ".join(("&", _ps_quoted(program), *map(_ps_word, arguments)))])


def _ps_word(word: str) -> str:
    return word if _PS_PLAIN.fullmatch(word) else _ps_quoted(word)


def _ps_quoted(word: str) -> str:
    doubled = _PS_SINGLE_QUOTE.sub(r"\g<0>\g<0>", word)
    return f"'{doubled}'"


def _script(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    head = ["#!/bin/sh", *(f"# Set {name} in the environment before this runs." for name in keys)]
    head += [f"export {name}={_sh_quoted(value)}" for name, value in settings.items()]
    return "\n".join(head) + "\nexec " + " \\\n  ".join(_lines(words, _sh_quoted)) + "\n"


# -- systemd


def _systemd(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    program, *arguments = words
    lines = [f"# {name}=… goes into a file of its own: EnvironmentFile=%h/.config/llama-server.env" for name in keys]
    lines += [f"Environment={_unit_quoted(f'{name}={value}')}" for name, value in settings.items()]
    # The program's path is not searched for variables, so its dollar signs stand alone.
    start = [_unit_quoted(program), *_lines(arguments, lambda word: _unit_quoted(word).replace("$", "$$"))]
    return "\n".join(
        (
            "[Unit]",
            "Description=llama-server as GGLib Desktop would start it",
            "",
            "[Service]",
            *lines,
            "ExecStart=" + " \\\n  ".join(start),
            "Restart=on-failure",
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        )
    )


def _unit_quoted(word: str) -> str:
    return word if _UNIT_PLAIN.fullmatch(word) else f'"{_escaped(word, _UNIT_ESCAPES)}"'


def _escaped(word: str, escapes: Mapping[str, str]) -> str:
    """The word with escapes for what its place does not allow. Lone surrogates are bytes of file names and stay."""
    return "".join(escapes.get(letter) or _shown(letter) for letter in word)


def _shown(letter: str) -> str:
    code = ord(letter)
    if letter.isprintable() or 0xD800 <= code <= 0xDFFF:
        return letter
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


# -- docker compose


def _compose(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    # The image starts the server itself, so a "serve" before the flags would be one too many.
    arguments, folders = _inside(list(itertools.dropwhile(lambda word: not word.startswith("-"), words)))
    said = dict(itertools.pairwise(words))
    host, port = said.get("--host", "127.0.0.1"), said.get("--port", "8080")
    address = f"[{host}]" if ":" in host else host
    lines = [
        "services:",
        "  llama-server:",
        f"    image: {_yaml(CONTAINER_IMAGE)}",
        "    ports:",
        f"      - {_yaml(f'{address}:{port}:{port}')}",
        "    volumes:",
    ]
    for source, target in folders.items():
        lines += [f'      - type: "bind"\n        source: {_yaml(source)}', f"        target: {_yaml(target)}"]
        lines.append("        read_only: true")
    if settings or keys:
        lines.append("    environment:")
        lines += [f"      - {_yaml(f'{name}={value}')}" for name, value in settings.items()]
        lines += [f"      - {_yaml(name)}  # from the environment of docker compose" for name in keys]
    lines.append("    command:")
    lines += [f"      - {_yaml(word)}" for word in arguments]
    return "\n".join(lines) + "\n"


def _inside(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The arguments with paths as they are inside the container, and which folders are mounted where."""
    words: list[str] = []
    folders: dict[str, str] = {}
    for before, word in itertools.pairwise(("", *arguments)):
        target = _FOLDERS.get(before)
        if target:
            path = PurePath(word)
            folders[str(path.parent)] = folders.get(str(path.parent), target)
            words.append(f"{folders[str(path.parent)]}/{path.name}")
        else:
            # Inside, loopback is the container's own; the ports decide what the host sees.
            words.append("0.0.0.0" if before == "--host" else word)
    return words, folders


def _yaml(text: str) -> str:
    return f'"{_escaped(text, _YAML_ESCAPES)}"'


_WRITERS: Mapping[ExportFormat, Callable[[Sequence[str], Mapping[str, str], Sequence[str]], str]] = {
    ExportFormat.SH: _sh,
    ExportFormat.POWERSHELL: _powershell,
    ExportFormat.SCRIPT: _script,
    ExportFormat.SYSTEMD: _systemd,
    ExportFormat.COMPOSE: _compose,
}
