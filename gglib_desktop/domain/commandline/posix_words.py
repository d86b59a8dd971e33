"""The words of a command as POSIX shells split them, and the common part of scanners for other shells."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable

from gglib_desktop.domain.commandline.variables import DEEPEST, Reference, Variables, reference_at
from gglib_desktop.domain.commandline.words import Operator, Token, Unclosed, Word, list_of

_BLANK = re.compile(r"[^\S\n]+")
_COMMENT = re.compile(r"#[^\n]*")
# Strictly, only a line end may follow the backslash. Pasted texts have spaces and comments behind it.
_CONTINUATION = re.compile(r"\\(?:[ \t]+#[ \t][^\n]*|[ \t]*)\r?\n(?P<next>[\s-]?)")
_REDIRECTION = re.compile(r"&>>?|>>|>\||>&|<<<|<<-?|<&|>|<")
_NUMBERED_REDIRECTION = re.compile(r"\d+(?:>>|>&|<&|>|<)")
_PLACEHOLDER = re.compile(r"<(?![\s<>&(;])[^<>\n&;]*(?<![\s<])(?<!\s\d)>")
_OPERATOR = re.compile(r"&&|\|\||;;|[;&|()]")
_PLAIN = re.compile(r"[^\s'\"\\$`;&|()<>{]+|\{")
_NAMED = re.compile(r"\$([A-Za-z_]\w*)")
_OTHER_VARIABLE = re.compile(r"\$(?:\{[^}]*\}|[@*#?$!0-9])")
_QUOTED_LIST = re.compile(r'"\$\{\w+\[[@*]\]')
_IN_VALUE = re.compile(r"\s+|(?:\$\([^)]*\)|\$\{[^}]*\}|`[^`]*`|\S)+")
_REFERENCE = re.compile(r"\$[\w({@*]|`")
_LIST_NAME = re.compile(r"\w+\+?=")
_IN_DOUBLE_QUOTES = re.compile(r'[^"\\$`]+')
_ESCAPED_IN_DOUBLE_QUOTES = re.compile(r"\\([\\\"$`])|\\\r?\n")
_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ANSI_C_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_JSON = re.compile(r'\{\s*"')
_LONGEST_JSON = 4000
# No name has more pieces; a word may have thousands.
_LONGEST_NAME = 5


def escaped_character(digits: str) -> str | None:
    """The character of a hexadecimal code, None for half a character and for codes beyond the last one."""
    code = int(digits, 16)
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else None


class Scanner(ABC):
    """Collects words. The rules of a shell are in ``_step``."""

    def __init__(self, text: str, variables: Variables, at: int = 0, closing: str = "", depth: int = 0) -> None:
        self._text = text
        self._at = at
        self._closing = closing
        self._depth = depth
        self._variables = variables
        self._tokens: list[Token] = []
        self._begin = 0
        self._pieces: list[str] | None = None
        self._unresolved = False

    def tokens(self) -> list[Token]:
        """All words and operators. Assignments take effect for the words behind them. Raises: Unclosed."""
        self._scan()
        self._end_word()
        self._end_command()
        return self._tokens

    @property
    def end(self) -> int:
        """The next place in the text."""
        return self._at

    def _scan(self) -> None:
        while self._at < len(self._text):
            if self._closing and self._text[self._at] == self._closing:
                return
            self._step()
        if self._closing:
            raise Unclosed

    def _list_inside(self) -> tuple[Word, ...]:
        """The words up to the bracket that closes the one here; both are passed over. Raises: Unclosed."""
        inner = type(self)(self._text, self._variables, self._at + 1, ")", self._depth + 1)
        found = tuple(token for token in inner.tokens() if isinstance(token, Word))
        self._at = inner.end + 1
        return found

    @property
    def _assigned_name(self) -> str:
        """``NAME=`` if the word so far is only that."""
        pieces = self._pieces or ()
        before = "".join(pieces) if len(pieces) < _LONGEST_NAME else ""
        return before if _LIST_NAME.fullmatch(before) else ""

    def _assign_list(self, items: tuple[Word, ...]) -> None:
        value = list_of(items)
        self._tokens.append(Word(self._assigned_name + value.text, value.unresolved, items))
        self._pieces, self._unresolved = None, False

    @abstractmethod
    def _step(self) -> None:
        """Takes at least one character."""

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _add(self, text: str, *, unresolved: bool = False) -> None:
        self._pieces = self._pieces or []
        self._pieces.append(text)
        self._unresolved |= unresolved

    def _end_word(self) -> None:
        if self._pieces is not None:
            self._tokens.append(Word("".join(self._pieces), self._unresolved))
        self._pieces = None
        self._unresolved = False

    def _add_words(self, words: Iterable[Word]) -> None:
        """Several words; the first and the last join the parts next to them."""
        for position, word in enumerate(words):
            if position:
                self._end_word()
            self._add(word.text, unresolved=word.unresolved)

    def _end_command(self) -> None:
        """Remembers what a command assigns."""
        words = [token for token in self._tokens[self._begin :] if isinstance(token, Word)]
        self._begin = len(self._tokens)
        if not self._depth:
            self._variables.run(words)

    def _end_with(self, operator: str) -> None:
        self._end_word()
        self._end_command()
        self._tokens.append(Operator(operator))

    def _json(self) -> bool:
        """JSON without quotes around it. A shell would remove its inner quotes, which is never meant."""
        begins = self._pieces is None or self._assigned_name != ""
        if not begins or not _JSON.match(self._text, self._at):
            return False
        try:
            _value, length = json.JSONDecoder().raw_decode(self._text[self._at : self._at + _LONGEST_JSON])
        except (ValueError, RecursionError):
            return False
        found = self._text[self._at : self._at + length]
        if "$" in found or self._text[self._at + length : self._at + length + 1].strip():
            return False
        self._at += length
        self._add(found)
        return True

    def _placeholder(self) -> bool:
        """``<what to put here>``, as in manuals. Not a redirection: those have a space or a file name there."""
        found = self._take(_PLACEHOLDER)
        if found:
            self._add(found[0], unresolved=True)
        return found is not None

    def _take_operator(self, at_a_beginning: re.Pattern[str], *anywhere: re.Pattern[str]) -> bool:
        """An operator, which ends a word. ``2>`` is one at the beginning of a word; in ``a2>`` only the bracket is."""
        patterns = anywhere if self._pieces is not None else (at_a_beginning, *anywhere)
        found = next(filter(None, map(self._take, patterns)), None)
        if found and Operator(found[0]).redirects:
            self._end_word()
            self._tokens.append(Operator(found[0]))
        elif found:
            self._end_with(found[0])
        return found is not None

    def _up_to(self, closing: str) -> str:
        """The text before ``closing``, which is passed over too. Raises: Unclosed."""
        end = self._text.find(closing, self._at)
        if end < 0:
            raise Unclosed
        found = self._text[self._at : end]
        self._at = end + len(closing)
        return found

    def _balanced(self) -> str:
        """The text up to the partner of the bracket just passed. Raises: Unclosed."""
        depth, start = 1, self._at
        while depth:
            if self._at >= len(self._text):
                raise Unclosed
            depth += {"(": 1, ")": -1}.get(self._text[self._at], 0)
            self._at += 1
        return self._text[start : self._at]

    def _home(self) -> None:
        """A tilde just passed: the home folder, if it begins a path."""
        home = self._variables.get("HOME")
        starts = self._pieces is None or self._assigned_name != ""
        is_path = (self._text[self._at : self._at + 1].strip() or "/") in "/\\"
        self._add(home.text if home and starts and is_path else "~")


def sh_words(text: str, variables: Variables) -> list[Token]:
    """Words as sh, bash and zsh split them. Raises: Unclosed."""
    return _ShScanner(text, variables).tokens()


class _ShScanner(Scanner):
    def _step(self) -> None:
        if found := self._take(_CONTINUATION):
            # Without white space around it the shell would join two words, which is never meant before a flag.
            if found["next"] or self._pieces is None:
                self._end_word()
            self._at -= len(found["next"])
        elif self._take(_BLANK):
            self._end_word()
        elif not (
            (self._pieces is None and self._take(_COMMENT))
            or self._assigned_list()
            or self._json()
            or self._placeholder()
            or self._take_operator(_NUMBERED_REDIRECTION, _REDIRECTION, _OPERATOR)
            or self._quoted()
            or self._variable(quoted=False)
        ):
            self._plain()

    def _assigned_list(self) -> bool:
        """``NAME=(a b)``, with the bracket just ahead."""
        if self._text[self._at] != "(" or not self._assigned_name or self._depth >= DEEPEST:
            return False
        self._assign_list(self._list_inside())
        return True

    def _quoted(self) -> bool:
        if found := self._take(_ANSI_C):
            self._add(re.sub(r"\\(.)", lambda one: _ANSI_C_ESCAPES.get(one[1], one[1]), found[1]))
            return True
        mark = self._text[self._at]
        if mark not in "'\"":
            return False
        is_list = _QUOTED_LIST.match(self._text, self._at)
        self._at += 1
        if mark == "'":
            self._add(self._up_to("'"))
        else:
            self._double_quoted(empty=not is_list)
        return True

    def _double_quoted(self, *, empty: bool) -> None:
        """``empty``: an empty pair of quotes is a word; an empty list is not."""
        self._add_words([Word("")] if empty else [])
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
        reference = reference_at(self._text, self._at) if self._depth < DEEPEST else None
        if reference:
            written = self._text[self._at : reference.end]
            self._at = reference.end
            self._refer(reference, written, quoted=quoted)
        elif found := self._take(_NAMED):
            self._refer(Reference(found[1], None, "", "", self._at), found[0], quoted=quoted)
        elif self._text.startswith("$(", self._at):
            self._at += 2
            self._add("$(" + self._balanced(), unresolved=True)
        elif self._text[self._at] == "`":
            self._at += 1
            command = self._up_to("`")
            # A comment between the lines of one command.
            if not command.lstrip().startswith("#"):
                self._add(f"`{command}`", unresolved=True)
        elif found := self._take(_OTHER_VARIABLE):
            self._add(found[0], unresolved=True)
        else:
            return False
        return True

    def _refer(self, reference: Reference, written: str, *, quoted: bool) -> None:
        value = self._variables.get(reference.name)
        takes_word = reference.takes_word(value)
        if takes_word:
            words = self._words_of(reference)
            text = Word(" ".join(each.text for each in words), any(each.unresolved for each in words))
            if reference.operator[-1] == "=":
                self._variables.set(reference.name, text)
            self._add_words(words if not quoted or _is_whole(reference) else [text])
        elif value is None or takes_word is None:
            self._add(written, unresolved=True)
        elif reference.operator[-1:] != "+":
            self._add_value(value, reference, written, quoted=quoted)

    def _words_of(self, reference: Reference) -> list[Word]:
        """The words of a value, or the reference as it stands if its value is more than words."""
        try:
            tokens = _ShScanner(reference.word, self._variables, depth=self._depth + 1).tokens()
        except Unclosed:
            tokens = [Operator("")]
        words = [token for token in tokens if isinstance(token, Word)]
        return words if len(words) == len(tokens) else [Word(reference.word)]

    def _add_value(self, value: Word, reference: Reference, written: str, *, quoted: bool) -> None:
        items = value.items if value.items is not None else (value,)
        if _is_whole(reference):
            self._add_words(items)
        elif (reference.subscript or "0") != "0":
            self._add(written, unresolved=True)
        elif quoted:
            self._add_words(items[:1])
        else:
            self._add_split(items[0] if items else Word(""))

    def _add_split(self, value: Word) -> None:
        """Outside quotes, the shell splits a variable's value."""
        for piece in _IN_VALUE.findall(value.text):
            if piece.isspace():
                self._end_word()
            else:
                self._add(piece, unresolved=value.unresolved and _REFERENCE.search(piece) is not None)

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


def _is_whole(reference: Reference) -> bool:
    """Whether a reference means all members of a list."""
    return reference.subscript in {"@", "*"}
