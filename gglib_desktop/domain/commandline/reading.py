"""Reads a llama-server command line into launch options and says what became of each word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gglib_desktop.domain.commandline.container import outside
from gglib_desktop.domain.commandline.drafting import Drafting, read_drafting
from gglib_desktop.domain.commandline.files.file_invocation import file_invocation, listed_invocation
from gglib_desktop.domain.commandline.files.presets import preset_invocation
from gglib_desktop.domain.commandline.invocation import Invocation, without_brackets
from gglib_desktop.domain.commandline.shell import shell_invocation
from gglib_desktop.domain.commandline.typography import plain, unquoted
from gglib_desktop.domain.commandline.variables import SECRET_NAME
from gglib_desktop.domain.commandline.vocabulary import Argument, Vocabulary, misread_number, value_of
from gglib_desktop.domain.commandline.words import Unclosed, Word
from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.llama_cpp.argv import refusal_of
from gglib_desktop.domain.llama_cpp.help import MODEL_FLAGS, NO_SERVER_FLAGS
from gglib_desktop.domain.options.arguments import REDACTED

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TOKEN_FLAGS = frozenset({"-hft", "--hf-token"})
_NETWORK_MODEL = re.compile(
    r"-hfr?|--hf-repo|-hff|--hf-file|-mu|--model-url|-dr|--docker-repo"
    r"|--(?:fim|gpt-oss|vision|embd)-[\w.-]+-(?:default|spec)"
)
_ROUTER = re.compile(r"--models-(?:dir|preset|max)|--(?:no-)?models-autoload")
# A text without any of these starts no server, however long it is.
_TELLING = re.compile(r"server|llama|ExecStart|-[A-Za-z]|\bmodel[ \t]*=", re.IGNORECASE)
# How manuals mark what the reader has to fill in: <name>, <user>/<name>, {name}, [name], ...
_PLACEHOLDER = re.compile(
    r"(?:[^<>$`%]*<[^<>]+>)+[^<>$`%]*|\{\{?[ ]*[A-Za-z][\w .-]*\}?\}|\[[A-Za-z][\w .-]*\]|\.\.\.|…"
)
_NUMBER_PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_-]*")
_SECRET = re.compile(
    r"((?:key|token|secret|password|bearer)[\w-]{0,40}[\"']?(?:\s*[=:]\s*|\s+))[^\s\"',]+", re.IGNORECASE
)


class NoteKind(StrEnum):
    """What became of words that did not simply fill a field."""

    TRANSLATED = "translated"
    MODEL = "the model"
    OWNED = "set by the program itself"
    REFUSED = "cannot be used"
    EXTRA = "extra argument"
    UNKNOWN = "extra argument that this engine's help does not list"
    UNFIT = "extra argument because the field cannot hold it"
    DRAFTING = "extra arguments because no field says this kind of drafting"
    REPEATED = "said again later"
    UNRESOLVED = "variable without a value"
    PLACEHOLDER = "value to be filled in"
    EMPTY = "nothing in place of a value"
    INSIDE = "file inside a container that is in none of our folders"
    ENVIRONMENT = "environment variable that is not set"
    ACCESS = "API key"
    AROUND = "not about llama-server"


@dataclass(frozen=True)
class Note:
    """Words of the command line without secrets, and what became of them. ``detail`` is the new words or the reason."""

    kind: NoteKind
    words: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True)
class CommandLine:
    """What a command line chooses. ``model`` is the path in it, which may be relative or contain a variable."""

    options: LaunchOptions = LaunchOptions()
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    notes: tuple[Note, ...] = ()


def read_command_line(
    text: str, capabilities: EngineCapabilities | None = None, variables: Mapping[str, str] | None = None
) -> CommandLine:
    """Reads the first command that starts llama-server in a text.

    ``capabilities`` are those of the engine that will be used, None if no engine is known. ``variables`` have a known
    value: HOME. Raises: ConfigurationError if there is no such command; it does not repeat the text.
    """
    vocabulary = Vocabulary(capabilities)
    text = text.replace("\0", "")
    try:
        invocation = _invocation(text, variables or {}, vocabulary) if _TELLING.search(text) else None
    except Unclosed as exc:
        raise ConfigurationError("command_line", "", "a quotation mark is not closed") from exc
    if invocation is None:
        raise ConfigurationError("command_line", "", "there is no llama-server command in this text")
    return _Reading(invocation, vocabulary).result()


def _invocation(text: str, variables: Mapping[str, str], vocabulary: Vocabulary) -> Invocation | None:
    # A preset has no quotes, so those in a value are meant.
    if preset := preset_invocation(text):
        return preset
    text = plain(text, vocabulary.knows)
    text = unquoted(text)
    return (
        shell_invocation(text, variables, vocabulary.knows, only_plain=True)
        or file_invocation(text, variables, vocabulary.knows)
        or shell_invocation(text, variables, vocabulary.knows)
        or listed_invocation(text, variables, vocabulary.knows)
    )


class _Reading:
    """Collects what the arguments of one command choose."""

    def __init__(self, invocation: Invocation, vocabulary: Vocabulary) -> None:
        self._invocation = invocation
        self._vocabulary = vocabulary
        self._notes: list[Note] = []
        self._chosen: dict[str, Any] = {}
        self._extra: list[str] = []
        self._model: str | None = None
        self._api_key: str | None = None
        self._drafting = Drafting()

    def result(self) -> CommandLine:
        written = (*self._from_environment(), *self._from_preset(), *self._from_words())
        said = [
            self._outside(self._marked(argument)) for each in written for argument in self._vocabulary.in_fields(each)
        ]
        arguments = self._without_repeated(said)
        self._drafting = read_drafting(arguments, self._vocabulary)
        if self._drafting.mtp is not None:
            self._chosen |= {"mtp": self._drafting.mtp, "spec_type": self._drafting.method}
        for argument in arguments:
            self._read(argument)
        if self._drafting.words:
            self._note(NoteKind.DRAFTING, self._drafting.words, self._drafting.reason)
        around = tuple(_SECRET.sub(rf"\1{REDACTED}", text) for text in self._invocation.around)
        if around:
            self._note(NoteKind.AROUND, around)
        options = LaunchOptions().with_values(**self._chosen, extra_args=tuple(self._extra))
        return CommandLine(options, self._model, self._api_key, tuple(self._notes))

    def _from_environment(self) -> list[Argument]:
        found: list[Argument] = []
        for name, value in self._invocation.environment:
            argument = self._vocabulary.from_variable(name, _without_nul(value))
            if not value.text.strip() and (argument or name.startswith("LLAMA_")):
                self._note(NoteKind.EMPTY, (f"{name}=",))
            elif argument is None:
                shown = REDACTED if SECRET_NAME.search(name) else value.text
                self._note(NoteKind.ENVIRONMENT, (f"{name}={shown}",))
            else:
                found.append(argument)
        return found

    def _from_preset(self) -> list[Argument]:
        said = [self._vocabulary.from_entry(key, value) for key, value in self._invocation.entries]
        return [argument for argument in said if argument]

    def _from_words(self) -> list[Argument]:
        words = without_brackets(self._invocation.arguments, self._vocabulary.knows)
        return self._vocabulary.arguments([_without_nul(word) for word in words])

    def _without_repeated(self, arguments: list[Argument]) -> list[Argument]:
        """Of arguments that set the same thing the last one counts, as in llama-server; variables come first."""
        last = {self._subject(argument): argument for argument in arguments}
        kept: list[Argument] = []
        for argument in arguments:
            subject = self._subject(argument)
            if subject and last[subject] is not argument:
                self._note(NoteKind.REPEATED, _shown(argument))
            else:
                kept.append(argument)
        return kept

    def _subject(self, argument: Argument) -> str:
        if argument.option:
            # llama-server adds the names for clients up.
            return argument.option.name if argument.option.name != "alias" else ""
        spellings = self._vocabulary.spellings(argument.flag)
        known = {"--model", "--host", "--metrics", "--api-key", "-m"}
        return min(spellings & known, default="").replace("--model", "-m")

    def _read(self, argument: Argument) -> None:
        if self._read_own(argument):
            return
        if argument.unresolved:
            said = [word.text for word in argument.values if word.unresolved]
            filled_in = any(map(_PLACEHOLDER.fullmatch, said)) or any(map(_NUMBER_PLACEHOLDER.fullmatch, said))
            self._note(NoteKind.PLACEHOLDER if filled_in else NoteKind.UNRESOLVED, argument.written)
        elif self._vocabulary.lacks_value(argument):
            self._note(NoteKind.EMPTY, argument.written)
        elif not (self._read_refused(argument) or self._read_drafting(argument)):
            if argument.option:
                self._read_choice(argument)
            else:
                self._append(argument, NoteKind.EXTRA)

    def _note(self, kind: NoteKind, words: tuple[str, ...], detail: str = "") -> None:
        self._notes.append(Note(kind, words, detail))

    # -- what the program sets itself

    def _read_own(self, argument: Argument) -> bool:
        flag, is_port = argument.flag, argument.option is not None and argument.option.name == "port"
        if flag in MODEL_FLAGS:
            self._model = None if argument.unresolved else argument.value or None
            self._note(NoteKind.MODEL, argument.written)
            return True
        if flag == "--api-key" and not argument.unresolved:
            self._api_key = argument.value or None
            self._chosen["require_api_key"] = True
            self._note(NoteKind.ACCESS, _shown(argument))
            return True
        if not (
            flag == "--metrics"
            or (flag == "--cors-origins" and argument.value == "localhost")
            or (is_port and argument.unresolved)
            or (flag == "--host" and (self._invocation.contained or argument.value in _LOOPBACK or argument.unresolved))
        ):
            return False
        self._note(NoteKind.OWNED, argument.written)
        return True

    def _read_refused(self, argument: Argument) -> bool:
        flag = argument.flag
        if _ROUTER.fullmatch(flag):
            reason = "a router is started with Start router"
        elif flag in _TOKEN_FLAGS or _NETWORK_MODEL.fullmatch(flag):
            reason = "models are chosen in the list, not from the network"
        elif flag in NO_SERVER_FLAGS:
            reason = "it would print something and end"
        elif argument.option is None and (refusal := refusal_of(flag)):
            reason = refusal
        else:
            return False
        self._note(NoteKind.REFUSED, _shown(argument), reason)
        return True

    # -- fields and extra arguments

    def _read_choice(self, argument: Argument) -> None:
        option = argument.option
        assert option is not None
        try:
            value = value_of(argument)
        except ConfigurationError as exc:
            self._unfit(argument, exc.reason)
            return
        if option.name == "alias":
            value = ",".join((*filter(None, [self._chosen.get(option.name)]), value))
        self._chosen[option.name] = value
        name = self._vocabulary.present_name(argument)
        if option.name == "flash_attn" and argument.value != value:
            self._note(NoteKind.TRANSLATED, argument.written, f"{argument.flag} {value}")
        elif name and not argument.variable:
            self._note(NoteKind.TRANSLATED, argument.written, " ".join((name, *_texts(argument))))

    def _unfit(self, argument: Argument, reason: str) -> None:
        misread = misread_number(argument)
        if refusal_of(argument.flag) or misread:
            told = f"{reason}; the engine would read {misread}" if misread else reason
            self._note(NoteKind.REFUSED, argument.written, told)
            return
        self._note(NoteKind.UNFIT, argument.written, reason)
        self._extra += (argument.flag, *_texts(argument)) if argument.variable else argument.written

    def _read_drafting(self, argument: Argument) -> bool:
        if argument not in self._drafting.verbatim:
            return argument.option is not None and argument.option.name == "spec_type"
        self._append(argument, NoteKind.DRAFTING)
        return True

    def _append(self, argument: Argument, kind: NoteKind) -> None:
        """Adds to the extra arguments: the words as written, or what the engine takes instead."""
        name = self._vocabulary.present_name(argument)
        joined = "=" in argument.written[0] and self._vocabulary.takes_value(argument.flag)
        if name or argument.variable or joined or argument.moved:
            words = (name or argument.flag, *_texts(argument)) if argument.flag else _texts(argument)
            self._note(NoteKind.TRANSLATED, argument.written, " ".join(words))
        else:
            words = argument.written
            if kind is NoteKind.EXTRA:
                self._note(NoteKind.UNKNOWN if self._vocabulary.is_unlisted(argument) else kind, words)
        self._extra += words

    def _marked(self, argument: Argument) -> Argument:
        """Marks the placeholders of manuals as unresolved, where no value can be such a word."""
        option, flag = argument.option, argument.flag
        is_number = self._vocabulary.takes_number(flag, option)
        names_one = flag in MODEL_FLAGS | {"", "--api-key"} or _NETWORK_MODEL.fullmatch(flag)
        is_text = option.kind is str and option.limits is None if option else not (names_one or is_number)
        if is_text:
            return argument

        def marked(word: Word) -> Word:
            # Without its quotes, a word like this can be a file name; a whole path is hardly half a placeholder.
            text = "" if word.text.startswith("/") else word.text
            stands_for = _PLACEHOLDER.fullmatch(text) or (is_number and _NUMBER_PLACEHOLDER.fullmatch(text))
            return replace(word, unresolved=word.unresolved or bool(stands_for))

        return replace(argument, values=tuple(map(marked, argument.values)))

    def _outside(self, argument: Argument) -> Argument:
        """With the outside paths of files in a container. Some flags take several files, or a scale after each."""
        mounts = self._invocation.mounts
        if not self._invocation.contained or not self._vocabulary.may_name_files(argument):
            return argument
        values = tuple(
            replace(word, text=",".join(outside(part, mounts) for part in word.text.split(",")))
            for word in argument.values
        )
        if values == argument.values:
            is_file = argument.option or self._vocabulary.takes_value(argument.flag)
            if is_file and argument.flag not in MODEL_FLAGS and argument.value.startswith("/"):
                self._note(NoteKind.INSIDE, argument.written)
            return argument
        return replace(argument, values=values, moved=True)


def _texts(argument: Argument) -> tuple[str, ...]:
    return tuple(word.text for word in argument.values)


def _shown(argument: Argument) -> tuple[str, ...]:
    """The words without secrets."""
    if argument.flag not in _TOKEN_FLAGS | {"--api-key"} or not argument.values or argument.unresolved:
        return argument.written
    first, equals, _value = argument.written[0].partition("=")
    return (first + equals + REDACTED,) if equals else (first, REDACTED)


def _without_nul(word: Word) -> Word:
    return replace(word, text=word.text.replace("\0", ""))
