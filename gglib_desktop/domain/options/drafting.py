"""How the options say that a server drafts: by which method, and with which file."""

from __future__ import annotations

from gglib_desktop.domain.options.engine_options import DRAFT_MTP, EngineOptions

DRAFT_SIMPLE = "draft-simple"
"""Drafting with a small model."""
_WITH_A_MODEL = "draft"


def drafting_method(options: EngineOptions) -> str:
    """The method, or several with commas between, if the server drafts at all."""
    return options.spec_type or usual_method(with_file=options.spec_draft_model is not None)


def usual_method(*, with_file: bool) -> str:
    """The method where none is named, with a draft model or without."""
    return DRAFT_SIMPLE if with_file else DRAFT_MTP


def drafts_otherwise(options: EngineOptions) -> bool:
    """By more than the model's own MTP layers: the choice does not depend on whether it has any."""
    return options.spec_draft_model is not None or drafting_method(options) != DRAFT_MTP


def drafter_name(options: EngineOptions) -> str:
    """What drafts if not the model's own MTP layers: a file's name, else the method; empty if they do."""
    if options.spec_draft_model is not None:
        return options.spec_draft_model.name
    return drafting_method(options) if options.spec_draft_n_max and drafts_otherwise(options) else ""


def takes_numbers(method: str) -> bool:
    """Whether the number of draft tokens and their probability count. Methods without a model have their own."""
    return any(each.startswith(_WITH_A_MODEL) for each in method.split(","))


def needs_file(method: str) -> bool:
    """Whether it drafts with a file of its own."""
    return any(each.startswith(_WITH_A_MODEL) and each != DRAFT_MTP for each in method.split(","))
