"""Whether a command line drafts with the model's own MTP layers or in another way, which is left as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gglib_desktop.domain.commandline.vocabulary import Argument, Vocabulary, value_of
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import MtpChoice
from gglib_desktop.domain.options.engine_options import DRAFT_MTP, DRAFT_NUMBERS

_DRAFT_MODEL = frozenset(
    {"-md", "--model-draft", "--spec-draft-model", "-hfd", "-hfrd", "--hf-repo-draft", "--spec-draft-hf"}
)
_COMPANION = re.compile(
    r"--spec-[\w-]+|--draft[\w-]*|--[\w-]+-draft|-ngld|-devd|-ctkd|-ctvd|-tb?d|-Cb?d|-Crd|-otd|-n?cmoed|-lc[sd]"
    r"|--lookup-cache-(?:static|dynamic)"
)


@dataclass(frozen=True)
class Drafting:
    """What the arguments about drafting mean together.

    ``mtp`` is None if they leave it open. ``verbatim`` are the arguments that stay as they are, ``words`` their words.
    """

    mtp: MtpChoice | None = None
    verbatim: tuple[Argument, ...] = ()
    reason: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for argument in self.verbatim for word in argument.written)


def read_drafting(arguments: Sequence[Argument], vocabulary: Vocabulary) -> Drafting:
    """What a command line says about drafting: MTP, none, or another kind."""
    kinds = next(
        (each for each in arguments if each.flag == "--spec-type" and each.value and not each.unresolved), None
    )
    if any(vocabulary.spellings(each.flag) & _DRAFT_MODEL for each in arguments):
        return _left_alone(arguments, _use_of_a_draft_model(kinds.value if kinds else ""))
    if any(each.flag == "--spec-default" for each in arguments):
        return _left_alone(arguments, "the engine chooses how it drafts")
    if kinds is None:
        return Drafting()
    if kinds.value == "none":
        return Drafting(MtpChoice.OFF)
    if kinds.value != DRAFT_MTP:
        return _left_alone(arguments, f"{kinds.value} is not MTP alone")
    reason = _number_that_does_not_fit(arguments, vocabulary)
    return _left_alone(arguments, reason) if reason else Drafting(MtpChoice.ON)


def _use_of_a_draft_model(kind: str) -> str:
    if kind == DRAFT_MTP:
        return "MTP with its head in a file of its own"
    return f"{kind} is not MTP alone" if DRAFT_MTP in kind.split(",") else "a draft model is not MTP"


def _left_alone(arguments: Sequence[Argument], reason: str) -> Drafting:
    """Arguments of other kinds of drafting go to the engine as they are, with their numbers, and MTP is off."""
    group = tuple(each for each in arguments if _is_about_drafting(each) and not each.unresolved)
    return Drafting(MtpChoice.OFF, group, reason)


def _is_about_drafting(argument: Argument) -> bool:
    named = argument.option is not None and argument.option.name in DRAFT_NUMBERS
    return named or argument.flag in _DRAFT_MODEL or _COMPANION.fullmatch(argument.flag) is not None


def _number_that_does_not_fit(arguments: Sequence[Argument], vocabulary: Vocabulary) -> str:
    for argument in arguments:
        is_number = argument.option is not None and argument.option.name in DRAFT_NUMBERS
        if is_number and not (argument.unresolved or vocabulary.lacks_value(argument)):
            try:
                value_of(argument)
            except ConfigurationError as exc:
                return f"{' '.join(argument.written)}: {exc.reason}"
    return ""
