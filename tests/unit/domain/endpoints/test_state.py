"""From looks to a state."""

import pytest

from gglib_desktop.domain.endpoints.look import EndpointLook, Trouble
from gglib_desktop.domain.endpoints.state import EndpointHealth, EndpointState

NEW = EndpointState(EndpointHealth.CHECKING, 1.0)
WELL = EndpointLook(models=("big",))
HEALTHY = NEW.after(WELL, 2.0)


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (None, "Healthy"),
        (Trouble.REFUSED, "Unreachable"),
        (Trouble.NO_ADDRESS, "Unreachable"),
        (Trouble.CERTIFICATE, "Unreachable"),
        (Trouble.NO_TLS, "Unreachable"),
        (Trouble.KEY_WANTED, "Not authorized"),
        (Trouble.KEY_REFUSED, "Not authorized"),
        (Trouble.LOADING, "Loading"),
        (Trouble.NOT_NOW, "Degraded"),
        (Trouble.SILENT, "Degraded"),
        (Trouble.REDIRECT, "Answers nonsense"),
        (Trouble.STATUS, "Answers nonsense"),
        (Trouble.HTML, "Answers nonsense"),
        (Trouble.TOO_LONG, "Answers nonsense"),
        (Trouble.NO_HTTP, "Answers nonsense"),
    ],
)
def test_what_one_look_means(trouble, word):
    state = HEALTHY.after(EndpointLook(trouble, "detail", models=("big",)), 5.0)
    assert state.word == word
    assert (state.trouble, state.detail, state.since) == (trouble, "detail", 5.0 if trouble else 2.0)


def test_three_looks_without_an_answer():
    states = [HEALTHY]
    for _each in range(4):
        states.append(states[-1].after(EndpointLook(Trouble.SILENT), 5.0))
    assert [state.word for state in states] == ["Healthy", "Degraded", "Degraded", "Unresponsive", "Unresponsive"]
    assert [state.is_calm for state in states] == [True, False, False, True, True]
    assert states[-1].after(WELL, 9.0) == EndpointState(EndpointHealth.HEALTHY, 9.0)


def test_one_that_works_for_us_may_be_silent():
    state = HEALTHY.after(EndpointLook(Trouble.SILENT), 5.0, answers_us=True)
    assert (state.word, state.missed) == ("Busy", 0)
    assert HEALTHY.after(EndpointLook(Trouble.REFUSED), 5.0, answers_us=True).word == "Unreachable"


def test_one_that_only_says_not_now_is_there():
    state = HEALTHY
    for _each in range(5):
        state = state.after(EndpointLook(Trouble.NOT_NOW, "503"), 5.0)
    assert state.word == "Degraded"


def test_the_chosen_model_is_gone():
    state = HEALTHY.after(WELL, 5.0, wanted="small")
    assert (state.word, state.detail, state.answers) == ("No such model", "small", True)
    assert HEALTHY.after(WELL, 5.0, wanted="big").word == "Healthy"
    assert not HEALTHY.after(EndpointLook(Trouble.REFUSED), 5.0, wanted="small").answers


def test_one_without_any_model_serves_nothing():
    state = HEALTHY.after(EndpointLook(), 5.0)
    assert (state.word, state.detail, state.answers) == ("No such model", "", True)
    assert HEALTHY.after(EndpointLook(), 5.0, wanted="small").detail == "small"


def test_the_next_look():
    silent = HEALTHY.after(EndpointLook(Trouble.SILENT), 5.0)
    asked_too_often = HEALTHY.after(EndpointLook(Trouble.NOT_NOW, "429"), 5.0)
    assert silent.due_at(100.0, -1, visible=True) == 101.0
    assert 100.0 < HEALTHY.due_at(100.0, -1, visible=True) <= 104.0
    assert HEALTHY.due_at(100.0, -1, visible=False) > 104.0
    assert asked_too_often.due_at(100.0, -1, visible=True) > 104.0
    assert not NEW.after(EndpointLook(Trouble.LOADING), 5.0).is_calm
