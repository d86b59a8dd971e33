"""The differences between builds of the engine: renamed and removed flags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.engine_options import SPEC_TYPE, engine_options

_READS_AS_FLAG = re.compile(r"--?[A-Za-z]")
# Kinds of speculative decoding under all names that they ever had.
_RENAMED_SPEC_TYPES = (("draft-simple", "draft"),)


def known_spellings(flag: str) -> tuple[str, ...]:
    """All spellings that mean the same as ``flag`` and are known without asking an engine, the newest first."""
    for option in engine_options():
        for spellings in (option.spec.flags, option.spec.off_flags):
            if flag in spellings:
                return spellings
    return (flag,)


def spelling_for(spellings: Sequence[str], capabilities: EngineCapabilities) -> str:
    """The spelling to use with this engine: the first one that it lists, else the first one."""
    return next(filter(capabilities.supports, spellings), spellings[0])


def translated(words: Sequence[str], capabilities: EngineCapabilities) -> tuple[str, ...]:
    """Arguments in this build's words."""
    return tuple(_translated(before, word, capabilities) for before, word in pairwise(("", *words)))


def drift_objections(words: Sequence[str], capabilities: EngineCapabilities) -> Iterator[ConfigurationError]:
    """The translated extra arguments that this engine is known to refuse. Arguments it never had are not judged."""
    for before, word in pairwise(("", *words)):
        flag = flag_of(word)
        if flag in capabilities.removed:
            yield ConfigurationError("extra_args", word, why_unsupported(flag, capabilities))
        reason = why_no_method(_spec_types(before, word), capabilities)
        if reason is not None:
            yield ConfigurationError("extra_args", word, reason)


def why_no_method(methods: Sequence[str], capabilities: EngineCapabilities) -> str | None:
    """Why an engine cannot draft by these methods; None if it can, or if its help lists none."""
    unknown = [name for name in methods if name not in capabilities.spec_types]
    # Only text that reads as a list of names is one.
    if not unknown or "none" not in capabilities.spec_types:
        return None
    listed = ", ".join(sorted(capabilities.spec_types))
    return f"this engine does not list the {SPEC_TYPE} {', '.join(unknown)}; it lists {listed}"


def unlisted_flags(words: Sequence[str], capabilities: EngineCapabilities) -> tuple[str, ...]:
    """The extra arguments, as people wrote them, that the engine's help does not list. It probably refuses them.

    Empty if the help is unknown.
    """
    if not capabilities.spellings:
        return ()
    flags = (flag_of(option[0]) for option in _options(translated(words, capabilities), capabilities))
    known = capabilities.spellings.keys() | capabilities.removed.keys()
    return tuple(dict.fromkeys(flag for flag in flags if flag not in known))


def option_with(words: Sequence[str], value: str, capabilities: EngineCapabilities) -> str:
    """The flag among the arguments that this value belongs to; empty if there is none."""
    for option in _options(words, capabilities):
        if value in option[1:] or option[0].partition("=")[2] == value:
            return flag_of(option[0])
    return ""


def without_option(words: Sequence[str], flag: str, capabilities: EngineCapabilities) -> tuple[str, ...]:
    """The arguments without this option, in whatever spelling, and without its values."""
    same = capabilities.same_option(flag_of(flag))
    kept = (option for option in _options(words, capabilities) if flag_of(option[0]) not in same)
    return tuple(word for option in kept for word in option)


def _options(words: Sequence[str], capabilities: EngineCapabilities) -> list[list[str]]:
    """Each flag with its words. A word that no flag takes belongs to the flag before it."""
    found: list[list[str]] = []
    for word in words:
        if not found or (_READS_AS_FLAG.match(word) and not _lacks_value(found[-1], capabilities)):
            found.append([word])
        else:
            found[-1].append(word)
    return found


def _lacks_value(option: Sequence[str], capabilities: EngineCapabilities) -> bool:
    count = 0 if "=" in option[0] else capabilities.value_count(flag_of(option[0]))
    return count is not None and len(option) <= count


def why_unsupported(flag: str, capabilities: EngineCapabilities) -> str:
    """Why a flag cannot be used, with the engine's own advice."""
    if flag not in capabilities.removed:
        return f"this engine has no flag {flag}"
    advice = capabilities.removed[flag]
    return f"this engine has no flag {flag} any more" + (f": {advice}" if advice else "")


def _translated(before: str, word: str, capabilities: EngineCapabilities) -> str:
    types = _spec_types(before, word)
    if types:
        prefix = word[: len(word) - len(",".join(types))]
        return prefix + ",".join(spec_type_for(name, capabilities) for name in types)
    flag = flag_of(word)
    if capabilities.supports(flag):
        return word
    spelling = spelling_for(known_spellings(flag), capabilities)
    return spelling + word[len(flag) :] if capabilities.supports(spelling) else word


def _spec_types(before: str, word: str) -> list[str]:
    """The kinds of speculative decoding in an argument."""
    if flag_of(word) == SPEC_TYPE:
        value = word.partition("=")[2]
    else:
        value = word if flag_of(before) == SPEC_TYPE and "=" not in before else ""
    return value.split(",") if value else []


def spec_type_for(name: str, capabilities: EngineCapabilities) -> str:
    """A method of drafting by this build's name for it."""
    for names in _RENAMED_SPEC_TYPES:
        if name in names and name not in capabilities.spec_types:
            return next((each for each in names if each in capabilities.spec_types), name)
    return name
