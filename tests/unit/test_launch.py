"""Which choices lead to which configuration, and when Auto drafts."""

from pathlib import Path

import pytest

from gglib_desktop.domain.engine import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch import LaunchOptions, MtpChoice, MtpDecision, MtpReason, decide_mtp, server_config
from gglib_desktop.domain.model import Model
from gglib_desktop.domain.server import ServerConfig

CAN = Engine(Path("/e"), "1", EngineCapabilities(spec_types=frozenset({"draft-mtp"})), EngineSource.PATH)
CANNOT = Engine(Path("/e"), "1", EngineCapabilities(), EngineSource.PATH)
AUTO, ON, OFF = MtpChoice.AUTO, MtpChoice.ON, MtpChoice.OFF


@pytest.mark.parametrize(
    ("choice", "layers", "engine", "suppressed", "expected"),
    [
        (AUTO, 1, CAN, False, (True, MtpReason.MODEL_AND_ENGINE_CAN)),
        (AUTO, 1, None, False, (True, MtpReason.MODEL_AND_ENGINE_CAN)),
        (AUTO, 0, CAN, False, (False, MtpReason.NO_LAYERS)),
        (AUTO, 1, CANNOT, False, (False, MtpReason.NO_ENGINE_SUPPORT)),
        (AUTO, 0, CANNOT, False, (False, MtpReason.NO_ENGINE_SUPPORT)),
        (ON, 0, CAN, False, (True, MtpReason.CHOSEN)),
        (ON, 1, CANNOT, False, (False, MtpReason.NO_ENGINE_SUPPORT)),
        (OFF, 1, CAN, False, (False, MtpReason.SWITCHED_OFF)),
        (OFF, 1, CANNOT, False, (False, MtpReason.SWITCHED_OFF)),
        (ON, 1, CAN, True, (False, MtpReason.SUPPRESSED)),
        (OFF, 0, None, True, (False, MtpReason.SUPPRESSED)),
    ],
)
def test_whether_it_drafts_and_why(choice, layers, engine, suppressed, expected):
    decision = decide_mtp(choice, mtp_layers=layers, engine=engine, suppressed=suppressed)
    assert decision == MtpDecision(*expected)


def test_a_file_called_mtp_drafts_no_better_for_it():
    model = Model(1, Path("/m/Qwen-MTP.gguf"), None, None, 0.0, "Qwen-MTP")
    assert not decide_mtp(AUTO, mtp_layers=model.mtp_layers, engine=CAN, suppressed=False).enabled


def test_the_configuration_says_what_was_chosen_and_nothing_more():
    model = Model(7, Path("/m/x.gguf"), None, None, 0.0, "X Q4")
    plain = server_config(model, LaunchOptions(), base_port=9000, mtp=MtpDecision(False, MtpReason.NO_LAYERS))
    assert plain == ServerConfig(7, "X Q4", Path("/m/x.gguf"), 9000)
    options = LaunchOptions(port=9005, context_size=4096, mtp=ON, spec_draft_n_max=3, spec_draft_p_min=0.5)
    drafting = server_config(model, options, base_port=9000, mtp=MtpDecision(True, MtpReason.CHOSEN))
    assert drafting == plain.replace(port=9005, context_size=4096, spec_draft_n_max=3, spec_draft_p_min=0.5)


def test_the_form_always_sends_both_numbers():
    options = LaunchOptions()
    assert (options.mtp, options.spec_draft_n_max, options.spec_draft_p_min) == (AUTO, 2, 0.75)


@pytest.mark.parametrize(
    ("field", "value"),
    [("spec_draft_n_max", 0), ("spec_draft_n_max", 17), ("spec_draft_n_max", None), ("mtp", "maybe")],
)
def test_the_form_has_limits(field, value):
    with pytest.raises(ConfigurationError) as caught:
        LaunchOptions(**{field: value})
    assert caught.value.field == field


def test_choices_travel_as_json():
    options = LaunchOptions(port=9005, mtp=OFF)
    assert LaunchOptions.from_json(options.to_json()) == options
