"""The presets that a llama-server in router mode takes its models from: sections with flags without their dashes."""

from __future__ import annotations

import re

from gglib_desktop.domain.commandline.invocation import Invocation
from gglib_desktop.domain.commandline.words import Word

_PRESET = re.compile(r"^[ \t]*(?:version[ \t]*=[ \t]*\d+[ \t]*$|model[ \t]*=.*\.gguf\b)", re.MULTILINE | re.IGNORECASE)
_SECTION = re.compile(r"^[ \t]*\[([^\]\n]+)\][ \t]*(?:[;#].*)?$", re.MULTILINE)
_ENTRY = re.compile(r"[ \t]*([A-Za-z_][\w.-]*)[ \t]*=([^;#]*)")
_MODEL = frozenset({"model", "m", "LLAMA_ARG_MODEL"})
# They are about the file, or the router itself.
_OF_THE_ROUTER = frozenset({"version", "load-on-startup", "stop-timeout"})
_DEFAULTS = "*"

_Section = list[tuple[str, Word]]


def preset_invocation(text: str) -> Invocation | None:
    """The first model of a router preset, with the values that are for all; None if the text is none."""
    if not (_PRESET.search(text) and _SECTION.search(text)):
        return None
    sections = _sections(text)
    models = [name for name, entries in sections.items() if name != _DEFAULTS and _MODEL & {key for key, _ in entries}]
    if not models:
        return None
    chosen = (*sections.pop(_DEFAULTS, ()), *sections.pop(models[0]))
    environment = [entry for entry in chosen if entry[0].startswith("LLAMA_")]
    entries = [entry for entry in chosen if entry[0] not in _OF_THE_ROUTER and entry not in environment]
    around = [f"{key} = {word.text}" for key, word in chosen if key in _OF_THE_ROUTER]
    around += [f"[{name}]" for name in sections if name]
    return Invocation((), tuple(environment), tuple(around), entries=tuple(entries))


def _sections(text: str) -> dict[str, _Section]:
    """The entries of each section. What stands before the first has no name."""
    found: dict[str, _Section] = {}
    name = ""
    for line in re.split(r"\r?\n|\r", text):
        if header := _SECTION.fullmatch(line):
            name = header[1].strip()
            found[name] = []
        elif entry := _ENTRY.match(line):
            found.setdefault(name, []).append((entry[1], Word(entry[2].strip(" \t"))))
    return found
