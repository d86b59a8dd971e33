"""Splits llama-server's arguments into flags with their values, by our definitions and by an engine's help."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gglib_desktop.domain.commandline.invocation import looks_like_flag
from gglib_desktop.domain.commandline.words import Word
from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.load_mode import LOAD_MODE, MAP, became_load_mode, flags_of_load_mode
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.engine_options import EngineOption, engine_options

TRUE_WORDS = frozenset({"on", "enabled", "true", "1"})
FALSE_WORDS = frozenset({"off", "disabled", "false", "0"})
_ATTACHED = re.compile(r"(-{1,2}[A-Za-z][\w.-]*)=(.*)", re.DOTALL)
_INTEGER = re.compile(r"[+-]?\d{1,300}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BEGINS_AS_NUMBER = re.compile(r"[+-]?\d{1,300}", re.ASCII)
_MULTIPLE_CHOICE_SWITCHES = frozenset({"flash_attn"})
# Names that current builds refuse, and the names that replaced them.
_FORMER = {
    "--draft": "--spec-draft-n-max",
    "--draft-n": "--spec-draft-n-max",
    "--draft-max": "--spec-draft-n-max",
    "--draft-min": "--spec-draft-n-min",
    "--draft-n-min": "--spec-draft-n-min",
}
_VARIABLES = {
    "LLAMA_ARG_MODEL": "--model",
    "LLAMA_ARG_HOST": "--host",
    "LLAMA_ARG_ENDPOINT_METRICS": "--metrics",
    "LLAMA_API_KEY": "--api-key",
    "LLAMA_ARG_API_KEY_FILE": "--api-key-file",
    "LLAMA_ARG_HF_REPO": "--hf-repo",
    "LLAMA_ARG_MODEL_URL": "--model-url",
    "LLAMA_ARG_CORS_ORIGINS": "--cors-origins",
    "LLAMA_ARG_DRAFT_MAX": "--draft-max",
    "LLAMA_ARG_DRAFT_P_MIN": "--draft-p-min",
    "LLAMA_ARG_DRAFT_MIN": "--draft-min",
    "LLAMA_ARG_SPEC_DRAFT_N_MIN": "--spec-draft-n-min",
    "LLAMA_ARG_LOAD_MODE": "--load-mode",
    "LLAMA_ARG_DIO": "--direct-io",
}
_SWITCHES = frozenset({"--metrics", "--direct-io"})
_SCALED = frozenset({"--lora-scaled", "--control-vector-scaled"})
_FILE = re.compile(r"FNAME|FILE|PATH|DIR")
# They may look like a path, but are none.
_NAMES = frozenset({"-a", "--alias", "--api-prefix"})
# Flags with fewer letters have one dash.
_SHORTEST_LONG = 4
_WITH_A_VALUE = frozenset(_VARIABLES.values()) - _SWITCHES


@dataclass(frozen=True)
class Argument:
    """A flag with its values, or a word that is neither (``flag`` is then empty). ``written`` is the original text.

    ``option`` is the field that it belongs to. ``on`` False: the flag switches it off. ``variable``: an environment
    variable set it, or a line of a preset. ``moved``: its values are not the ones written, but paths outside of a
    container, or what present builds take.
    """

    flag: str
    values: tuple[Word, ...]
    written: tuple[str, ...]
    option: EngineOption | None = None
    on: bool = True
    variable: bool = False
    moved: bool = False

    @property
    def value(self) -> str:
        return " ".join(word.text for word in self.values)

    @property
    def unresolved(self) -> bool:
        return any(word.unresolved for word in self.values)


class Vocabulary:
    """What is known about flags: the definitions, and an engine's help if there is one."""

    def __init__(self, capabilities: EngineCapabilities | None) -> None:
        self._capabilities = capabilities or EngineCapabilities()
        self._has_help = bool(self._capabilities.spellings)
        self._options: dict[str, tuple[EngineOption, bool]] = {}
        self._variables = {name: frozenset({flag}) for name, flag in _VARIABLES.items()}
        self._variables.update(self._capabilities.environment)
        for option in engine_options():
            self._learn(option)

    def _learn(self, option: EngineOption) -> None:
        off_flags = frozenset(option.spec.off_flags)
        flags = {flag for said in option.spec.flags for flag in self._capabilities.same_option(said)}
        for flag in flags | off_flags:
            says_no = flag in off_flags or (option.kind is bool and _is_negation(flag, flags))
            self._options[flag] = (option, not says_no)
        if option.spec.environment:
            said = self._variables.get(option.spec.environment, frozenset())
            self._variables[option.spec.environment] = said | {*option.spec.flags, *option.spec.off_flags}

    def knows(self, word: str) -> bool:
        """Whether a definition, the engine or this program knows a word as a flag."""
        flag = flag_of(word)
        return looks_like_flag(word) and (
            flag in self._options or self._capabilities.supports(flag) or flag in _WITH_A_VALUE | {"-m", *_FORMER}
        )

    def spellings(self, flag: str) -> frozenset[str]:
        return self._capabilities.same_option(flag)

    def present_name(self, argument: Argument) -> str | None:
        """The present name of a flag, None if it was called by that name."""
        flag = argument.flag
        if not self._has_help:
            return _FORMER.get(flag)
        if self._capabilities.supports(flag):
            return None
        spec = argument.option.spec if argument.option else None
        names = ((spec.flags if argument.on else spec.off_flags) if spec else ()) or (_FORMER.get(flag, ""),)
        return next(filter(self._capabilities.supports, names), None)

    def arguments(self, words: Sequence[Word]) -> list[Argument]:
        """The words in order, each flag with the values that belong to it."""
        found: list[Argument] = []
        rest = list(words)
        while rest:
            argument, taken = self._argument(rest)
            found.append(argument)
            del rest[:taken]
        return found

    def _argument(self, words: Sequence[Word]) -> tuple[Argument, int]:
        word = words[0]
        if not looks_like_flag(word.text):
            return Argument("", (word,), (word.text,)), 1
        attached = _ATTACHED.fullmatch(word.text)
        flag = flag_of(word.text)
        option, on = self._options.get(flag, (None, True))
        if attached:
            return Argument(flag, (Word(attached[2], word.unresolved),), (word.text,), option, on), 1
        following = words[1 : 1 + self._value_count(flag, option, words[1:2])]
        if flag in _SCALED and len(following) == 1 and self._is_scale(words[1:3]):
            # Former builds took the scale as a second value.
            scaled = Word(f"{words[1].text}:{words[2].text}", words[1].unresolved)
            return Argument(flag, (scaled,), tuple(each.text for each in words[:3]), moved=True), 3
        written = (word.text, *(each.text for each in following))
        # A flag that is itself a variable has no known value.
        values = tuple(following) if not word.unresolved else (word, *following)
        return Argument(flag, values, written, option, on), len(written)

    @staticmethod
    def _is_scale(words: Sequence[Word]) -> bool:
        return len(words) == 2 and ":" not in words[0].text and _NUMBER.fullmatch(words[1].text) is not None

    def _value_count(self, flag: str, option: EngineOption | None, following: Sequence[Word]) -> int:
        if option and option.kind is bool:
            return 0
        if option and option.name in _MULTIPLE_CHOICE_SWITCHES:
            # Older builds had it as a switch; a value that is not one of its words belongs to no flag.
            known = {*option.choices, *TRUE_WORDS, *FALSE_WORDS, "-1"}
            return int(any(word.unresolved or word.text in known for word in following))
        count = 1 if option or flag in _WITH_A_VALUE | {"-m"} else self._capabilities.value_count(flag)
        if count is None:
            return int(any(not looks_like_flag(word.text) for word in following))
        # The engine would take the next flag for the number, which is never meant.
        return 0 if self.takes_number(flag, option) and any(self.knows(word.text) for word in following) else count

    def takes_number(self, flag: str, option: EngineOption | None) -> bool:
        """Whether a flag's value is a number, by its definition or the help."""
        return option.kind in {int, float} if option else self._capabilities.placeholders.get(flag) == "N"

    def may_name_files(self, argument: Argument) -> bool:
        """Whether a value can be a file or a folder, by the definitions and the help."""
        if argument.option:
            return argument.option.kind is Path
        placeholder = self._capabilities.placeholders.get(argument.flag)
        return argument.flag not in _NAMES if placeholder is None else _FILE.search(placeholder) is not None

    def takes_value(self, flag: str) -> bool:
        """Whether the engine's help lists it."""
        return bool(self._capabilities.value_count(flag))

    def is_unlisted(self, argument: Argument) -> bool:
        """Whether the engine's help is known and does not list the word, not even as removed."""
        flag, capabilities = argument.flag, self._capabilities
        told = self.knows(flag) or flag in capabilities.removed or became_load_mode(flag, capabilities)
        return self._has_help and not told

    def in_fields(self, argument: Argument) -> list[Argument]:
        """The argument, or several for our fields where the engine has one flag for them together."""
        is_mode = argument.flag in self._capabilities.same_option(LOAD_MODE) and not argument.unresolved
        flags = flags_of_load_mode(argument.value) if is_mode and became_load_mode(MAP, self._capabilities) else ()
        return [Argument(flag, (), argument.written, *self._options[flag]) for flag in flags] or [argument]

    def lacks_value(self, argument: Argument) -> bool:
        """Whether the value that the flag needs is empty. Text may be empty on purpose."""
        option, flag = argument.option, argument.flag
        if option is None:
            unsaid = not argument.values or self.takes_number(flag, None)
            needed = unsaid and self.takes_value(flag)
        else:
            is_text = option.kind is str and option.limits is None
            needed = option.kind is not bool and option.name not in _MULTIPLE_CHOICE_SWITCHES
            needed = needed and not (is_text and argument.values)
        return needed and not argument.value.strip()

    def from_variable(self, name: str, value: Word) -> Argument | None:
        """An environment variable as the flag with the same meaning; None if there is none."""
        flags = self._variables.get(name)
        negated = flags is None and name.startswith("LLAMA_ARG_NO_")
        if negated:
            flags = self._variables.get("LLAMA_ARG_" + name.removeprefix("LLAMA_ARG_NO_"))
        if not flags:
            return None
        written = (f"{name}={value.text}",)
        option = next((self._options[flag][0] for flag in flags if flag in self._options), None)
        if not self._is_switch(flags, option):
            flag = option.spec.flags[0] if option else min(flags, key=lambda each: (-len(each), each))
            return Argument(flag, (value,), written, option, variable=True)
        on = value.text.strip().lower() in TRUE_WORDS and not negated
        if not on and not negated and value.text.strip().lower() not in FALSE_WORDS:
            return None
        says_no = {flag for flag in flags if flag.startswith("--no-") and len(flags) > 1}
        named = sorted(flag for flag in (flags - says_no if on else says_no) if flag.startswith("--"))
        return Argument((named or [""])[0], (), written, option, on, variable=True)

    def from_entry(self, key: str, value: Word) -> Argument | None:
        """A line of a router preset, where flags have no dashes, and switches a word; None if it says nothing."""
        dashes = "-" if len(key) < _SHORTEST_LONG else "--"
        flag = next(filter(self.knows, (f"--{key}", f"-{key}")), dashes + key)
        option, on = self._options.get(flag, (None, True))
        written = (key, "=", value.text)
        untold = option is None and self._capabilities.value_count(flag) is None
        if not (self._is_switch(frozenset({flag}), option) or (untold and value.text in {"true", "false"})):
            return Argument(flag, (value,), written, option, variable=True)
        says_off = value.text.lower() in FALSE_WORDS
        if option:
            return Argument(flag, (), written, option, on != says_off, variable=True)
        off_flag = f"--no-{key}"
        if says_off and not (self.knows(off_flag) or untold):
            return None
        return Argument(off_flag if says_off else flag, (), written, variable=True)

    def _is_switch(self, flags: frozenset[str], option: EngineOption | None) -> bool:
        if option:
            return option.kind is bool
        return not flags.isdisjoint(_SWITCHES) or any(self._capabilities.value_count(flag) == 0 for flag in flags)


def _is_negation(flag: str, spellings: Set[str]) -> bool:
    """Whether a switch is off: ``--no-mmap`` beside ``--mmap``, ``-nfoo`` beside ``-foo``."""
    return not spellings.isdisjoint({flag.replace("no-", "", 1), flag.replace("-n", "-", 1)} - {flag})


def misread_number(argument: Argument) -> str:
    """The number that llama-server would read from a value that is none, as 32 from ``32k``; empty if it refuses it."""
    is_number = argument.option is not None and argument.option.kind in {int, float}
    found = _BEGINS_AS_NUMBER.match(argument.value) if is_number else None
    whole = _INTEGER if argument.option and argument.option.kind is int else _NUMBER
    return found[0] if found and not whole.fullmatch(argument.value) else ""


def value_of(argument: Argument) -> Any:
    """The value of the argument's field. Raises: ConfigurationError with the reason if the field cannot hold it."""
    option = argument.option
    assert option is not None
    if option.kind is bool:
        if argument.values:
            raise ConfigurationError(option.name, argument.value, "takes no value")
        return argument.on
    value = _read(option, argument.value)
    complaint = option.limits.complaint(value) if option.limits else None
    if complaint:
        raise ConfigurationError(option.name, value, complaint)
    return value


def _read(option: EngineOption, text: str) -> Any:
    if option.name in _MULTIPLE_CHOICE_SWITCHES:
        return "on" if not text or text in TRUE_WORDS else "off" if text in FALSE_WORDS else text
    if text in option.spec.words:
        return option.spec.words[text]
    if option.kind in {int, float}:
        is_whole = option.kind is int
        if not (_INTEGER if is_whole else _NUMBER).fullmatch(text):
            raise ConfigurationError(option.name, text, "is not a whole number" if is_whole else "is not a number")
        return option.kind(text)
    return Path(text) if option.kind is Path else text
