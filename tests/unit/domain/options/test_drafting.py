"""What drafts, and by which method."""

from __future__ import annotations

from pathlib import Path

import pytest

from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.options.drafting import drafter_name, drafting_method, drafts_otherwise, needs_file

FILE = Path("/m/small.gguf")


@pytest.mark.parametrize(
    ("choices", "method", "otherwise", "drafter"),
    [
        ({}, "draft-mtp", False, ""),
        ({"spec_type": "draft-mtp"}, "draft-mtp", False, ""),
        ({"spec_draft_model": FILE}, "draft-simple", True, "small.gguf"),
        ({"spec_draft_model": FILE, "spec_type": "draft-mtp"}, "draft-mtp", True, "small.gguf"),
        ({"spec_type": "ngram-mod"}, "ngram-mod", True, "ngram-mod"),
        ({"spec_type": "ngram-mod", "spec_draft_n_max": None}, "ngram-mod", True, ""),
    ],
)
def test_a_draft_model_or_a_method_takes_the_place_of_mtp(choices, method, otherwise, drafter):
    options = LaunchOptions(**{"spec_draft_n_max": 2} | choices)
    assert (drafting_method(options), drafts_otherwise(options)) == (method, otherwise)
    assert drafter_name(options) == drafter


@pytest.mark.parametrize(
    ("method", "needed"),
    [("draft-mtp", False), ("draft-simple", True), ("draft-mtp,draft-eagle3", True), ("ngram-mod", False)],
)
def test_every_drafting_model_is_a_file_but_the_one_in_the_model(method, needed):
    assert needs_file(method) is needed
