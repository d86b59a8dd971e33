"""The words of a command as POSIX shells split them, and what scanners for other shells have in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

_BLANK = re.compile(r"[^\S\n]+")
_COMMENT = re.compile(r"#[^\n]*")
# Strictly only a line end may follow the backslash; people leave spaces and comments behind it.
_CONTINUATION = re.compile(r"\\(?:[ \t]+#[ \t][^\n]*|[ \t]*)\r?\n(?P<next>[\s-]?)")
_REDIRECTION = re.compile(r"&>>?|>>|>\||>&|<<<|<<-?|<&|>|<")
_NUMBERED_REDIRECTION = re.compile(r"\d+(?:>>|>&|<&|>|<)")
_OPERATOR = re.compile(r"&&|\|\||;;|[;&|()]")
_PLAIN = re.compile(r"[^\s'\"\\$`;&|()<>]+")
_NAMED = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|([A-Za-z_]\w*))")
_OTHER_VARIABLE = re.compile(r"\$(?:\{[^}]*\}|[@*#?$!0-9])")
_IN_DOUBLE_QUOTES = re.compile(r'[^"\\$`]+')
_ESCAPED_IN_DOUBLE_QUOTES = re.compile(r"\\([\\\"$`])|\\\r?\n")
_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ANSI_C_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class Unclosed(ValueError):  # noqa: N818  # a state of the text, not an error of ours
    """A quotation mark has no partner."""


@dataclass(frozen=True)
class Word:
    """One word without its quotes. ``unresolved``: it holds a variable whose value nobody knows, as it was written."""

    text: str
    unresolved: bool = False


@dataclass(frozen=True)
class Operator:
    """What stands between words: the end of a command, or a redirection, whose target is the next word."""

    text: str

    @property
    def redirects(self) -> bool:
        return "<" in self.text or ">" in self.text


Token = Word | Operator


def escaped_character(digits: str) -> str | None:
    """What a hexadecimal code stands for, None where it is no character: half of one, or beyond all."""
    code = int(digits, 16)
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else None


class Scanner(ABC):
    """Collects words; a shell's own rules are in ``_step``."""

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self._text = text
        self._at = 0
        self._variables = variables
        self._tokens: list[Token] = []
        self._pieces: list[str] | None = None
        self._unresolved = False

    def tokens(self) -> list[Token]:
        """All words and operators. Raises: Unclosed."""
        while self._at < len(self._text):
            self._step()
        self._end_word()
        return self._tokens

    @abstractmethod
    def _step(self) -> None:
        """Takes at least one character."""

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _add(self, text: str, *, unresolved: bool = False) -> None:
        self._pieces = [*(self._pieces or ()), text]
        self._unresolved |= unresolved

    def _end_word(self) -> None:
        if self._pieces is not None:
            self._tokens.append(Word("".join(self._pieces), self._unresolved))
        self._pieces = None
        self._unresolved = False

    def _end_with(self, operator: str) -> None:
        self._end_word()
        self._tokens.append(Operator(operator))

    def _take_operator(self, at_a_beginning: re.Pattern[str], *anywhere: re.Pattern[str]) -> bool:
        """An operator, which ends a word. ``2>`` is one at the beginning of a word, in ``a2>`` only the bracket is."""
        patterns = anywhere if self._pieces is not None else (at_a_beginning, *anywhere)
        found = next(filter(None, map(self._take, patterns)), None)
        if found:
            self._end_word()
            self._tokens.append(Operator(found[0]))
        return found is not None

    def _up_to(self, closing: str) -> str:
        """What stands before the closing text, which is passed over too. Raises: Unclosed."""
        end = self._text.find(closing, self._at)
        if end < 0:
            raise Unclosed
        found = self._text[self._at : end]
        self._at = end + len(closing)
        return found

    def _balanced(self) -> str:
        """What stands up to the partner of the bracket that was just passed. Raises: Unclosed."""
        depth, start = 1, self._at
        while depth:
            if self._at >= len(self._text):
                raise Unclosed
            depth += {"(": 1, ")": -1}.get(self._text[self._at], 0)
            self._at += 1
        return self._text[start : self._at]

    def _home(self) -> None:
        """A tilde that was just passed: the home folder, where it begins a path."""
        home = self._variables.get("HOME")
        starts = self._pieces is None and (self._text[self._at : self._at + 1].strip() or "/") in "/\\"
        self._add(home if home and starts else "~")


def sh_words(text: str, variables: Mapping[str, str]) -> list[Token]:
    """Words as sh, bash and zsh split them. Raises: Unclosed."""
    return _ShScanner(text, variables).tokens()


class _ShScanner(Scanner):
    def _step(self) -> None:
        if found := self._take(_CONTINUATION):
            # Without white space around it the shell would join two words, which nobody means before a flag.
            if found["next"] or self._pieces is None:
                self._end_word()
            self._at -= len(found["next"])
        elif self._take(_BLANK):
            self._end_word()
        elif not (
            (self._pieces is None and self._take(_COMMENT))
            or self._take_operator(_NUMBERED_REDIRECTION, _REDIRECTION, _OPERATOR)
            or self._quoted()
            or self._variable(quoted=False)
        ):
            self._plain()

    def _quoted(self) -> bool:
        if found := self._take(_ANSI_C):
            self._add(re.sub(r"\\(.)", lambda one: _ANSI_C_ESCAPES.get(one[1], one[1]), found[1]))
            return True
        mark = self._text[self._at]
        if mark not in "'\"":
            return False
        self._at += 1
        if mark == "'":
            self._add(self._up_to("'"))
        else:
            self._double_quoted()
        return True

    def _double_quoted(self) -> None:
        self._add("")
        while not self._text.startswith('"', self._at):
            if self._at >= len(self._text):
                raise Unclosed
            if found := self._take(_IN_DOUBLE_QUOTES):
                self._add(found[0])
            elif found := self._take(_ESCAPED_IN_DOUBLE_QUOTES):
                self._add(found[1] or "")
            elif not self._variable(quoted=True):
                self._add(self._text[self._at])
                self._at += 1
        self._at += 1

    def _variable(self, *, quoted: bool) -> bool:
        if found := self._take(_NAMED):
            default: str | None = found[2]
            value = self._variables.get(found[1] or found[3], default)
            if value is None:
                self._add(found[0], unresolved=True)
            elif quoted:
                self._add(value)
            else:
                self._add_split(value)
        elif self._text.startswith("$(", self._at):
            self._at += 2
            self._add("$(" + self._balanced(), unresolved=True)
        elif self._text[self._at] == "`":
            self._at += 1
            self._add(f"`{self._up_to('`')}`", unresolved=True)
        elif found := self._take(_OTHER_VARIABLE):
            self._add(found[0], unresolved=True)
        else:
            return False
        return True

    def _add_split(self, value: str) -> None:
        """Outside quotes the shell splits what a variable holds."""
        for position, piece in enumerate(re.split(r"\s+", value)):
            if position:
                self._end_word()
            if piece:
                self._add(piece)

    def _plain(self) -> None:
        mark = self._text[self._at]
        if mark == "\n":
            self._end_with("\n")
        elif mark == "~":
            self._at += 1
            self._home()
            return
        elif mark == "\\":
            self._at += 1
            self._add(self._text[self._at : self._at + 1])
        elif found := self._take(_PLAIN):
            self._add(found[0])
            return
        else:
            self._add(mark)
        self._at += 1
