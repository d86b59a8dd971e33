"""What to serve, which process serves it, how it is: checks at construction, JSON both ways."""

import json
import os
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.options.sampling import InferenceConfig
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig, ServerHealth

REQUIRED = {"model_id": 1, "model_name": "Tiny", "model_path": "/models/tiny.gguf", "base_port": 9000}
FULL = ServerConfig(
    1,
    "Für Elise",
    Path("/models/für elise.gguf"),
    9000,
    port=9001,
    context_size=0,
    gpu_layers=-1,
    jinja=False,
    reasoning_format="deepseek-legacy",
    spec_draft_n_max=2,
    spec_draft_p_min=0.75,
    inference_config=InferenceConfig(temperature=0.6, top_k=40),
    extra_args=("--threads", "4"),
)

FULL_FIELDS = {
    "model_id",
    "model_name",
    "model_path",
    "port",
    "base_port",
    "context_size",
    "gpu_layers",
    "jinja",
    "reasoning_format",
    "spec_draft_n_max",
    "spec_draft_p_min",
    "inference_config",
    "extra_args",
}


def make(**changes):
    given: dict[str, Any] = REQUIRED | changes
    return ServerConfig(**given)


def test_four_fields_are_required_and_the_others_say_nothing():
    config = make()
    silent = {name for name, value in config.to_mapping().items() if value in (None, [])}
    assert silent == set(config.to_mapping()) - set(REQUIRED) - {"place"}
    assert config.place == "local"
    assert config.to_mapping().keys() >= FULL_FIELDS
    for name in REQUIRED:
        with pytest.raises(ConfigurationError, match="is required") as caught:
            ServerConfig.from_mapping({key: value for key, value in REQUIRED.items() if key != name})
        assert caught.value.field == name


def test_fields_have_their_types():
    config = make(extra_args=["-t", "4"], spec_draft_p_min=1, model_path="/models/tiny.gguf")
    assert config.model_path == Path("/models/tiny.gguf")
    assert config.extra_args == ("-t", "4")
    assert isinstance(config.spec_draft_p_min, float)
    hash(config)
    with pytest.raises(FrozenInstanceError):
        config.port = 9001


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("port", [1024, 65535, None], [0, 1023, 65536, -1, 80.5, "9000", True]),
        ("base_port", [1024, 65535], [1023, 65536, None, 9000.0]),
        ("context_size", [0, 1, 2**40, None], [-1, 0.5, "4096", False]),
        ("gpu_layers", [-1, 0, 99, None], [-2, 1.5]),
        ("jinja", [True, False, None], [0, 1, "yes"]),
        ("reasoning_format", ["none", "deepseek", "deepseek-legacy", "auto", None], ["", "None", "qwen", 1]),
        ("spec_draft_n_max", [0, 1, 16, None], [-1, 17, 2.0, True]),
        ("spec_draft_p_min", [0, 1, 0.0, 0.75, 1.0, None], [-0.01, 1.01, float("nan"), float("inf"), 10**400, "0.5"]),
        ("extra_args", [(), [], ["--x"], ("-a", "b")], ["--x", b"--x", None, [1], {"--x": 1}, ["a\0b"], ["\ud800"]]),
        ("model_id", [1, 0, -5], ["1", None, 1.0, True]),
        ("model_name", ["x", " "], ["", None, 1, "a\0b"]),
        ("model_path", ["/x", Path("x")], [None, 1, "a\0b"]),
        ("inference_config", [None, {}, InferenceConfig(), {"top_k": 1}], [1, "x", [], {"top_k": -1}]),
    ],
)
def test_each_field_has_its_limits(field, good, bad):
    for value in good:
        make(**{field: value})
    for value in bad:
        with pytest.raises(ConfigurationError) as caught:
            make(**{field: value})
        name = "top_k" if isinstance(value, dict) and field == "inference_config" else field
        assert caught.value.field == name
        assert str(caught.value).startswith(f"{name}: must ")


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("temperature", [0, 2, 0.6], [-0.1, 2.1]),
        ("top_p", [0, 1], [-0.1, 2]),
        ("top_k", [0, 1, 1000], [-1, 1.5]),
        ("max_tokens", [1], [0, -1]),
        ("repeat_penalty", [0.01, 3], [0, -1]),
        ("presence_penalty", [0, 2], [-0.1, 2.1]),
        ("min_p", [0, 1], [-0.1, 1.1]),
    ],
)
def test_sampling_has_limits_because_the_engine_has_none(field, good, bad):
    for value in [*good, None]:
        InferenceConfig(**{field: value})
    for value in bad:
        with pytest.raises(ConfigurationError) as caught:
            InferenceConfig(**{field: value})
        assert (caught.value.field, caught.value.value) == (field, value)


def test_what_is_wrong_is_said_in_words():
    def complaint(**changes):
        with pytest.raises(ConfigurationError) as caught:
            make(**changes)
        return str(caught.value)

    assert complaint(port=80) == "port: must be from 1024 to 65535 (got 80)"
    assert complaint(context_size=-1) == "context_size: must be at least 0 (got -1)"
    assert complaint(port="9000") == "port: must be a whole number (got '9000')"
    assert complaint(jinja=1) == "jinja: must be true or false (got 1)"
    assert complaint(model_name=1) == "model_name: must be text (got 1)"
    assert complaint(model_path=1) == "model_path: must be a path (got 1)"
    assert complaint(spec_draft_p_min="x") == "spec_draft_p_min: must be a finite number (got 'x')"
    assert complaint(extra_args="--x") == "extra_args: must be a list (got '--x')"
    assert complaint(inference_config=1) == "inference_config: must be InferenceConfig (got 1)"
    assert complaint(reasoning_format="x").endswith("must be one of none, deepseek, deepseek-legacy, auto (got 'x')")
    with pytest.raises(ConfigurationError, match="max_tokens: must be greater than 0"):
        InferenceConfig(max_tokens=0)


def test_replace_checks_again():
    assert FULL.replace(port=None).port is None
    assert FULL.replace(port=9005) == FULL.replace(port=9005)
    with pytest.raises(ConfigurationError, match="must be from 1024"):
        FULL.replace(port=1)
    with pytest.raises(ConfigurationError, match="colour: ServerConfig has no such field"):
        FULL.replace(colour="red")


@pytest.mark.parametrize(
    "value",
    [
        make(),
        FULL,
        make(model_path=os.fsdecode(b"/models/caf\xe9 \xff.gguf")),
        InferenceConfig(temperature=0.1 + 0.2),
        ProcessHandle(1, "Tiny", 4711, 9000, 1_700_000_000),
        ProcessHandle(1, "Tiny", None, 80, 0),
        ServerHealth(healthy=False, message="loading"),
        ServerHealth(True, 1_700_000_000, 4096),
    ],
)
def test_json_and_back(value):
    text = value.to_json()
    text.encode("utf-8")
    assert type(value).from_json(text) == value


def test_json_has_the_names_of_the_fields():
    assert json.loads(FULL.to_json())["inference_config"]["top_k"] == 40
    assert json.loads(make().to_json()).keys() >= FULL_FIELDS


def test_json_of_other_versions_loads():
    older = ServerConfig.from_json(json.dumps(REQUIRED))
    assert older == make()
    newer = ServerConfig.from_json(json.dumps(REQUIRED | {"not_known_yet": True}))
    assert newer == make()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1", '"x"'])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(ConfigurationError) as caught:
        ServerConfig.from_json(text)
    assert caught.value.field == "ServerConfig"


# Text, and the bytes of file names that are none.
_PASSABLE = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    | st.sampled_from([os.fsdecode(bytes([byte])) for byte in range(0x80, 0x100)])
)


@pytest.mark.no_cover  # what happened to be tried is no proof
@given(
    st.builds(
        dict,
        model_id=st.integers(),
        model_name=_PASSABLE.filter(bool),
        port=st.none() | st.integers(1024, 65535),
        context_size=st.none() | st.integers(min_value=0),
        jinja=st.sampled_from([None, True, False]),
        spec_draft_p_min=st.none() | st.floats(0, 1),
        extra_args=st.lists(_PASSABLE),
    )
)
def test_whatever_is_accepted_survives_json(changes):
    config = make(**changes)
    assert ServerConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("place", ["", "UPPER case", "two words", "a" * 41, "a_b"])
def test_a_place_has_an_id(place):
    with pytest.raises(ConfigurationError, match="place: must be the id of a place"):
        make(place=place)


@pytest.mark.parametrize("place", ["local", "a-1", "a" * 40, "ssh://me@Host:22", "podman:image:tag"])
def test_the_place_of_a_runner_may_be_its_kind(place):
    assert make(place=place).place == place


def test_a_model_has_a_name():
    with pytest.raises(ConfigurationError, match="model_name: must not be empty"):
        make().replace(model_name="")


@pytest.mark.parametrize(("path", "name"), [("/models/tiny.gguf", "tiny"), ("/", "model")])
def test_a_configuration_that_was_written_without_a_name_has_that_of_its_file(path, name):
    text = make(model_path=path).to_json().replace(f'"{make().model_name}"', '""')
    assert ServerConfig.from_json(text).model_name == name


def test_a_handle_keeps_its_limits():
    with pytest.raises(ConfigurationError, match="pid: must be at least 1"):
        ProcessHandle(1, "x", -5, 1, 0)
    with pytest.raises(ConfigurationError, match="port: must be from 1 to 65535"):
        ProcessHandle(1, "x", 1, 0, 0)
    with pytest.raises(ConfigurationError, match="started_at: must be at least 0"):
        ProcessHandle(1, "x", 1, 1, -1)
