"""llama-server in router mode: its command line, what its processes say, and what it tells of its models."""

from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.help import parse_help
from gglib_desktop.domain.llama_cpp.router.argv import (
    is_model_process,
    is_router_process,
    router_argv,
    stated_preset,
)
from gglib_desktop.domain.llama_cpp.router.models import (
    NewsReader,
    Progress,
    is_idle_order,
    models_told,
    reason_told,
    with_progress,
)
from gglib_desktop.domain.servers.router.kind import ROUTER, is_router, stop_grace_s
from gglib_desktop.domain.servers.router.models import RoutedModel, RoutedState
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.recorded import HELP

ENGINE = Engine(Path("/opt/llama-server"), "b10434", parse_help(HELP), EngineSource.PATH)
CONFIG = ServerConfig(-1, "Router", Path("/d/models.ini"), 9000, engine=ROUTER)
ADDRESS = ("--host", "127.0.0.1", "--port", "9001")


def test_its_command_line_names_the_file_of_models():
    assert router_argv(CONFIG.replace(extra_args=("--models-max", "2")), ENGINE, 9001) == (
        *("/opt/llama-server", "--models-preset", "/d/models.ini", *ADDRESS, "--metrics"),
        *("--cors-origins", "localhost", "--models-max", "2"),
    )
    exposed = router_argv(CONFIG.replace(host="0.0.0.0"), ENGINE, 9001)
    assert exposed[exposed.index("--host") + 1] == "0.0.0.0"


@pytest.mark.parametrize(
    ("config", "engine", "field"),
    [
        (CONFIG, Engine(ENGINE.path, "old", EngineCapabilities(), EngineSource.PATH), "engine"),
        (CONFIG.replace(extra_args=("--port", "1")), ENGINE, "extra_args"),
        (
            CONFIG.replace(require_api_key=True),
            Engine(ENGINE.path, "odd", parse_help("--models-preset PATH  a file"), EngineSource.PATH),
            "require_api_key",
        ),
    ],
)
def test_what_it_cannot_serve_is_refused(config, engine, field):
    with pytest.raises(ConfigurationError) as caught:
        router_argv(config, engine, 9001)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("program", "words", "routes", "serves"),
    [
        ("llama-server", ["--models-preset", "f.ini"], True, False),
        ("llama-server", ["--models-dir=/m"], True, False),
        ("llama-server", ["-m", "x.gguf"], False, True),
        ("llama-bench", ["--models-dir", "/m"], False, False),
    ],
)
def test_a_process_is_a_router_or_serves_a_model(program, words, routes, serves):
    assert is_router_process(program, [program, *words]) is routes
    assert is_model_process(program, [program, *words]) is serves


def test_a_process_states_its_file_of_models():
    assert stated_preset(["--models-preset", "f.ini"], {}) == Path("f.ini")
    assert stated_preset([], {"LLAMA_ARG_MODELS_PRESET": "g.ini"}) == Path("g.ini")
    assert stated_preset(["--models-dir", "/m"], {}) is None


def listed(*statuses):
    return {"data": [{"id": f"m{number}", "status": status} for number, status in enumerate(statuses)]}


def test_the_models_with_their_states():
    told = listed(
        {"value": "unloaded"},
        {"value": "loading", "failed": True, "exit_code": 1},
        {"value": "loaded"},
        {"value": "unloaded", "failed": True, "exit_code": 1},
        {"value": "unloaded", "failed": True},
        {"value": "asleep"},
    )
    assert models_told(told) == (
        RoutedModel("m0"),
        RoutedModel("m1", RoutedState.LOADING),
        RoutedModel("m2", RoutedState.LOADED),
        RoutedModel("m3", RoutedState.FAILED, exit_status=1),
        RoutedModel("m4", RoutedState.FAILED),
        RoutedModel("m5"),
    )
    assert [model.can_load for model in models_told(told) or ()] == [True, False, False, True, True, True]


@pytest.mark.parametrize(("told", "models"), [(None, None), ({}, None), ({"data": [1, {"id": 1}, {"id": "x"}]}, ())])
def test_other_answers_list_no_models(told, models):
    assert models_told(told) == models


def test_news_come_in_pieces_of_any_size():
    stream = (
        b'data: {"model":"A","event":"model_status","data":{"status":"loading"}}\n\n'
        b'data: {"model":"A","data":{"progress":{"stages":["text","draft"],"current":"draft","value":0.5}}}\n\n'
        b': a comment\ndata: {"model":1,"data":{"progress":{"stages":["t"],"current":"t","value":1}}}\n'
        b'data: {"model":"A","data":{"progress":{"stages":[],"current":"t","value":1}}}\ndata: []\n'
    )
    whole = list(NewsReader().feed(stream))
    assert whole == [None, Progress("A", 0.75), None, None, None]
    reader = NewsReader()
    assert [news for byte in stream for news in reader.feed(bytes([byte]))] == whole


def test_a_line_without_end_is_let_go():
    reader = NewsReader()
    assert list(reader.feed(b"data: " + b"x" * 2**21)) == []
    assert list(reader.feed(b'\ndata: {"a":1}\n')) == [None]


def test_progress_belongs_to_one_model():
    models = (RoutedModel("A", RoutedState.FAILED, exit_status=1), RoutedModel("B"))
    assert with_progress(models, Progress("A", 0.5)) == (RoutedModel("A", RoutedState.LOADING, 0.5), RoutedModel("B"))


def test_refusals_say_why():
    assert reason_told({"error": {"message": "File Not Found"}}) == "File Not Found"
    assert reason_told({"error": "x"}) == reason_told({"error": {"message": 1}}) == reason_told(None) == ""
    assert is_idle_order({"error": {"message": "model is already running"}})
    assert not is_idle_order({"error": {"message": "File Not Found"}})


def test_a_router_takes_its_own_time_to_end():
    assert is_router(CONFIG)
    assert stop_grace_s(CONFIG, 5.0) > 10 + 2, "longer than it gives its models"
    assert stop_grace_s(CONFIG, 60.0) == 60.0
    assert stop_grace_s(CONFIG.replace(engine=None), 5.0) == 5.0
