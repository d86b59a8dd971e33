"""What a file can draft for a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.sidecars import WHY_NOT_STARTED, Sidecar
from gglib_desktop.domain.models.draft_files import DraftFile, draft_file
from tests.fakes.library import some_facts

PATH = Path("/m/d.gguf")


def found(architecture: str | None, **facts: object) -> DraftFile:
    return draft_file(PATH, replace(some_facts(), architecture=architecture, **facts), "qwen3")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "methods", "is_head"),
    [
        ({"architecture": "llama"}, ("draft-simple",), False),
        ({"architecture": "qwen3", "mtp_layers": 1}, ("draft-simple", "draft-mtp"), False),
        ({"architecture": "llama", "mtp_layers": 1}, ("draft-simple",), False),
        ({"architecture": "qwen3", "sidecar": Sidecar.DRAFT_HEAD}, ("draft-mtp",), True),
        ({"architecture": "EAGLE3", "sidecar": Sidecar.DRAFT_HEAD}, ("draft-eagle3",), True),
    ],
)
def test_a_file_drafts_in_the_way_that_it_is_made_for(facts, methods, is_head):
    file = found(**facts)
    assert (file.methods, file.is_head, file.problem) == (methods, is_head, None)


def test_a_head_for_other_models_is_none_for_this_one():
    assert found("gemma4-assistant", sidecar=Sidecar.DRAFT_HEAD).problem == (
        "it is a head for gemma4-assistant models, and this one is qwen3"
    )


def test_other_files_draft_nothing():
    assert found("clip", sidecar=Sidecar.PROJECTOR).doubt("draft-simple") == WHY_NOT_STARTED[Sidecar.PROJECTOR]


@pytest.mark.parametrize(
    ("file", "method", "doubt"),
    [
        (DraftFile(PATH, ("draft-simple",)), "draft-simple", None),
        (DraftFile(PATH, ("draft-simple",)), "ngram-mod,draft-simple", None),
        (
            DraftFile(PATH, ("draft-simple",)),
            "draft-mtp",
            "it is a model without draft layers, which drafts by draft-simple, not by draft-mtp",
        ),
        (
            DraftFile(PATH, ("draft-mtp",), is_head=True),
            "draft-simple",
            "it is a draft head, which drafts by draft-mtp, not by draft-simple",
        ),
        (DraftFile(PATH, ("draft-simple",), problem="other tokens"), "draft-simple", "other tokens"),
    ],
)
def test_what_would_draft_nothing_is_said(file, method, doubt):
    assert file.doubt(method) == doubt
