"""Whether a command line drafts, and by which method. What no field can say is left as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gglib_desktop.domain.commandline.vocabulary import Argument, Vocabulary, value_of
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import MtpChoice
from gglib_desktop.domain.options.drafting import usual_method
from gglib_desktop.domain.options.engine_options import DRAFT_OPTIONS, NO_METHOD

_FROM_THE_NETWORK = frozenset({"-hfd", "-hfrd", "--hf-repo-draft", "--spec-draft-hf"})
_COMPANION = re.compile(
    r"--spec-[\w-]+|--draft[\w-]*|--[\w-]+-draft|-ngld|-devd|-ctkd|-ctvd|-tb?d|-Cb?d|-Crd|-otd|-n?cmoed|-lc[sd]"
    r"|--lookup-cache-(?:static|dynamic)"
)


@dataclass(frozen=True)
class Drafting:
    """What the arguments about drafting mean together.

    ``mtp`` is None if they leave it open; ``method`` is the one to choose, None if it needs no word. ``verbatim`` are
    the arguments that stay as they are, ``words`` their words.
    """

    mtp: MtpChoice | None = None
    method: str | None = None
    verbatim: tuple[Argument, ...] = ()
    reason: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for argument in self.verbatim for word in argument.written)


def read_drafting(arguments: Sequence[Argument], vocabulary: Vocabulary) -> Drafting:
    """What a command line says about drafting: MTP, a draft model, another method, or none."""
    about = {each.option.name: each for each in arguments if each.option and each.option.name in DRAFT_OPTIONS}
    said = {name: each for name, each in about.items() if each.value.strip() and not each.unresolved}
    if any(vocabulary.spellings(each.flag) & _FROM_THE_NETWORK for each in arguments):
        return _left_alone(arguments, "models are chosen in the list, not from the network")
    if any(each.flag == "--spec-default" for each in arguments):
        return _left_alone(arguments, "the engine chooses how it drafts")
    if not said.keys() & {"spec_type", "spec_draft_model"}:
        return Drafting()
    method = said["spec_type"].value if "spec_type" in said else None
    if method == NO_METHOD:
        return Drafting(MtpChoice.OFF)
    reason = _value_that_does_not_fit(said.values())
    if reason:
        return _left_alone(arguments, reason)
    return Drafting(MtpChoice.ON, None if method == usual_method(with_file="spec_draft_model" in said) else method)


def _left_alone(arguments: Sequence[Argument], reason: str) -> Drafting:
    """Such arguments go to the engine as they are, with their numbers, and MTP is off."""
    group = tuple(each for each in arguments if _is_about_drafting(each) and not each.unresolved)
    return Drafting(MtpChoice.OFF, verbatim=group, reason=reason)


def _is_about_drafting(argument: Argument) -> bool:
    named = argument.option is not None and argument.option.name in DRAFT_OPTIONS
    return named or argument.flag in _FROM_THE_NETWORK or _COMPANION.fullmatch(argument.flag) is not None


def _value_that_does_not_fit(arguments: Iterable[Argument]) -> str:
    for argument in arguments:
        try:
            value_of(argument)
        except ConfigurationError as exc:
            return f"{' '.join(argument.written)}: {exc.reason}"
    return ""
