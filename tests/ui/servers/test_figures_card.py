"""The figures of a server at work, as a screen reader and a script find them."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from gglib_desktop.domain.traffic.figures import Drafting, MemoryUse, ServerFigures, SlotWork
from gglib_desktop.views.servers.overview.figures import FiguresCard


@pytest.fixture
def card(qtbot) -> Iterator[FiguresCard]:
    window = QWidget()
    qtbot.addWidget(window)
    card = FiguresCard(window)
    yield card
    card.close()


def name_of(card: FiguresCard, object_name: str) -> str:
    label = card.findChild(QLabel, object_name)
    assert label is not None
    return label.accessibleName()


def names(card: FiguresCard) -> dict[str, str]:
    return {label.objectName(): label.accessibleName() for label in card.findChildren(QLabel) if label.accessibleName()}


def test_what_was_not_observed_is_not_known(card):
    card.show_figures(ServerFigures())
    assert names(card) == {
        "generation": "Generation: not known",
        "promptSpeed": "Prompt: not known",
        "firstToken": "First token: not known",
        "waiting": "Waiting: not known",
        "ram": "RAM: not known",
        "vram": "VRAM: not known",
        "cpu": "CPU: not known",
    }


def test_figures(card):
    card.show_figures(
        ServerFigures(
            generation=42.13, prompt=890.4, first_token_ms=402, waiting=1, memory=MemoryUse(19_542_000_000), cpu=140.2
        )
    )
    assert names(card) == {
        "generation": "Generation: 42.1 tokens per second",
        "promptSpeed": "Prompt: 890 tokens per second",
        "firstToken": "First token: 0.40 s",
        "waiting": "Waiting: 1",
        "ram": "RAM: 18.2 GiB",
        "vram": "VRAM: not known",
        "cpu": "CPU: 140 %",
    }


def test_a_server_without_work_is_idle(card):
    card.show_figures(ServerFigures(generation=0.0))
    assert name_of(card, "generation") == "Generation: idle"


def test_slots(card):
    working = (
        SlotWork(0, 5, is_busy=True, read_n=2048, prompt_n=5900),
        SlotWork(1, 7, is_busy=True, read_n=9, prompt_n=9, gen_n=312),
        SlotWork(2),
        SlotWork(3, 9, is_busy=True, read_n=2048),
        SlotWork(4, is_busy=True, gen_n=None),
    )
    card.show_figures(ServerFigures(slots=working))
    assert [name_of(card, f"slot{number}") for number in (1, 2, 3, 4, 5)] == [
        "Slot 1: reading 2048 of 5900 tokens",
        "Slot 2: generating, 312 tokens",
        "Slot 3: idle",
        "Slot 4: reading, 2048 tokens so far",
        "Slot 5: working; this engine does not tell how far",
    ]


def test_fewer_slots_after_a_restart(card):
    card.show_figures(ServerFigures(slots=(SlotWork(0), SlotWork(1))))
    card.show_figures(ServerFigures(slots=(SlotWork(0),)))
    assert card.findChild(QLabel, "slot2").parentWidget().isHidden()


@pytest.mark.parametrize(
    ("gain", "name", "words"),
    [
        (1.38, "Drafting gain: +38 %", "Drafting makes it 38 % faster."),
        (0.88, "Drafting gain: -12 %", "Drafting costs 12 %."),
        (1.0, "Drafting gain: +0 %", "Drafting makes no difference."),
        (None, "Drafting gain: not known", "Gain not known: the speed without drafting was not measured here yet."),
    ],
)
def test_what_drafting_brings(card, gain, name, words):
    card.show_figures(ServerFigures(drafting=Drafting(3.05, 0.71, gain=gain)))
    assert name_of(card, "drafting") == "Drafting: 3.05 tokens per step, 71 % accepted"
    assert name_of(card, "draftingGain") == name
    assert card.findChild(QLabel, "draftingWords").text() == words


def test_a_gain_that_is_not_certain_is_not_told(card):
    card.show_figures(ServerFigures(drafting=Drafting(3.05, 0.71, is_uncertain=True)))
    assert name_of(card, "draftingGain") == "Drafting gain: not known"
    assert card.findChild(QLabel, "draftingWords").text() == (
        "Gain not known yet: there were too few requests, or they differed too much."
    )


def test_fewer_draft_tokens_that_would_be_faster(card):
    drafting = Drafting(1.9, 0.3, accepted_at=(0.8, 0.3, 0.01), fewer=2, fewer_gain=1.08)
    card.show_figures(ServerFigures(drafting=drafting))
    assert (
        card.findChild(QLabel, "draftingWords")
        .text()
        .endswith("Position 3 is accepted in 1 % of the drafts: 2 draft tokens would be about 8 % faster.")
    )


def test_a_server_that_drafts_nothing_says_nothing_of_drafting(card):
    card.show_figures(ServerFigures())
    assert not card.findChild(QLabel, "drafting").isVisibleTo(card)
