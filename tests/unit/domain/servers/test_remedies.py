"""What is offered with one press after a failure."""

from pathlib import Path

import pytest

from gglib_desktop.domain.environment import ENGINE_VARIABLE
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.remedies import LEAST_CONTEXT, Remedy, lower_context, remedies_for
from gglib_desktop.domain.servers.router.kind import ROUTER
from gglib_desktop.domain.servers.server import ServerConfig

CONFIG = ServerConfig(1, "Tiny", Path("/tiny.gguf"), 9000)
KILLED = Failure(FailureCause.KILLED, "signal 9", (), ServerExit(-9))


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (Failure(FailureCause.WRONG_PROCESSOR, "signal 4", (), ServerExit(-4)), Remedy.CHOOSE_ENGINE),
        (KILLED, Remedy.LOWER_CONTEXT),
        (Failure(FailureCause.MODEL_UNREADABLE, "exit code 1", (), ServerExit(1)), Remedy.CHOOSE_ENGINE),
        (Failure(FailureCause.MODEL_UNSUPPORTED, "exit code 1", (), ServerExit(1)), Remedy.CHOOSE_ENGINE),
    ],
)
def test_a_button_offers_what_helps(failure, remedy):
    assert remedies_for(failure, ServerConfig(1, "Tiny", Path("/tiny.gguf"), 9000))[0] is remedy


def test_no_other_engine_or_context_is_offered_where_that_cannot_help():
    config = ServerConfig(1, "Tiny", Path("/tiny.gguf"), 9000, extra_args=("--x",))
    damaged = remedies_for(Failure(FailureCause.MODEL_CORRUPT, "truncated", (), ServerExit(1)), config)
    ended = remedies_for(Failure(FailureCause.KILLED, "signal 15", (), ServerExit(-15)), config)
    gone = remedies_for(Failure(FailureCause.MODEL_MISSING, "exit code 1", (), ServerExit(1)), config)
    assert damaged == ended == gone == (Remedy.TRY_AGAIN, Remedy.SHOW_LOG)


@pytest.mark.parametrize(
    "cause", [FailureCause.MODEL_CORRUPT, FailureCause.MODEL_MISSING, FailureCause.COMPANION_REFUSED]
)
def test_a_file_beside_the_model_can_be_left_out(cause):
    config = ServerConfig(1, "Tiny", Path("/tiny.gguf"), 9000, extra_args=("-md", "/d/draft.gguf"))
    failure = Failure(cause, "exit code 1", (), ServerExit(1), "/d/draft.gguf")
    assert remedies_for(failure, config)[0] is Remedy.DROP_FLAGS
    assert Remedy.DROP_FLAGS not in remedies_for(failure, config.replace(extra_args=()))


@pytest.mark.parametrize(
    ("cause", "config", "remedy"),
    [
        (FailureCause.UNKNOWN_FLAG, CONFIG.replace(extra_args=("--x",)), Remedy.DROP_FLAGS),
        (FailureCause.MTP_LAYERS_MISSING, CONFIG.replace(spec_draft_n_max=2), Remedy.TURN_MTP_OFF),
        (FailureCause.OUT_OF_MEMORY, CONFIG, Remedy.LOWER_CONTEXT),
        (FailureCause.OUT_OF_MEMORY, CONFIG.replace(context_size=LEAST_CONTEXT + 1), Remedy.LOWER_CONTEXT),
        (FailureCause.PORT_TAKEN, CONFIG, Remedy.USE_FREE_PORT),
    ],
)
def test_what_can_be_taken_back_is_offered_where_it_is_there(cause, config, remedy):
    assert remedies_for(Failure(cause), config)[0] is remedy


@pytest.mark.parametrize(
    ("cause", "config"),
    [
        (FailureCause.BAD_VALUE, CONFIG),
        (FailureCause.MTP_LAYERS_MISSING, CONFIG),
        (FailureCause.OUT_OF_MEMORY, CONFIG.replace(context_size=LEAST_CONTEXT)),
        (FailureCause.FROZEN, CONFIG),
    ],
)
def test_what_is_not_there_is_not_offered(cause, config):
    assert remedies_for(Failure(cause, exit=ServerExit(1)), config) == (Remedy.TRY_AGAIN, Remedy.SHOW_LOG)


@pytest.mark.parametrize("cause", [FailureCause.OUT_OF_MEMORY, FailureCause.BAD_VALUE])
def test_what_belongs_to_the_models_of_a_router_is_not_changed_for_it(cause):
    config = CONFIG.replace(engine=ROUTER, extra_args=("--x",))
    assert not {Remedy.DROP_FLAGS, Remedy.LOWER_CONTEXT} & set(remedies_for(Failure(cause, exit=ServerExit(1)), config))
    own = remedies_for(Failure(cause, exit=ServerExit(1)), config.replace(engine=None))
    assert {Remedy.DROP_FLAGS, Remedy.LOWER_CONTEXT} & set(own)


def test_no_other_engine_is_offered_while_the_environment_names_one():
    assert remedies_for(Failure(FailureCause.ENGINE_UNUSABLE), CONFIG)[0] is Remedy.CHOOSE_ENGINE
    named = Failure(FailureCause.ENGINE_UNUSABLE, f"{ENGINE_VARIABLE} names no program")
    assert remedies_for(named, CONFIG) == (Remedy.TRY_AGAIN,)


def test_the_log_of_a_frozen_server_is_offered_while_it_runs():
    assert remedies_for(Failure(FailureCause.FROZEN), CONFIG)[-1] is Remedy.SHOW_LOG


@pytest.mark.parametrize(
    ("asked", "of_model", "expected"),
    [(8192, 4096, 4096), (None, 40_000, 20_000), (None, None, 16_384), (3000, None, LEAST_CONTEXT)],
)
def test_the_context_is_halved(asked, of_model, expected):
    assert lower_context(CONFIG.replace(context_size=asked), of_model) == expected
