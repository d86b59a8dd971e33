"""The draft of launch settings, and whether it would draft tokens."""

import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice, MtpDecision, MtpReason
from gglib_desktop.viewmodels.servers.launch_form import LaunchFormViewModel

ON, OFF = MtpDecision(True, MtpReason.CHOSEN), MtpDecision(False, MtpReason.SWITCHED_OFF)


class Form:
    """A form and all that it told."""

    def __init__(self) -> None:
        self.engine_can = True
        self.told: list[tuple[str, object]] = []
        self.model = LaunchFormViewModel(self._decide, LaunchOptions())
        for name in ("draftChanged", "edited", "decisionChanged"):
            getattr(self.model, name).connect(lambda value, name=name: self.told.append((name, value)))

    def _decide(self, draft: LaunchOptions) -> MtpDecision:
        return ON if self.engine_can and draft.mtp is not MtpChoice.OFF else OFF


@pytest.fixture
def form(qapp) -> Form:
    return Form()


def test_an_edit_is_told_as_one(form):
    form.model.edit(port=9100)
    edited = LaunchOptions(port=9100)
    assert form.model.draft == edited
    assert form.told == [("draftChanged", edited), ("edited", {"port": 9100})]


def test_an_edit_that_changes_nothing_is_not_told(form):
    form.model.edit(port=None)
    assert form.told == []


def test_what_is_shown_was_not_edited(form):
    shown = LaunchOptions(context_size=512)
    form.model.show(shown)
    form.model.show(shown)
    assert form.told == [("draftChanged", shown)]


def test_the_decision_follows_the_draft_and_the_engine(form):
    assert form.model.decision == ON
    form.model.edit(mtp=MtpChoice.OFF)
    assert form.model.decision == OFF
    form.model.edit(mtp=MtpChoice.ON)
    form.engine_can = False
    form.model.decide_again()
    form.model.decide_again()
    assert [value for name, value in form.told if name == "decisionChanged"] == [OFF, ON, OFF]


def test_a_value_out_of_range_leaves_the_draft(form):
    with pytest.raises(ConfigurationError):
        form.model.edit(spec_draft_n_max=99)
    assert form.model.draft == LaunchOptions()
    assert form.told == []
