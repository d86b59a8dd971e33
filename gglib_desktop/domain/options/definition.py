"""How an engine option is defined: once, at the field that holds it.

From the definition follow its flags on the command line, both ways; its place, its words and its range in every form;
and why an engine cannot take it. The words are English here and translated where they are shown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from gglib_desktop.domain.values import Rule, limited


class OptionGroup(StrEnum):
    """The sections of a form, in order."""

    BASIC = "Basics"
    DRAFTING = "Speculative decoding (MTP)"
    MEMORY = "Memory and devices"
    COMPUTE = "Computing"
    TEMPLATE = "Chat template"
    SAMPLING = "Sampling"
    ACCESS = "Access"
    OTHER = "Other"


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptionSpec:
    """What is known about an option besides its type and limits.

    ``flags`` are its spellings, the preferred one first, former ones that some build has renamed last; ``off_flags``
    mean False for a three-state option. The program itself decides an option without flags. ``words`` are values that
    the engine knows by name. ``lowest`` and ``highest`` are the range in forms where the limits allow more;
    ``unit`` and ``default`` (what llama-server does by default, None: it depends) are for forms.
    """

    flags: tuple[str, ...]
    off_flags: tuple[str, ...] = ()
    group: OptionGroup
    label: str
    help: str
    unit: str = ""
    default: str | None = None
    words: Mapping[str, int] = dataclasses.field(default_factory=dict)
    lowest: float | None = None
    highest: float | None = None
    step: float = 1
    decimals: int = 2
    environment: str = ""


def option(
    *flags: str,
    limits: Rule | None = None,
    default_value: Any = None,
    group: OptionGroup,
    label: str,
    help: str,  # noqa: A002  # the field's own word
    **more: Any,
) -> Any:
    """A dataclass field for an engine option. None: the engine decides."""
    spec = OptionSpec(flags=flags, group=group, label=label, help=help, **more)
    plain = limited(limits, default=default_value) if limits else dataclasses.field(default=default_value)
    return dataclasses.field(default=default_value, metadata={**plain.metadata, "option": spec})
