"""Every state and every trouble of an endpoint has words, a color and a shape."""

import pytest

from gglib_desktop.domain.endpoints.look import Trouble
from gglib_desktop.domain.endpoints.state import EndpointHealth, EndpointState
from gglib_desktop.views.look.resources import resource
from gglib_desktop.views.look.theme import state_colour, state_icon
from gglib_desktop.views.words.endpoints import endpoint_description, endpoint_word, trouble_text
from gglib_desktop.views.words.states import state_description, state_text


@pytest.mark.parametrize("trouble", Trouble)
def test_troubles(trouble):
    text = trouble_text(trouble, "the detail")
    assert text[0].isupper()
    assert text.endswith(".")
    assert "{" not in text


@pytest.mark.parametrize("health", EndpointHealth)
def test_states(health, qapp):
    state = EndpointState(health, 0.0, detail="big")
    assert state_text(state) == endpoint_word(health) == state.word
    assert len(state_text(state, with_end=False)) <= len("Unresponsive"), "the badge of a narrow line"
    assert state_description(state).endswith(".")
    assert state_colour(state.word, qapp.palette()).isValid()
    assert resource(f"icons/{state_icon(state.word)}.svg")


def test_silence_is_counted():
    state = EndpointState(EndpointHealth.UNRESPONSIVE, 0.0, Trouble.SILENT, missed=3)
    assert endpoint_description(state) == "It does not answer in time. So it was 3 times in a row."
