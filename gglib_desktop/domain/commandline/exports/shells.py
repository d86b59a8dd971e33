"""A server's command line for shells and for systemd. ``keys`` are the variables that take keys."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from gglib_desktop.domain.commandline.invocation import looks_like_flag

_PS_PLAIN = re.compile(r"-{0,2}[A-Za-z][\w-]*|\d+", re.ASCII)
_PS_SINGLE_QUOTE = re.compile("['‘’‚‛]")
_UNIT_PLAIN = re.compile(r"[\w./:=,@+-]+", re.ASCII)
_UNIT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "%": "%%"}


def lines_of(words: Sequence[str], quote: Callable[[str], str]) -> list[str]:
    """One line per flag with its values."""
    lines: list[str] = []
    for word in words:
        if lines and not looks_like_flag(word):
            lines[-1] += " " + quote(word)
        else:
            lines.append(quote(word))
    return lines


# -- POSIX shells


def sh(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """One line."""
    prefixes = [f"{name}={sh_quoted(value)}" for name, value in settings.items()]
    return " ".join((*prefixes, *handed_on(keys), *map(sh_quoted, words)))


def handed_on(keys: Sequence[str]) -> list[str]:
    """Assignments before a command that give it keys. The values stay in the shell that runs the line."""
    return [f'{name}="${name}"' for name in keys]


def sh_quoted(word: str) -> str:
    """The word as a POSIX shell takes it back."""
    # A percent sign means something to cmd.exe, where the line may be pasted, and to our own reader.
    return f"'{word}'" if "%" in word and shlex.quote(word) == word else shlex.quote(word)


def script(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """A file that can be run."""
    head = ["#!/bin/sh", *(f"# Set {name} in the environment before this runs." for name in keys)]
    head += [f"export {name}={sh_quoted(value)}" for name, value in settings.items()]
    return "\n".join(head) + "\nexec " + " \\\n  ".join(lines_of(words, sh_quoted)) + "\n"


# -- PowerShell


def powershell(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """One line, and one before it for each variable."""
    lines = [f"# Set $env:{name} first." for name in keys]
    lines += [f"$env:{name} = {_ps_quoted(value)}" for name, value in settings.items()]
    program, *arguments = words
    return "\n".join([*lines, " ".join(("&", _ps_quoted(program), *map(_ps_word, arguments)))])


def _ps_word(word: str) -> str:
    return word if _PS_PLAIN.fullmatch(word) else _ps_quoted(word)


def _ps_quoted(word: str) -> str:
    doubled = _PS_SINGLE_QUOTE.sub(r"\g<0>\g<0>", word)
    return f"'{doubled}'"


# -- systemd


def systemd(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """A unit of the user."""
    program, *arguments = words
    lines = [f"# {name}=… goes into a file of its own: EnvironmentFile=%h/.config/llama-server.env" for name in keys]
    lines += [f"Environment={_unit_quoted(f'{name}={value}')}" for name, value in settings.items()]
    # The program's path is not searched for variables, so its dollar signs stand alone.
    start = [_unit_quoted(program), *lines_of(arguments, lambda word: _unit_quoted(word).replace("$", "$$"))]
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
    return word if _UNIT_PLAIN.fullmatch(word) else f'"{_escaped(word)}"'


def _escaped(word: str) -> str:
    """The word with escapes for what a unit does not allow. Lone surrogates are bytes of file names and stay."""
    return "".join(_UNIT_ESCAPES.get(letter) or _shown(letter) for letter in word)


def _shown(letter: str) -> str:
    code = ord(letter)
    if letter.isprintable() or 0xD800 <= code <= 0xDFFF:
        return letter
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
