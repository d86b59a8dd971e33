"""Which choices lead to which configuration, and when Auto drafts."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import (
    BUILT_IN,
    LaunchOptions,
    MeasuredDrafting,
    MtpChoice,
    MtpDecision,
    MtpReason,
    Source,
    choice_names,
    decide_mtp,
    options_of,
    own_choices,
    resolve,
    server_config,
)
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.engine_options import engine_option, shown_range
from gglib_desktop.domain.options.sampling import InferenceConfig
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.library import some_facts

CAN = Engine(Path("/e"), "1", EngineCapabilities(spec_types=frozenset({"draft-mtp"})), EngineSource.PATH)
CANNOT = Engine(Path("/e"), "1", EngineCapabilities(), EngineSource.PATH)
AUTO, ON, OFF = MtpChoice.AUTO, MtpChoice.ON, MtpChoice.OFF


def with_layers(layers: int | None) -> Model:
    """None: its file was never read."""
    facts = None if layers is None else some_facts(mtp_layers=layers)
    return Model(1, Path("/m/x.gguf"), facts, None, 0.0, "X")


@pytest.mark.parametrize(
    ("choice", "layers", "engine", "suppressed", "expected"),
    [
        (AUTO, 1, CAN, False, (True, MtpReason.MODEL_AND_ENGINE_CAN)),
        (AUTO, 1, None, False, (True, MtpReason.MODEL_AND_ENGINE_CAN)),
        (AUTO, 0, CAN, False, (False, MtpReason.NO_LAYERS)),
        (AUTO, None, CAN, False, (False, MtpReason.UNREAD_MODEL)),
        (ON, None, CAN, False, (True, MtpReason.CHOSEN)),
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
    decision = decide_mtp(choice, model=with_layers(layers), engine=engine, suppressed=suppressed)
    assert decision == MtpDecision(*expected)


@pytest.mark.parametrize(
    ("choice", "suppressed", "expected"),
    [
        (AUTO, False, (True, MtpReason.METHOD_CHOSEN)),
        (ON, False, (True, MtpReason.METHOD_CHOSEN)),
        (OFF, False, (False, MtpReason.SWITCHED_OFF)),
        (AUTO, True, (False, MtpReason.SUPPRESSED)),
    ],
)
@pytest.mark.parametrize("engine", [None, CAN, CANNOT])
def test_a_draft_model_drafts_whatever_layers_the_model_has(choice, suppressed, expected, engine):
    decision = decide_mtp(choice, model=with_layers(0), engine=engine, suppressed=suppressed, otherwise=True)
    assert decision == MtpDecision(*expected)


@pytest.mark.parametrize(
    ("choice", "n_max", "expected"),
    [
        (AUTO, 3, (True, MtpReason.MEASURED_FASTER)),
        (AUTO, 0, (False, MtpReason.MEASURED_SLOWER)),
        (ON, 0, (True, MtpReason.METHOD_CHOSEN)),
    ],
)
def test_auto_goes_by_what_was_measured_of_a_draft_model(choice, n_max, expected):
    measured = MeasuredDrafting(1.8e9, n_max, 0.5)
    decision = decide_mtp(choice, model=with_layers(0), engine=CAN, suppressed=False, otherwise=True, measured=measured)
    assert decision == MtpDecision(*expected)


def test_for_no_model_in_particular_drafting_depends_on_the_model():
    decision = decide_mtp(AUTO, model=None, engine=CAN, suppressed=False)
    assert decision == MtpDecision(True, MtpReason.DEPENDS_ON_MODEL)


def test_a_file_called_mtp_drafts_no_better_for_it():
    model = Model(1, Path("/m/Qwen-MTP.gguf"), some_facts(), None, 0.0, "Qwen-MTP")
    assert not decide_mtp(AUTO, model=model, engine=CAN, suppressed=False).enabled


def test_the_configuration_says_what_was_chosen_and_nothing_more():
    model = Model(7, Path("/m/x.gguf"), None, None, 0.0, "X Q4")
    plain = server_config(model, LaunchOptions(), base_port=9000, mtp=MtpDecision(False, MtpReason.NO_LAYERS))
    assert plain == ServerConfig(7, "X Q4", Path("/m/x.gguf"), 9000)
    options = LaunchOptions(port=9005, context_size=4096, mtp=ON, spec_draft_n_max=3, spec_draft_p_min=0.5)
    drafting = server_config(model, options, base_port=9000, mtp=MtpDecision(True, MtpReason.CHOSEN))
    assert drafting == plain.replace(port=9005, context_size=4096, spec_draft_n_max=3, spec_draft_p_min=0.5)


def test_drafting_always_sends_both_numbers():
    options = resolve(LaunchOptions(), LaunchOptions(), LaunchOptions()).options
    assert (options.mtp, options.spec_draft_n_max, options.spec_draft_p_min) == (AUTO, 2, 0.75)


@pytest.mark.parametrize(
    ("field", "value"),
    [("spec_draft_n_max", -1), ("spec_draft_n_max", 17), ("mtp", "maybe")],
)
def test_choices_have_limits(field, value):
    with pytest.raises(ConfigurationError) as caught:
        LaunchOptions(**{field: value})
    assert caught.value.field == field


def test_choices_travel_as_json():
    options = LaunchOptions(port=9005, mtp=OFF)
    assert LaunchOptions.from_json(options.to_json()) == options


def test_the_choices_of_a_configuration_lead_to_it():
    model = Model(7, Path("/m/x.gguf"), None, None, 0.0, "X Q4")
    config = ServerConfig(
        7,
        "X Q4",
        Path("/m/x.gguf"),
        9000,
        gpu_layers=3,
        inference_config=InferenceConfig(top_k=5),
        extra_args=("--verbose",),
    )
    for expected in (config, config.replace(spec_draft_n_max=2, spec_draft_p_min=0.5)):
        options = options_of(expected)
        mtp = decide_mtp(options.mtp, model=with_layers(1), engine=CAN, suppressed=False)
        assert server_config(model, options, base_port=9000, mtp=mtp) == expected


# -- layers


def test_the_first_layer_that_makes_a_choice_decides_it():
    launch = LaunchOptions(context_size=1)
    model = LaunchOptions(context_size=2, gpu_layers=2, mtp=OFF, extra_args=("--verbose",))
    app = LaunchOptions(context_size=3, gpu_layers=3, threads=3, inference_config=InferenceConfig(top_k=3))
    resolved = resolve(launch, model, app)
    expected = {
        "context_size": (1, Source.LAUNCH),
        "gpu_layers": (2, Source.MODEL),
        "mtp": (OFF, Source.MODEL),
        "extra_args": (("--verbose",), Source.MODEL),
        "threads": (3, Source.APP),
        "top_k": (3, Source.APP),
        "spec_draft_n_max": (2, Source.BUILT_IN),
        "min_p": (None, Source.ENGINE),
        "port": (None, Source.ENGINE),
    }
    assert {name: (resolved.options.get(name), resolved.source(name)) for name in expected} == expected


def test_sampling_is_resolved_value_by_value():
    launch = LaunchOptions(inference_config=InferenceConfig(temperature=0.5))
    model = LaunchOptions(inference_config=InferenceConfig(temperature=1.0, top_p=0.9))
    resolved = resolve(launch, model, LaunchOptions())
    assert resolved.options.inference_config == InferenceConfig(temperature=0.5, top_p=0.9)
    assert (resolved.source("temperature"), resolved.source("top_p")) == (Source.LAUNCH, Source.MODEL)


def test_without_any_choice_only_the_built_in_ones_are_made():
    resolved = resolve(LaunchOptions(), LaunchOptions(), LaunchOptions())
    assert resolved.options == BUILT_IN
    assert set(resolved.sources) == {"mtp", "restart", "spec_draft_n_max", "spec_draft_p_min"}


def test_choices_are_made_and_taken_back_by_name():
    options = LaunchOptions().with_values(top_k=5, threads=2, mtp=ON, extra_args=["--verbose"])
    assert options.names == {"top_k", "threads", "mtp", "extra_args"}
    assert options.with_values(**dict.fromkeys(options.names)) == LaunchOptions()
    assert LaunchOptions().get("top_k") is None
    assert set(choice_names()) >= options.names


def test_what_two_layers_say_differently_is_told_by_name():
    one = LaunchOptions().with_values(top_k=5, threads=2, mtp=ON)
    other = LaunchOptions().with_values(top_k=6, threads=2)
    assert one.differing(other) == other.differing(one) == {"top_k", "mtp"}
    assert not one.differing(one)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("port", (1024, 65535)),
        ("context_size", (0, 2**31 - 1)),
        ("spec_draft_n_max", (1, 16)),
        ("parallel", (-1, 256)),
        ("repeat_penalty", (0.05, 2)),
        ("device", (0, 2**31 - 1)),
    ],
)
def test_forms_offer_a_range_within_the_limits(name, expected):
    assert shown_range(engine_option(name)) == expected


@pytest.mark.parametrize("name", ["no_such", "inference_config_"])
def test_unknown_choices_are_refused(name):
    with pytest.raises(KeyError):
        LaunchOptions().with_values(**{name: 1})


def test_an_option_tells_its_type_and_its_closed_set():
    cache = engine_option("cache_type_k")
    assert (cache.kind, cache.in_sampling, cache.choices[:2]) == (str, False, ("f32", "f16"))
    top_k = engine_option("top_k")
    assert (top_k.kind, top_k.in_sampling, top_k.choices) == (int, True, ())
    assert (engine_option("extra_args").kind, engine_option("chat_template_file").kind) == (tuple, Path)


def test_where_a_server_listens_and_what_it_asks_for_is_not_left_to_the_engine():
    resolved = resolve(LaunchOptions(), LaunchOptions(), LaunchOptions(host="0.0.0.0"))
    assert resolved.source("require_api_key") is Source.BUILT_IN
    assert resolved.source("host") is Source.APP
    assert resolve(LaunchOptions(), LaunchOptions(), LaunchOptions()).source("host") is Source.BUILT_IN


def test_restarts_make_no_other_server():
    one = LaunchOptions(context_size=1, restart=RestartPolicy.NEVER)
    assert one.same_server(one.replace(restart=RestartPolicy.ON_CRASH))
    assert not one.same_server(one.replace(context_size=2))


def test_what_is_saved_now_tells_what_a_start_chose_by_itself():
    saved = ServerConfig(7, "X", Path("/m/x.gguf"), 9000)
    assert own_choices(saved.replace(context_size=1), saved) == {"context_size"}
    drafting = saved.replace(spec_draft_n_max=3, spec_draft_p_min=0.5)
    assert own_choices(drafting, saved) == {"mtp", "spec_draft_n_max", "spec_draft_p_min"}
    assert own_choices(saved, drafting) == {"mtp"}, "without drafting its numbers do not count"


def test_only_servers_of_this_computer_have_workers():
    model, off = Model(7, Path("/m/x.gguf"), None, None, 0.0, "X"), MtpDecision(False, MtpReason.SWITCHED_OFF)
    chosen = LaunchOptions(rpc_workers=("gpu-box",))
    here, there = (
        server_config(model, options, base_port=9000, mtp=off) for options in (chosen, chosen.replace(place="attic"))
    )
    assert (here.rpc_workers, there.rpc_workers) == (("gpu-box",), ())
    assert options_of(here).rpc_workers == ("gpu-box",)
    assert options_of(there).rpc_workers is None


def test_a_model_starts_where_its_file_lies_unless_another_place_is_chosen():
    here = Model(1, Path("/m/tiny.gguf"), None, None, 0.0, "Tiny")
    off = MtpDecision(False, MtpReason.SWITCHED_OFF)

    def started(model: Model, **chosen: str) -> ServerConfig:
        return server_config(model, LaunchOptions().with_values(**chosen), base_port=9000, mtp=off)

    there = replace(here, place="attic")
    assert [started(here).place, started(there).place, started(here, place="box").place] == ["local", "attic", "box"]
    assert options_of(started(here)).place is None
    assert options_of(started(here, place="box")).place == "box"
    assert not LaunchOptions(place="box").same_server(LaunchOptions())
