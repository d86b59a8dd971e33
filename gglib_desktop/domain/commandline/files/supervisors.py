"""Finds the start of llama-server in the files of supervisord and of macOS's launchd."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag, mentions_server
from gglib_desktop.domain.commandline.posix_words import sh_words
from gglib_desktop.domain.commandline.shell import chosen_command
from gglib_desktop.domain.commandline.variables import Variables, assigned
from gglib_desktop.domain.commandline.words import Unclosed, Word

_SECTION = re.compile(r"^[ \t]*\[", re.MULTILINE)
_CONTINUATION = re.compile(r"\r?\n[ \t]+")
_INLINE_COMMENT = re.compile(r"[ \t];.*")
_EXPANSION = re.compile(r"%(?:\((\w+)\)[sd]|(%))")
_OF_THE_ENVIRONMENT = "ENV_"
# Every shell reads it as a letter.
_DOLLAR = "\ue000"

_STRING = re.compile(r"<string>([^<]*)</string>")
_PAIR = re.compile(r"<key>([^<]*)</key>\s*<string>([^<]*)</string>")


def supervisor_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation:
    """The command of the first program that is llama-server, else of the first program."""
    programs = [program for program in _SECTION.split(text) if program.startswith("program:")]
    text = next(filter(mentions_server, programs), programs[0])
    words, environment, around = list[Word](), list[tuple[str, Word]](), list[str]()
    for key, value in _entries(text):
        if key == "command":
            words = _words(value, variables)
        elif key == "environment":
            # Commas stand between the variables, and within the quotes of values.
            said = _words(re.sub(r",\s*(?=\w+=)", " ", value), variables)
            environment += [pair for word in said if (pair := assigned(word))]
        else:
            around.append(f"{key}={value}")
    found = chosen_command(words, variables, knows)
    return replace(found, environment=(*environment, *found.environment), around=(*found.around, *around))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for line in _CONTINUATION.sub(" ", _INLINE_COMMENT.sub("", text)).split("\n"):
        key, equals, value = line.partition("=")
        if equals and key.strip()[:1] not in {"", "#", ";"}:
            yield key.strip(), value.strip()


def _words(text: str, variables: Mapping[str, str]) -> list[Word]:
    """Words as a shell splits them. A dollar sign is plain text: supervisord puts values in as ``%(NAME)s``."""
    text = _EXPANSION.sub(_as_sh, text.replace("$", _DOLLAR))
    try:
        tokens = sh_words(text, Variables(variables))
    except Unclosed:
        return []
    words = [token for token in tokens if isinstance(token, Word)]
    return [replace(word, text=word.text.replace(_DOLLAR, "$")) for word in words]


def _as_sh(found: re.Match[str]) -> str:
    return "%" if found[2] else "${" + found[1].removeprefix(_OF_THE_ENVIRONMENT) + "}"


def launchd_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """The arguments of a program that launchd runs; None if there are none."""
    first, *others = text.split("<!--")
    text = "".join((first, *(other.partition("-->")[2] for other in others)))
    words = [_word(each) for each in _STRING.findall(_block(text, "ProgramArguments", "array"))]
    if not words:
        return None
    pairs = _PAIR.findall(_block(text, "EnvironmentVariables", "dict"))
    found = chosen_command(words, variables, knows)
    environment = [(_word(name).text, _word(value)) for name, value in pairs]
    return replace(found, environment=(*environment, *found.environment))


def _block(text: str, key: str, kind: str) -> str:
    """What stands between the marks of the value of a key."""
    found = re.search(rf"<key>\s*{key}\s*</key>\s*<{kind}>", text)
    return text[found.end() :].partition(f"</{kind}>")[0] if found else ""


def _word(text: str) -> Word:
    return Word(html.unescape(text).strip())
