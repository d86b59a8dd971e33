"""Files that draft for a model: heads of their own, and small models with the same vocabulary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.gguf.sidecars import DRAFT_METHODS, WHY_NOT_STARTED, Sidecar, is_head_for
from gglib_desktop.domain.options.drafting import DRAFT_SIMPLE
from gglib_desktop.domain.options.engine_options import DRAFT_MTP


@dataclass(frozen=True)
class DraftFile:
    """``methods`` are the ways in which it can draft, the usual one first. ``problem``: why it cannot for the model."""

    path: Path
    methods: tuple[str, ...] = ()
    is_head: bool = False
    size_bytes: int | None = None
    architecture: str | None = None
    problem: str | None = None

    def doubt(self, method: str) -> str | None:
        """Why nothing would be drafted by this method, or by any of several with commas between."""
        wanted = method.split(",")
        if self.problem is not None:
            return self.problem
        if not set(wanted).isdisjoint(self.methods):
            return None
        what = "a draft head" if self.is_head else "a model without draft layers"
        return f"it is {what}, which drafts by {self.methods[0]}, not by {method}"


@dataclass(frozen=True)
class DraftingChoices:
    """What a form offers: the engine's ``methods``, the files that can draft, and what is known of the chosen one."""

    methods: tuple[str, ...] = ()
    file: DraftFile | None = None
    offered: tuple[DraftFile, ...] = ()


NO_CHOICES = DraftingChoices()


def head_method(architecture: str | None) -> str:
    """How a head of this architecture drafts."""
    name = (architecture or "").lower()
    return f"draft-{name}" if name in DRAFT_METHODS else DRAFT_MTP


def draft_file(path: Path, facts: ModelFacts, architecture: str | None) -> DraftFile:
    """What a file is for a model of that architecture. Of a model, the vocabulary remains to be compared."""
    found = DraftFile(path, size_bytes=facts.file_size_bytes, architecture=facts.architecture)
    if facts.sidecar is Sidecar.DRAFT_HEAD:
        fits = is_head_for(facts.architecture, architecture)
        problem = None if fits else f"it is a head for {facts.architecture} models, and this one is {architecture}"
        return replace(found, methods=(head_method(facts.architecture),), is_head=True, problem=problem)
    if facts.sidecar is not None:
        return replace(found, problem=WHY_NOT_STARTED[facts.sidecar])
    drafts_itself = facts.mtp_layers > 0 and facts.architecture == architecture
    return replace(found, methods=(DRAFT_SIMPLE, DRAFT_MTP) if drafts_itself else (DRAFT_SIMPLE,))
