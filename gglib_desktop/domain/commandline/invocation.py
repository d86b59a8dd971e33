"""The words that start llama-server, separated from the words around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from gglib_desktop.domain.commandline.container import container_command
from gglib_desktop.domain.commandline.variables import assigned
from gglib_desktop.domain.commandline.words import Word

_PROGRAM = re.compile(
    r"(?:^|[\\/}%#]|%~[a-z]+\d)(?:llama[-_.]?server[\w.-]*|server)(?:\.exe)?$"  # by the end of its path
    r"|^(?:.*[\\/])?llama(?:\.exe)?\s+(?:server|serve)$",
    re.IGNORECASE,
)
_MENTIONED = re.compile(r"llama[-_.]?server|[\\/]server\b|llama\.cpp:(?:server|full)", re.IGNORECASE)
_SUBCOMMAND = re.compile(r"(?:^|[\\/])llama(?:\.exe)?$", re.IGNORECASE)
_FLAG = re.compile(r"-{1,2}[A-Za-z]")
# What they run takes other arguments than llama-server.
_INTERPRETER = re.compile(r"(?:^|[\\/])(?:python[\d.]*w?|pyw?|uvx?|node|java)(?:\.exe)?$", re.IGNORECASE)
_ENV = re.compile(r"(?:^|/)env$")
_SETTING_FLAGS = frozenset({"-e", "-E", "--env", "--setenv"})
# Wrappers and their options before a container's program.
_MOST_BEFORE = 20
_PLAIN_WRAPPERS = frozenset({"sudo", "env", "nohup", "exec", "time", "command", "setsid", "start", "call"})


@dataclass(frozen=True)
class Invocation:
    """One start of llama-server. ``arguments`` follow the program, ``environment`` is set for it alone.

    ``around`` is everything else in the text. ``mounts`` are pairs of a folder here and its name inside a
    container; ``contained`` says that it runs in one. ``entries`` are lines of a router preset.
    """

    arguments: tuple[Word, ...]
    environment: tuple[tuple[str, Word], ...] = ()
    around: tuple[str, ...] = ()
    mounts: tuple[tuple[str, str], ...] = ()
    contained: bool = False
    entries: tuple[tuple[str, Word], ...] = ()


@dataclass(frozen=True)
class Candidate:
    """How a command reads as a start of llama-server. The lower the rank, the more likely it is one."""

    rank: int
    invocation: Invocation


# Up to this rank a command certainly starts the server.
CERTAIN_RANK = 1
KnownFlag = Callable[[str], bool]


class Recursion(Protocol):
    """Reads a command within a word. ``own`` are variables that count there alone."""

    def __call__(self, text: str, own: Mapping[str, str] | None = None) -> Invocation | None: ...


def looks_like_flag(word: str) -> bool:
    """Whether a word can only be a flag. A dash and a digit are a number."""
    return _FLAG.match(word) is not None


def without_brackets(words: Sequence[Word], knows: KnownFlag) -> list[Word]:
    """The words without the brackets that manuals put around what may be left out: ``[-c 4096] [ --jinja ]``."""
    found: list[Word] = []
    is_open = False
    for word, following in pairwise((*words, Word(""))):
        bare = word.text.rstrip("]").lstrip("[")
        is_open = is_open or (word.text[:1] == "[" and knows(bare or following.text))
        found += [replace(word, text=bare if is_open else word.text)] if bare or not is_open else []
        is_open = is_open and word.text[-1:] != "]"
    return found


def mentions_server(text: str) -> bool:
    """Whether a text names the program."""
    return _MENTIONED.search(text) is not None


def is_program(word: Word) -> bool:
    """Whether a word ends in llama-server's name, the present or the former one."""
    return _PROGRAM.search(word.text) is not None


def candidate(words: Sequence[Word], knows: KnownFlag, inside: Recursion) -> Candidate | None:
    """The command as a start of llama-server, None if it is not one. ``inside`` reads a command within a word."""
    environment = _leading_assignments(words)
    rest = list(words[len(environment) :])
    if not rest:
        return None
    named = assigned(rest[0])
    if named:
        rest[0] = named[1]
    found = _container(rest, knows, inside) or _direct(rest) or _wrapped(rest, knows, inside) or _guessed(rest, knows)
    if found is None:
        return None
    if named:
        # It may also be a line of a file that has its own reader.
        found = replace(found, rank=max(found.rank, CERTAIN_RANK + 1))
    merged = (*environment, *found.invocation.environment)
    return replace(found, invocation=replace(found.invocation, environment=merged))


def _leading_assignments(words: Sequence[Word]) -> list[tuple[str, Word]]:
    found: list[tuple[str, Word]] = []
    for word, following in pairwise((*words, Word(""))):
        pair = assigned(word)
        # command=/usr/bin/llama-server -m …
        if pair is None or (is_program(pair[1]) and looks_like_flag(following.text)):
            break
        found.append(pair)
    return found


def _container(words: list[Word], knows: KnownFlag, inside: Recursion) -> Candidate | None:
    # Not behind our own program, whose values may be anything.
    end = next((place for place, word in enumerate(words) if is_program(word)), _MOST_BEFORE)
    runs = ((place, container_command(words[place:])) for place in range(min(len(words), end, _MOST_BEFORE)))
    start, run = next(((place, run) for place, run in runs if run), (0, None))
    if run is None:
        return None
    around = (*(word.text for word in words[:start]), *run.around)
    environment = tuple(pair for word in run.environment if (pair := assigned(word)))
    own = {name: value.text for name, value in environment if not value.unresolved}
    found = _in_container(run.arguments, knows, lambda text, more=None: inside(text, {**own, **(more or {})}))
    told = any(knows(word.text) for word in found.arguments) or any(
        name.startswith("LLAMA_") for name, _word in environment
    )
    if not told and "llama" not in " ".join(around[-1:] + found.around[:1]).lower():
        return None
    environment, around = (*environment, *found.environment), (*around, *found.around)
    return Candidate(0, Invocation(found.arguments, environment, around, run.mounts, contained=True))


def _in_container(words: tuple[Word, ...], knows: KnownFlag, inside: Recursion) -> Invocation:
    """What follows an image: arguments of the program that the image starts, or a command."""
    texts = [word.text for word in words]
    script = next((place for place, text in enumerate(texts[:3]) if " " in text and mentions_server(text)), None)
    if script is not None and (found := inside(texts[script])):
        return replace(found, around=(*texts[:script], *texts[script + 1 :], *found.around))
    # The image with all programs takes a program's name first; the short form is also the flag for a seed.
    if words and (is_program(words[0]) or texts[0] == "--server" or (texts[0] == "-s" and not _is_number(texts[1:2]))):
        return Invocation(words[1:], (), (texts[0],))
    if words and not looks_like_flag(texts[0]) and (command := candidate(words, knows, inside)):
        return command.invocation
    return Invocation(words)


def _is_number(texts: Sequence[str]) -> bool:
    return any(text.lstrip("-").isdigit() for text in texts)


def _direct(words: list[Word]) -> Candidate | None:
    length = _program_length(words)
    if not length:
        return None
    arguments = words[length:]
    likely = bool(arguments) and (arguments[0].unresolved or looks_like_flag(arguments[0].text))
    return Candidate(0 if likely else 5, Invocation(tuple(arguments)))


def _program_length(words: Sequence[Word]) -> int:
    """How many words at the beginning name the program: two for ``llama serve``, none for another program.

    A ``--`` that ends the options of a wrapper counts too.
    """
    serves = [word.text for word in words[1:2]] in (["server"], ["serve"])
    length = 1 if is_program(words[0]) else 2 if serves and _SUBCOMMAND.search(words[0].text) else 0
    return length + 1 if length and [word.text for word in words[length : length + 1]] == ["--"] else length


def _wrapped(words: list[Word], knows: KnownFlag, inside: Recursion) -> Candidate | None:
    """The program behind wrappers: ``nohup nice -n 5 llama-server …``, ``bash -c "llama-server …"``."""
    if words[0].text.lower() == "start-process":
        return _start_process(words, inside)
    for position, word in enumerate(words[1:], 1):
        before = words[:position]
        if looks_like_flag(before[0].text) and knows(before[-1].text):
            continue  # a file may have the program's name: -m /models/server
        length = _program_length(words[position:])
        following = words[position + length : position + length + 1]
        plain = all(each.text in _PLAIN_WRAPPERS or assigned(each) for each in before)
        if length and (plain or (following and looks_like_flag(following[0].text))):
            environment, around = _set_before(before)
            return Candidate(1 if plain else 2, Invocation(tuple(words[position + length :]), environment, around))
        if " " in word.text and mentions_server(word.text) and (found := inside(word.text)):
            others = tuple(each.text for each in (*before, *words[position + 1 :]))
            return Candidate(2, replace(found, around=(*others, *found.around)))
    return None


def _set_before(words: Sequence[Word]) -> tuple[tuple[tuple[str, Word], ...], tuple[str, ...]]:
    """The variables that the words before a program set for it, and the other words.

    After a flag that does not set variables, ``NAME=value`` belongs to the wrapper: ``-p MemoryMax=32G``.
    """
    environment: list[tuple[str, Word]] = []
    around: list[str] = []
    for position, word in enumerate(words):
        earlier = words[position - 1].text if position else ""
        flag, _equals, attached = word.text.partition("=")
        pair = assigned(Word(attached, word.unresolved)) if flag in _SETTING_FLAGS else assigned(word)
        beside_a_flag = looks_like_flag(earlier) and earlier not in _SETTING_FLAGS
        if pair and not (beside_a_flag and not any(_ENV.search(each.text) for each in words[:position])):
            environment.append(pair)
        else:
            around.append(word.text)
    return tuple(environment), tuple(around)


def _start_process(words: list[Word], inside: Recursion) -> Candidate | None:
    """PowerShell's ``Start-Process``, with all arguments in one text or in one list."""
    names = [word.text.lower() for word in words]
    at = next((place for place, name in enumerate(names) if name in {"-argumentlist", "-args"}), len(words))
    if at + 1 >= len(words) or not any(map(is_program, words[:at])):
        return None
    items = words[at + 1].items or words[at + 1 : at + 2]
    in_pieces = any(looks_like_flag(item.text) and " " in item.text for item in items)
    found = (inside(words[at + 1].text) if in_pieces else None) or Invocation(tuple(items))
    around = tuple(word.text for word in (*words[: at + 1], *words[at + 2 :]) if not is_program(word))
    return Candidate(1, replace(found, around=(*around, *found.around)))


def _guessed(words: list[Word], knows: KnownFlag) -> Candidate | None:
    """Flags without a program before them, or after a program with an unknown name."""
    if looks_like_flag(words[0].text) and any(knows(word.text) for word in words):
        return Candidate(3, Invocation(tuple(words)))
    start = next((place for place, word in enumerate(words) if word.text not in _PLAIN_WRAPPERS), 0)
    program, arguments = words[start], words[start + 1 :]
    # Many programs have the same short flags.
    telling = any(word.text.endswith(".gguf") or (knows(word.text) and len(word.text) > 3) for word in arguments)
    if not telling or not knows(arguments[0].text):
        return None
    if _INTERPRETER.search(program.text):
        return None
    around = tuple(word.text for word in (words[:start] if program.unresolved else words[: start + 1]))
    has_folder = "/" in program.text or "\\" in program.text
    return Candidate(CERTAIN_RANK if has_folder else 4, Invocation(tuple(arguments), (), around))
