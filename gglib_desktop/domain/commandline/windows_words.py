"""The words of a command as PowerShell and cmd.exe split them; assignments come out as in a POSIX shell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gglib_desktop.domain.commandline.posix_words import Scanner
from gglib_desktop.domain.commandline.variables import DEEPEST, Variables, assigned
from gglib_desktop.domain.commandline.words import Operator, Token, Unclosed, Word, list_of

_BLANK = re.compile(r"[^\S\n]+")
_REDIRECTION = re.compile(r">>|>&|>|<")
_OPERATOR = re.compile(r"&&|\|\||[;&|]")
_STREAM = re.compile(r"[\d*](?:>>|>&|>)")

_PS_CONTINUATION = re.compile(r"`[ \t]*\r?\n")
_PS_COMMENT = re.compile(r"<#.*?#>|#[^\n]*", re.DOTALL)
_PS_ASSIGNMENT = re.compile(
    r"(?:\[[\w.\[\]]+\][ \t]*)?\$(?:\{?(?:(env)|global|script|local):)?(\w+)\}?[ \t]*(\+?=)[ \t]*(?!=)", re.IGNORECASE
)
_PS_PARAMETERS = re.compile(r"param[ \t]*\(\s*", re.IGNORECASE)
_PS_SPLAT = re.compile(r"@(\w+)")
_PS_COMMA = re.compile(r",\s*")
# The C run-time reads it, PowerShell does not; people copy it from one to the other.
_C_QUOTED = re.compile(r'"([{\[]\s*\\"(?:[^"\\]|\\.)*)"')
_PS_VARIABLE = re.compile(r"\$\{?(?:env:)?(\w+)\}?", re.IGNORECASE)
_PS_PLAIN = re.compile(r"[^\s'‘’‚‛\"`$;&|<>~{]+|\{")
_PS_PLAIN_ITEM = re.compile(r"[^\s'‘’‚‛\"`$;&|<>~,(){]+|\{")
# Typographic quotation marks count like plain ones.
_PS_SINGLE_QUOTE = re.compile("['‘’‚‛]")
_PS_IN_SINGLE_QUOTES = re.compile("[^'‘’‚‛]+|(['‘’‚‛])['‘’‚‛]")
_PS_IN_DOUBLE_QUOTES = re.compile(r'[^"`$]+')
_PS_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

_CMD_CONTINUATION = re.compile(r"\^[ \t]*\r?\n[ \t]*")
_CMD_COMMENT = re.compile(r"@?(?:rem\b|::)[^\n]*", re.IGNORECASE)
_CMD_SET = re.compile(r"@?set\s+(?:\"(\w+)=([^\"\n]*)\"|(\w+)=((?:\^[ \t]*\r?\n|[^&|\n])*))", re.IGNORECASE)
_CMD_SETX = re.compile(r"setx\s+(?:/\w+\s+)*(\w+)\s+(?:\"([^\"\n]*)\"|([^\s&|]+))", re.IGNORECASE)
# The bracket before a command of its own: if exist x.gguf (llama-server …) else (echo no)
_CMD_GROUP = re.compile(r"\(\s*(?=[^\s()]*(?:server|set\b))|\)\s*else\b\s*\(|\)(?=\s*$)", re.IGNORECASE | re.MULTILINE)
_CMD_VARIABLE = re.compile(r"%(\w+)(?::[^%\n]*)?%|!(\w+)!|%~[a-z]*\d|%[\d*]", re.IGNORECASE)
_COMMA = Operator(",")
_CMD_PLAIN = re.compile(r"(?:[^\s\"^&|<>%!(){\\]|\\(?!\"))+|\{")


def powershell_words(text: str, variables: Variables) -> list[Token]:
    """Words as PowerShell splits them, ``$env:A = "b"`` as ``export A=b``. Raises: Unclosed."""
    return _PowerShellScanner(text, variables).tokens()


def cmd_words(text: str, variables: Variables) -> list[Token]:
    """Words as cmd.exe and the C run-time split them, ``set A=b`` as ``export A=b``. Raises: Unclosed."""
    return _CmdScanner(text, variables).tokens()


class _WindowsScanner(Scanner):
    @property
    def _begins_command(self) -> bool:
        if self._pieces is not None:
            return False
        last = self._tokens[-1] if self._tokens else Operator("")
        return isinstance(last, Operator) and not last.redirects

    def _end_of_line_or(self, plain: re.Pattern[str]) -> None:
        if found := self._take(plain):
            self._add(found[0])
        elif self._text.startswith("\n", self._at):
            self._at += 1
            self._end_with("\n")
        else:
            self._add(self._text[self._at : self._at + 1])
            self._at += 1


class _PowerShellScanner(_WindowsScanner):
    _in_parameters = False

    def _step(self) -> None:
        if self._take(_BLANK) or self._take(_PS_CONTINUATION):
            self._end_word()
        elif self._begins_command and (found := self._take(_PS_ASSIGNMENT)):
            self._begin_assignment(found)
        elif self._begins_command and self._take(_PS_PARAMETERS):
            self._in_parameters = True
        elif self._in_parameters and self._text[self._at] == ")":
            self._at += 1
            self._in_parameters = False
            self._end_with("\n")
        elif self._lists and self._take(_PS_COMMA):
            self._end_word()
            self._tokens.append(_COMMA)
        elif self._begins_command and self._text[self._at] == "&":
            self._at += 1
        elif not (
            (self._pieces is None and self._take(_PS_COMMENT))
            or self._list()
            or self._json()
            or self._placeholder()
            or self._take_operator(_STREAM, _REDIRECTION, _OPERATOR)
            or self._quoted()
            or self._variable(quoted=False)
        ):
            self._bare()

    def _begin_assignment(self, found: re.Match[str]) -> None:
        if self._tokens and self._tokens[-1] == _COMMA:
            # The next parameter of a script.
            self._tokens.pop()
            self._end_with("\n")
        if found[1]:
            self._tokens.append(Word("export"))
        self._add(self._variables.spelled(found[2]) + found[3])

    @property
    def _first_word(self) -> str:
        first = next(iter(self._tokens[self._begin :]), None)
        return first.text.lower() if isinstance(first, Word) else "".join(self._pieces or ()).lower()

    @property
    def _lists(self) -> bool:
        """Whether commas separate members of a list here; for other programs they are part of a word."""
        first = self._first_word
        return self._closing != "" or first in {"start-process", "export"} or assigned(Word(first)) is not None

    def _end_word(self) -> None:
        # Windows PowerShell passes quotation marks on without the backslash before each.
        if self._pieces is not None:
            text = "".join(self._pieces)
            self._pieces = [text.replace('\\"', '"')] if text.count('"') == text.count('\\"') else [text]
        super()._end_word()

    def _end_command(self) -> None:
        tokens = self._tokens[self._begin :]
        if _COMMA in tokens:
            self._tokens[self._begin :] = _without_commas(tokens) if not self._closing else _words(tokens)
        super()._end_command()

    def _list(self) -> bool:
        """``@(a, b)``, or ``@name`` with the members of a list as arguments."""
        if self._text.startswith("@(", self._at) and self._depth < DEEPEST:
            self._at += 1
            self._add_list(self._list_inside())
            return True
        splat = self._take(_PS_SPLAT) if self._pieces is None and not self._begins_command else None
        if splat:
            value = self._variables.get(splat[1], any_case=True)
            self._add_list((Word(splat[0], unresolved=True),) if value is None else _items(value))
        return splat is not None

    def _add_list(self, items: tuple[Word, ...]) -> None:
        if self._assigned_name:
            self._assign_list(items)
        elif self._first_word == "start-process":
            self._end_word()
            self._tokens.append(list_of(items))
        else:
            self._add_words(items)

    def _bare(self) -> None:
        if self._text[self._at] == "`":
            self._escaped()
        elif self._text[self._at] == "~":
            self._at += 1
            self._home()
        elif self._text[self._at] == "(" and self._lists:
            self._at += 1
            self._add("(" + self._balanced(), unresolved=True)
        else:
            self._end_of_line_or(_PS_PLAIN_ITEM if self._lists else _PS_PLAIN)

    def _escaped(self) -> None:
        mark = self._text[self._at + 1 : self._at + 2]
        self._add(_PS_ESCAPES.get(mark, mark))
        self._at += 2

    def _quoted(self) -> bool:
        if found := self._take(_C_QUOTED):
            self._add(found[1].replace('\\"', '"'))
            return True
        if self._text[self._at] == '"':
            self._at += 1
            self._double_quoted()
            return True
        if not self._take(_PS_SINGLE_QUOTE):
            return False
        self._add("")
        while found := self._take(_PS_IN_SINGLE_QUOTES):
            self._add(found[1] or found[0])
        if not self._take(_PS_SINGLE_QUOTE):
            raise Unclosed
        return True

    def _double_quoted(self) -> None:
        self._add("")
        while True:
            if self._at >= len(self._text):
                raise Unclosed
            if self._text.startswith('""', self._at):
                self._add('"')
                self._at += 2
            elif self._text[self._at] == '"':
                self._at += 1
                return
            elif found := self._take(_PS_IN_DOUBLE_QUOTES):
                self._add(found[0])
            elif self._text[self._at] == "`":
                self._escaped()
            elif not self._variable(quoted=True):
                self._add("$")
                self._at += 1

    def _variable(self, *, quoted: bool) -> bool:
        if self._text.startswith("$(", self._at):
            self._at += 2
            self._add("$(" + self._balanced(), unresolved=True)
            return True
        found = self._take(_PS_VARIABLE)
        value = self._variables.get(found[1], any_case=True) if found else None
        if found and value is None:
            self._add(found[0], unresolved=True)
        elif value is not None and value.items is not None and not quoted:
            self._add_list(value.items)
        elif value is not None:
            self._add(value.text, unresolved=value.unresolved)
        return found is not None


def _items(value: Word) -> tuple[Word, ...]:
    return (value,) if value.items is None else value.items


def _words(tokens: Sequence[Token]) -> list[Token]:
    return [token for token in tokens if isinstance(token, Word)]


def _without_commas(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of a command, those words as one list that have commas between them."""
    found: list[Token] = []
    joins = False
    for token in tokens:
        last = found[-1] if found else None
        if joins and isinstance(last, Word) and isinstance(token, Word):
            value = (assigned(last) or ("", last))[1]
            items = list_of((*_items(value), *_items(token)))
            name = last.text[: len(last.text) - len(value.text)]
            found[-1] = Word(name + items.text, items.unresolved, items.items)
        elif token != _COMMA:
            found.append(token)
        joins = token == _COMMA
    return found


class _CmdScanner(_WindowsScanner):
    def _step(self) -> None:
        if self._take(_BLANK) or self._take(_CMD_CONTINUATION):
            self._end_word()
        elif self._begins_command and (self._take(_CMD_COMMENT) or self._take(re.compile("@"))):
            pass
        elif self._begins_command and (found := self._take(_CMD_SET)):
            self._tokens.append(Word("export"))
            self._set(found[1] or found[3], found[2] if found[1] else found[4].rstrip())
        elif self._begins_command and (found := self._take(_CMD_SETX)):
            self._tokens.append(Word("export"))
            self._set(found[1], found[2] or found[3] or "")
        elif not self._depth and self._take(_CMD_GROUP):
            self._end_with("\n")
        elif self._json() or self._placeholder() or self._take_operator(_STREAM, _REDIRECTION, _OPERATOR):
            pass
        elif self._text.startswith('\\"', self._at):
            self._add('"')
            self._at += 2
        elif self._text[self._at] == '"':
            self._at += 1
            self._quoted()
        elif not self._variable(quoted=False):
            if self._text[self._at] == "^":
                self._at += 1
            self._end_of_line_or(_CMD_PLAIN)

    def _quoted(self) -> None:
        self._add("")
        while not self._text.startswith('"', self._at) or self._text.startswith('""', self._at):
            if self._at >= len(self._text):
                raise Unclosed
            if self._text.startswith(('\\"', '""'), self._at):
                self._add('"')
                self._at += 2
            elif not self._variable(quoted=True):
                self._add(self._text[self._at])
                self._at += 1
        self._at += 1

    def _set(self, name: str, text: str) -> None:
        def value(found: re.Match[str]) -> str:
            known = self._value(found)
            return found[0] if known is None else known.text

        text = _CMD_VARIABLE.sub(value, _CMD_CONTINUATION.sub(" ", text))
        self._add(f"{self._variables.spelled(name)}={text}", unresolved=_CMD_VARIABLE.search(text) is not None)

    def _value(self, found: re.Match[str]) -> Word | None:
        is_cut = ":" in found[0]
        return None if is_cut else self._variables.get(found[1] or found[2] or "", any_case=True)

    def _variable(self, *, quoted: bool) -> bool:
        found = self._take(_CMD_VARIABLE)
        # A value was expanded when it was set.
        value = self._value(found) if found and not self._depth else None
        if found and value is None:
            self._add(found[0], unresolved=True)
        elif value is not None and quoted:
            self._add(value.text.replace('"', ""), unresolved=value.unresolved)
        elif value is not None:
            self._read_inside(value.text)
        return found is not None

    def _read_inside(self, text: str) -> None:
        """A value is ordinary text here: it may hold several words and quotation marks."""
        inner = _CmdScanner(text, self._variables, depth=1)
        inner._tokens, inner._begin = self._tokens, self._begin
        inner._pieces, inner._unresolved = self._pieces, self._unresolved
        inner._scan()
        self._begin, self._pieces, self._unresolved = inner._begin, inner._pieces, inner._unresolved
