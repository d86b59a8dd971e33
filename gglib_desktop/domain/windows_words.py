"""The words of a command as PowerShell and cmd.exe split them; assignments come out as in a POSIX shell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gglib_desktop.domain.shell_words import Operator, Scanner, Token, Unclosed, Word

_BLANK = re.compile(r"[^\S\n]+")
_REDIRECTION = re.compile(r">>|>&|>|<")
_OPERATOR = re.compile(r"&&|\|\||[;&|]")
_STREAM = re.compile(r"[\d*](?:>>|>&|>)")

_PS_CONTINUATION = re.compile(r"`[ \t]*\r?\n")
_PS_COMMENT = re.compile(r"<#.*?#>|#[^\n]*", re.DOTALL)
_PS_ASSIGNMENT = re.compile(r"\$(?:\{?(env):)?(\w+)\}?[ \t]*=[ \t]*(?!=)", re.IGNORECASE)
_PS_VARIABLE = re.compile(r"\$\{?(?:env:)?(\w+)\}?", re.IGNORECASE)
_PS_PLAIN = re.compile(r"[^\s'‘’‚‛\"`$;&|<>~]+")
# Typographic quotation marks are as good as plain ones.
_PS_SINGLE_QUOTE = re.compile("['‘’‚‛]")
_PS_IN_SINGLE_QUOTES = re.compile("[^'‘’‚‛]+|(['‘’‚‛])['‘’‚‛]")
_PS_IN_DOUBLE_QUOTES = re.compile(r'[^"`$]+')
_PS_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

_CMD_CONTINUATION = re.compile(r"\^[ \t]*\r?\n[ \t]*")
_CMD_COMMENT = re.compile(r"@?(?:rem\b|::)[^\n]*", re.IGNORECASE)
_CMD_SET = re.compile(r"@?set\s+(?:\"(\w+)=([^\"\n]*)\"|(\w+)=([^&|\n]*))", re.IGNORECASE)
_CMD_VARIABLE = re.compile(r"%(\w+)%|!(\w+)!|%~[a-z]*\d|%[\d*]", re.IGNORECASE)
_CMD_PLAIN = re.compile(r"[^\s\"^&|<>%!()]+")


def powershell_words(text: str, variables: Mapping[str, str]) -> list[Token]:
    """Words as PowerShell splits them, ``$env:A = "b"`` as ``export A=b``. Raises: Unclosed."""
    return _PowerShellScanner(text, variables).tokens()


def cmd_words(text: str, variables: Mapping[str, str]) -> list[Token]:
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
    def _step(self) -> None:
        if self._take(_BLANK) or self._take(_PS_CONTINUATION):
            self._end_word()
        elif self._begins_command and (found := self._take(_PS_ASSIGNMENT)):
            if found[1]:
                self._tokens.append(Word("export"))
            self._add(f"{found[2]}=")
        elif self._begins_command and self._text[self._at] == "&":
            self._at += 1
        elif not (
            (self._pieces is None and self._take(_PS_COMMENT))
            or self._take_operator(_STREAM, _REDIRECTION, _OPERATOR)
            or self._quoted()
            or self._variable()
        ):
            self._bare()

    def _bare(self) -> None:
        if self._text[self._at] == "`":
            self._escaped()
        elif self._text[self._at] == "~":
            self._at += 1
            self._home()
        else:
            self._end_of_line_or(_PS_PLAIN)

    def _escaped(self) -> None:
        mark = self._text[self._at + 1 : self._at + 2]
        self._add(_PS_ESCAPES.get(mark, mark))
        self._at += 2

    def _quoted(self) -> bool:
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
            elif not self._variable():
                self._add("$")
                self._at += 1

    def _variable(self) -> bool:
        if self._text.startswith("$(", self._at):
            self._at += 2
            self._add("$(" + self._balanced(), unresolved=True)
            return True
        found = self._take(_PS_VARIABLE)
        if found:
            value = self._variables.get(found[1])
            self._add(found[0] if value is None else value, unresolved=value is None)
        return found is not None


class _CmdScanner(_WindowsScanner):
    def _step(self) -> None:
        if self._take(_BLANK) or self._take(_CMD_CONTINUATION):
            self._end_word()
        elif self._begins_command and (self._take(_CMD_COMMENT) or self._take(re.compile("@"))):
            pass
        elif self._begins_command and (found := self._take(_CMD_SET)):
            self._tokens.append(Word("export"))
            name, value = (found[1], found[2]) if found[1] else (found[3], found[4].rstrip())
            self._add(f"{name}={value}", unresolved=_CMD_VARIABLE.search(value) is not None)
        elif self._take_operator(_STREAM, _REDIRECTION, _OPERATOR):
            pass
        elif self._text[self._at] == '"':
            self._at += 1
            self._quoted()
        elif not self._variable():
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
            elif not self._variable():
                self._add(self._text[self._at])
                self._at += 1
        self._at += 1

    def _variable(self) -> bool:
        found = self._take(_CMD_VARIABLE)
        if found:
            value = self._variables.get(found[1] or found[2] or "")
            self._add(found[0] if value is None else value, unresolved=value is None)
        return found is not None
