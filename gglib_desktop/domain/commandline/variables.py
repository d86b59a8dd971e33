"""What names in a text stand for: assignments, references, and the values known so far."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gglib_desktop.domain.commandline.words import Word, list_of

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"(\w+)(\+?)=(.*)", re.DOTALL)
_EXPORTS = frozenset({"export", "env", "setenv"})
_BRANCHES = {"if": 1, "case": 1, "fi": -1, "esac": -1}
_KEYWORDS = frozenset({"then", "else", "do", "{"})
_SETTERS = frozenset({"set", "setenv"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_DECLARATIONS = frozenset({"declare", "typeset", "readonly", "local"})
_DECLARING_FLAG = re.compile(r"-[A-Za-z]+|--(?:append|export|global|local|universal|function)")
_LONG_FLAGS = {"--append": "a", "--export": "x", "--global": "", "--local": "", "--universal": "", "--function": ""}
_BRACED = re.compile(r"\$\{(\w+)(?:\[([^\]{}]*)\])?(:?[-=+?])?")
_MACRO = re.compile(r"\$\{(\w[\w.-]*)\}")
_DOLLAR = re.compile(r"\$\$|\$(\w+)|\$\([^)]*\)|\$\{[^}]*\}|[^$]+|\$")
_BRACE_OR_QUOTE = re.compile(r"""[{}]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'""", re.DOTALL)
# The length of all values together has a limit, since names in names can multiply.
MOST_TEXT = 1_000_000
# Deeper than people nest; Python could not recurse forever.
DEEPEST = 20
_LONGEST_WORD = 2000


def assigned(word: Word) -> tuple[str, Word] | None:
    """The name and the value of ``NAME=value``, or what ``NAME+=value`` adds."""
    found = _ASSIGNMENT.fullmatch(word.text)
    return (found[1], Word(found[3], word.unresolved, word.items)) if found else None


def assignments(words: Sequence[Word]) -> list[tuple[str, Word]] | None:
    """What a command sets if it does nothing else, None for any other command."""
    rest = _without_declaration(words)
    found = [pair for word in rest if (pair := assigned(word))]
    return found if found and len(found) == len(rest) else None


def exports(words: Sequence[Word]) -> bool:
    """Whether the variables that a command assigns reach the programs started after it."""
    name = words[0].text if words else ""
    return name in _EXPORTS or (name in _DECLARATIONS | _SETTERS and "x" in _declaration(words)[0])


def _without_declaration(words: Sequence[Word]) -> Sequence[Word]:
    """The assignments alone, in the form of POSIX shells."""
    first = words[0].text if words else ""
    if first not in _EXPORTS | _DECLARATIONS | _SETTERS:
        return words
    flags, rest = _declaration(words)
    return (_set(rest, adds="a" in flags) or words) if first in _SETTERS else rest


def _declaration(words: Sequence[Word]) -> tuple[str, Sequence[Word]]:
    """The letters of the flags behind the first word, and the words behind them."""
    letters, at = "", 1
    while at < len(words) and _DECLARING_FLAG.fullmatch(words[at].text):
        letters += _LONG_FLAGS.get(words[at].text, words[at].text)
        at += 1
    return letters, words[at:]


def _set(words: Sequence[Word], *, adds: bool) -> list[Word]:
    """``NAME=value`` for a name and its values as fish and csh set them; fish passes several on as several words."""
    if len(words) < 2 or not _NAME.fullmatch(words[0].text):
        return []
    value = list_of(tuple(words[1:]))
    return [Word(f"{words[0].text}{'+= ' if adds else '='}{value.text}", value.unresolved)]


class Variables:
    """The values of names, as a text assigns them from top to bottom.

    ``later`` are the values from an earlier reading of the same text, for names that are used before they are assigned.
    """

    def __init__(self, known: Mapping[str, str] | None = None, later: Variables | None = None) -> None:
        self._values = {name: Word(value) for name, value in (known or {}).items()}
        self._as_spelled = {name.lower(): name for name in self._values}
        self._later = later
        self.readings: int = 1 + (later.readings if later else 0)
        self._missed: set[str] = set()
        self._left = MOST_TEXT
        self._branches = 0

    def get(self, name: str, *, any_case: bool = False) -> Word | None:
        """The value of a name, None if it is not known or if the values have become too long."""
        name = self.spelled(name) if any_case else name
        value = self._values.get(name)
        if value is None:
            self._missed.add(name)
            value = self._later.get(name, any_case=any_case) if self._later else None
            value = None if value is None or value.unresolved else value
        self._left -= len(value.text) if value else 0
        return value if self._left >= 0 else None

    def spelled(self, name: str) -> str:
        """A name as it was spelled first, if upper and lower case are the same."""
        return self._as_spelled.get(name.lower(), name)

    def run(self, words: Sequence[Word]) -> None:
        """Takes the assignments of a command, also behind words like ``if`` and ``then``."""
        first = words[0].text if words else ""
        self._branches = max(0, self._branches + _BRANCHES.get(first, 0))
        rest = words[1:] if first in _KEYWORDS else words
        pairs = zip(_without_declaration(rest), assignments(rest) or (), strict=False)
        for word, (name, value) in pairs:
            self.set(name, value, adds=word.text[len(name)] == "+")

    def set(self, name: str, value: Word, *, adds: bool = False) -> None:
        old = self._values.get(name)
        if adds and old is not None:
            value = _joined(old, value)
        elif self._branches and old is not None and old != value:
            # It is not known which of the two it will be.
            value = Word(f"${name}", unresolved=True)
        self._values[name] = value
        self._as_spelled.setdefault(name.lower(), name)

    def changed_later(self) -> bool:
        """Whether a name got its value only after it was used, and a different one than in the reading before."""
        earlier = self._later.assigned if self._later else {}
        return any(name in self._values and self._values[name] != earlier.get(name) for name in self._missed)

    @property
    def assigned(self) -> Mapping[str, Word]:
        """The last value of each name."""
        return self._values


def _joined(old: Word, value: Word) -> Word:
    if old.items is None and value.items is None:
        return Word(old.text + value.text, old.unresolved or value.unresolved)
    parts = ((each,) if each.items is None else each.items for each in (old, value))
    return list_of(tuple(item for part in parts for item in part))


@dataclass(frozen=True)
class Reference:
    """``${NAME[subscript]operator word}``: a name, and what counts if it has a value or none. ``end`` is behind it."""

    name: str
    subscript: str | None
    operator: str
    word: str
    end: int

    def takes_word(self, value: Word | None) -> bool | None:
        """Whether the word counts instead of the value; None if neither counts and nothing is known."""
        missing = value is None or value.unresolved or (":" in self.operator and not value.text)
        if self.operator[-1:] in {"-", "="}:
            return missing
        if value is None:
            return None
        return self.operator[-1:] == "+" and not missing


def reference_at(text: str, at: int) -> Reference | None:
    """The reference in braces that begins here, None if it is of another kind."""
    found = _BRACED.match(text, at)
    end = _closing_brace(text, found.end()) if found else -1
    if found is None or end < 0 or (not found[3] and end != found.end()):
        return None
    return Reference(found[1], found[2], found[3] or "", text[found.end() : end], end + 1)


def _closing_brace(text: str, at: int) -> int:
    """The place of the brace that closes the one before ``at``; -1 if there is none, or too much text before it."""
    depth, start = 1, at
    while found := _BRACE_OR_QUOTE.search(text, at, start + _LONGEST_WORD):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return found.start()
        if depth > DEEPEST:
            break
        at = found.end()
    return -1


def interpolated(text: str, variables: Variables, depth: int = 0) -> Word:
    """A text where compose replaces variables by their values, and ``$$`` is a dollar sign."""
    pieces: list[Word] = []
    at = 0
    while at < len(text):
        reference = reference_at(text, at) if depth < DEEPEST else None
        if reference:
            pieces.append(_referred(reference, text[at : reference.end], variables, depth))
            at = reference.end
            continue
        found = _DOLLAR.match(text, at)
        assert found is not None
        value = variables.get(found[1]) if found[1] else None
        known = "$" if found[0] == "$$" else found[0] if found[0][0] != "$" or len(found[0]) == 1 else None
        pieces.append(value or Word(known or found[0], unresolved=known is None))
        at = found.end()
    return Word("".join(piece.text for piece in pieces), any(piece.unresolved for piece in pieces))


def _referred(reference: Reference, written: str, variables: Variables, depth: int) -> Word:
    value = variables.get(reference.name)
    takes_word = reference.takes_word(value)
    if takes_word:
        return interpolated(reference.word, variables, depth + 1)
    if value is None or takes_word is None:
        return Word(written, unresolved=True)
    return Word("") if reference.operator[-1:] == "+" else value


def with_macros(text: str, macros: Mapping[str, str]) -> str:
    """A text with the values of ``${macro}`` put in, and of the macros in those.

    A macro that holds itself, and what would be too much text, stays as it is written.
    """
    left = MOST_TEXT

    def put_in(piece: str, around: frozenset[str]) -> str:
        def value(found: re.Match[str]) -> str:
            nonlocal left
            name = found[1]
            left -= len(macros.get(name, ""))
            put = name in macros and name not in around and len(around) < DEEPEST and left >= 0
            return put_in(macros[name], around | {name}) if put else found[0]

        return _MACRO.sub(value, piece)

    return put_in(text, frozenset())
