"""Finds the start of llama-server in texts from shells, scripts, forums and logs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gglib_desktop.domain.commandline.invocation import (
    CERTAIN_RANK,
    Candidate,
    Invocation,
    KnownFlag,
    Recursion,
    candidate,
    is_program,
    looks_like_flag,
    mentions_server,
)
from gglib_desktop.domain.commandline.posix_words import sh_words
from gglib_desktop.domain.commandline.variables import Variables, assignments, exports
from gglib_desktop.domain.commandline.windows_words import cmd_words, powershell_words
from gglib_desktop.domain.commandline.words import Operator, Token, Unclosed, Word

Splitter = Callable[[str, Variables], list[Token]]

_MOST_READINGS = 3
# A bracket or quote that is still open after so many lines is not meant to be one, and trying takes time.
_MOST_LINES = 100
_MOST_TRIES = 300
_ASSIGNMENT = re.compile(r"\s*(?:(?:export|declare|typeset|local|readonly)\s+(?:-\w+\s+)*)?[$\w:]+[ \t]*\+?=")
_QUOTED_MARK = re.compile(r"""'"'"'""")
_SINGLE_QUOTED = re.compile(r"'[^']*'")
_POWERSHELL = re.compile(
    r"^[ \t]*PS [^\n>]*>|\$env:\w|(?:^|\s)`[ \t]*\r?$|^[ \t]*&\s*[\"'.$]|^[ \t]*\$\w+\s*=\s*[\"'@]",
    re.MULTILINE | re.IGNORECASE,
)
_CMD = re.compile(
    r"^[ \t]*@?(?:echo off|rem |::|setx \w|if (?:not )?exist |set \"?\w+=)|\^[&|]"
    r"|(?<=[\s\"])%[*\d]|\^[ \t]*\r?$|%\w+%|%~[a-z]*\d|^[ \t]*[A-Za-z]:\\[^>\n]*>",
    re.MULTILINE | re.IGNORECASE,
)
_WINDOWS = re.compile(r"\b[A-Za-z]:\\|(?:^|[\s\"])\.{1,2}\\|\.exe\b|\w\\\w\S*\.gguf\b", re.MULTILINE | re.IGNORECASE)
_C_RUNTIME = re.compile(r'\\"[^"\n]*\\"')
_SH_CONTINUATION = re.compile(r"\\(?:[ \t]+#[ \t].*|[ \t]*)\r?$", re.MULTILINE)
_CONTINUED = re.compile(r"[\\`^](?:[ \t]+#[ \t].*|[ \t]*)\r?$")
_PROMPT = re.compile(
    r"""\s*(?:
      PS\ [^>\n]*>+ | [A-Za-z]:\\[^>\n]*>                                 # PowerShell, cmd.exe
    | (?:\([\w.-]+\)\s*)?\[?[\w.-]+@[\w.-]+[^$\#%>\n]*[$\#%>](?=\s)       # user@host:~$
    | (?:\([\w.-]+\)\s*)?[$%>❯➜](?=\s)(?:\s+~(?=\s))?
    )\s*""",
    re.VERBOSE,
)
_VALUE = re.compile(r"-?\d[\d.,]*|\S+\.gguf")
_ROOT_PROMPT = re.compile(r"\s*#\s+(?=\S*server)")
_CONTINUED_PROMPT = re.compile(r"\s*(?:>>?|More\?)(?:\s|$)")
_FENCE = re.compile(r"\s*(?:```|~~~)\w*\s*$")
_INLINE_CODE = re.compile(r"`([^`\n]*server[^`\n]*)`(?!\s*\r?$)|^\s*`([^`\n]*)`\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class _Command:
    """Words up to an operator, which is ``ended_by``. ``apart`` are redirections, and texts that are not words."""

    words: tuple[Word, ...]
    apart: tuple[str, ...] = ()
    ended_by: str = "\n"

    @property
    def text(self) -> str:
        return " ".join((*(word.text for word in self.words), *self.apart))


def shell_invocation(
    text: str, variables: Mapping[str, str], knows: KnownFlag, *, only_plain: bool = False
) -> Invocation | None:
    """The start of llama-server in a text. ``only_plain``: only if nothing but assignments comes before it.

    Raises: Unclosed if there is one with an open quotation mark.
    """
    split = splitter(text)
    whole = _commands([text], split, variables)
    found = None if _PROMPT.match(text) else _best(whole, variables, knows, plain=True)
    if found or only_plain:
        return found
    readings = _readings(text, split)
    for chunks in readings:
        found = _best(_commands(chunks, split, variables), variables, knows, plain=False)
        if found:
            return found
    if mentions_server(text) and any(not command.words and command.apart for command in whole):
        raise Unclosed
    # Variables alone count as a start only if there is no command.
    return _from_assignments(_commands(readings[0], split, variables))


def splitter(text: str) -> Splitter:
    """The scanner for the shell that a text is written for."""
    shown = _SINGLE_QUOTED.sub("''", _QUOTED_MARK.sub("", text))
    if text.startswith("#!"):
        return sh_words
    if _POWERSHELL.search(shown):
        return powershell_words
    if _CMD.search(shown):
        return cmd_words
    if _WINDOWS.search(shown) and not _SH_CONTINUATION.search(shown):
        return cmd_words if _C_RUNTIME.search(shown) else powershell_words
    return sh_words


def _readings(text: str, split: Splitter) -> list[list[str]]:
    """The text in pieces: single lines, lines joined by quotes, and lines after ``# `` as root's prompt."""
    lines = text.split("\n")
    chunks = _chunks(lines)
    closed = _closed(chunks, split, _is_assignment)
    prompts = _chunks([_ROOT_PROMPT.sub("", line) for line in lines])
    found = [closed, _closed(closed, split, mentions_server), prompts if prompts != chunks else closed]
    return [each for place, each in enumerate(found) if each not in found[:place]]


def _is_assignment(line: str) -> bool:
    return _ASSIGNMENT.match(line) is not None


def _chunks(lines: Sequence[str]) -> list[str]:
    chunks: list[str] = []
    continued = False
    for line in lines:
        if continued:
            chunks[-1] += "\n" + _CONTINUED_PROMPT.sub("", line)
        elif not _FENCE.match(line):
            bare = _PROMPT.sub("", line, count=1) if _PROMPT.match(line) else line
            code = _INLINE_CODE.search(bare)
            chunks.append((code[1] or code[2]) if code else bare)
        continued = bool(chunks) and _CONTINUED.search(line) is not None
    return chunks


def _closed(chunks: Sequence[str], split: Splitter, matters: Callable[[str], bool]) -> list[str]:
    """The same chunks; those that matter are joined with the lines that close their quotes and brackets."""
    result: list[str] = []
    at, tries = 0, _MOST_TRIES
    while at < len(chunks):
        end = at + 1
        if matters(chunks[at]) and not _is_closed(chunks[at], split):
            ends = range(at + 2, min(len(chunks), at + _MOST_LINES, at + tries) + 1)
            end = next((end for end in ends if _is_closed("\n".join(chunks[at:end]), split)), at + 1)
            tries -= end - at if end > at + 1 else len(ends)
        result.append("\n".join(chunks[at:end]))
        at = end
    return result


def _is_closed(text: str, split: Splitter) -> bool:
    try:
        split(text, Variables())
    except Unclosed:
        return False
    return True


def _commands(chunks: Sequence[str], split: Splitter, variables: Mapping[str, str]) -> list[_Command]:
    """All commands with the variables replaced by what they assigned. A text that is not words stays apart."""
    commands: list[_Command] = []
    known: Variables | None = None
    while known is None or (known.changed_later() and known.readings < _MOST_READINGS):
        known = Variables(variables, later=known)
        commands = [command for chunk in chunks for command in _chunk_commands(chunk, split, known)]
    return _merged(commands)


def _chunk_commands(chunk: str, split: Splitter, known: Variables) -> list[_Command]:
    try:
        return _grouped(split(chunk, known))
    except Unclosed:
        return [_Command((), (chunk.strip(),))]


def _grouped(tokens: Sequence[Token]) -> list[_Command]:
    commands: list[_Command] = []
    words: list[Word] = []
    apart: list[str] = []
    redirection = ""
    for token in (*tokens, Operator("\n")):
        if isinstance(token, Word):
            if redirection:
                apart.append(redirection + token.text)
            else:
                words.append(token)
            redirection = ""
        elif token.redirects:
            redirection = token.text
        else:
            if words or apart:
                commands.append(_Command(tuple(words), tuple(apart), token.text))
            words, apart = [], []
    return commands


def _merged(commands: Sequence[_Command]) -> list[_Command]:
    """Joins a line that begins with a flag or its value with the line before: the backslash gets lost easily."""
    merged: list[_Command] = []
    for command in commands:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.ended_by == "\n"
            and command.words
            and _goes_on(last.words[-1:], command.words[0].text)
            and any(is_program(word) or looks_like_flag(word.text) for word in last.words)
        ):
            words, apart = (*last.words, *command.words), (*last.apart, *command.apart)
            merged[-1] = _Command(words, apart, command.ended_by)
        else:
            merged.append(command)
    return merged


def _goes_on(before: Sequence[Word], word: str) -> bool:
    """Whether a word can only belong to the line before: a flag, or the value of that line's last flag."""
    is_value = _VALUE.fullmatch(word) is not None and any(looks_like_flag(each.text) for each in before)
    return is_value or looks_like_flag(word)


def _best(
    commands: Sequence[_Command], variables: Mapping[str, str], knows: KnownFlag, *, plain: bool
) -> Invocation | None:
    found: list[tuple[int, int, Candidate]] = []
    for position, command in enumerate(commands):
        read = candidate(command.words, knows, inside(variables, knows))
        if read and not (plain and read.rank > CERTAIN_RANK):
            found.append((read.rank, position, read))
        if plain and assignments(command.words) is None:
            break
    if not found:
        return None
    _rank, position, best = min(found, key=lambda each: each[:2])
    return _completed(best.invocation, commands, position)


def _from_assignments(commands: Sequence[_Command]) -> Invocation | None:
    """A list of variables and nothing else, as in an environment file."""
    pairs = [pair for command in commands for pair in assignments(command.words) or ()]
    if not any(name.startswith("LLAMA_ARG_") for name, _word in pairs):
        return None
    around = tuple(command.text for command in commands if assignments(command.words) is None)
    return Invocation((), tuple(pairs), around)


def _completed(invocation: Invocation, commands: Sequence[_Command], position: int) -> Invocation:
    """With the variables exported before it, and everything around it."""
    environment: list[tuple[str, Word]] = []
    around: list[str] = []
    for index, command in enumerate(commands):
        pairs = assignments(command.words)
        if index == position:
            around += [*invocation.around, *command.apart]
            if command.ended_by not in {"\n", ";"}:
                around.append(command.ended_by)
        elif pairs is not None and index < position:
            told = exports(command.words)
            environment += [pair for pair in pairs if told or pair[0].startswith("LLAMA_")]
        else:
            around.append(command.text)
    merged = (*environment, *invocation.environment)
    return replace(invocation, environment=merged, around=tuple(around))


def chosen_command(words: Sequence[Word], variables: Mapping[str, str], knows: KnownFlag) -> Invocation:
    """Words that are known to be a command, whatever the first one is called."""
    found = candidate(words, knows, inside(variables, knows))
    return found.invocation if found else Invocation(tuple(words[1:]), (), tuple(word.text for word in words[:1]))


def inside(variables: Mapping[str, str], knows: KnownFlag) -> Recursion:
    """Reads a command within a word."""

    def read(text: str, own: Mapping[str, str] | None = None) -> Invocation | None:
        return shell_invocation(text, {**variables, **(own or {})}, knows)

    return read
