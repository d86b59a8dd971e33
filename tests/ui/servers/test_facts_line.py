"""The line of an overview that says what is known of its server."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel

from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import Healthy
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.servers.overview.facts import Facts, notes_text
from tests.ui.finding import child

STATE = ServerPanelState(
    title="Tiny",
    state=Healthy(ProcessHandle(1, "Tiny", 7, 9000, 1)),
    port=9000,
    endpoint="",
    adopted=False,
    command_line="",
    context_size=8192,
    slots=4,
    busy_slots=0,
    rss_bytes=None,
    forecast=None,
    draft_tokens=None,
    min_probability=None,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "No MTP drafting"),
        ({"drafts": False}, "No MTP drafting"),
        ({"drafts": True}, "It drafts"),
        ({"drafts": True, "draft_types": frozenset({"draft-mtp"})}, "It drafts with MTP"),
        (
            {"drafts": True, "draft_types": frozenset({"ngram-mod", "draft-simple"})},
            "It drafts: draft-simple, ngram-mod",
        ),
        ({"drafts": True, "draft_tokens": 3, "min_probability": 0.5}, "MTP drafts 3, p ≥ 0.5"),
        (
            {"drafts": True, "draft_tokens": 3, "min_probability": 0.5, "drafter": "small.gguf"},
            "Drafts 3 with small.gguf, p ≥ 0.5",
        ),
        ({"drafts": True, "drafter": "ngram-mod"}, "Drafts by ngram-mod"),
    ],
)
def test_drafting_is_told_as_it_was_observed(qapp, changes, expected):
    assert notes_text(replace(STATE, **changes)) == expected


def test_a_model_without_a_template_is_told(qapp):
    assert "no chat template: the engine uses ChatML" in notes_text(replace(STATE, lacks_template=True))
    assert "template" not in notes_text(STATE)


def test_the_engine_is_named_where_it_is_not_the_usual_one(qtbot):
    facts = Facts(None)  # type: ignore[arg-type]  # it needs no parent
    qtbot.addWidget(facts)
    value = child(facts, QLabel, "servingEngine")
    cell = value.parentWidget()
    assert cell is not None
    facts.show_state(STATE)
    assert cell.isHidden()
    facts.show_state(replace(STATE, engine="parrot"))
    assert (value.text(), cell.isHidden()) == ("parrot", False)
