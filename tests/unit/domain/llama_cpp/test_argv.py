"""From intent to llama-server's command line and environment, with the flags that a recorded --help lists."""

from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.argv import engine_environment, missing_options, server_argv, with_adapters
from gglib_desktop.domain.llama_cpp.help import parse_help
from gglib_desktop.domain.options.engine_options import engine_options
from gglib_desktop.domain.options.sampling import InferenceConfig
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.recorded import HELP

ENGINE = Engine(Path("/opt/llama-server"), "b10434", parse_help(HELP), EngineSource.ARGUMENT)
ALWAYS = ["-m", "/m/tiny.gguf", "--host", "127.0.0.1", "--port", "9001", "--metrics", "--cors-origins", "localhost"]


def make(**changes) -> ServerConfig:
    return ServerConfig.from_mapping(
        {"model_id": 1, "model_name": "Tiny", "model_path": "/m/tiny.gguf", "base_port": 9000} | changes
    )


def words(engine: Engine = ENGINE, *, mtp_suppressed: bool = False, **changes) -> list[str]:
    """What follows the program and the arguments that are always there."""
    argv = list(server_argv(make(**changes), engine, 9001, mtp_suppressed=mtp_suppressed))
    assert argv[: len(ALWAYS) + 1] == [str(engine.path), *ALWAYS]
    return argv[len(ALWAYS) + 1 :]


def without(*flags: str, spec_types: frozenset[str] = ENGINE.capabilities.spec_types) -> Engine:
    spellings = {name: same for name, same in ENGINE.capabilities.spellings.items() if name not in flags}
    return Engine(ENGINE.path, "old", EngineCapabilities(spellings, spec_types=spec_types), EngineSource.ARGUMENT)


@pytest.mark.parametrize(
    ("listed", "value", "said"),
    [
        ("-fa,   --flash-attn             enable Flash Attention", "on", ["-fa"]),
        ("-fa,   --flash-attn             enable Flash Attention", "off", []),
        ("-fa,   --flash-attn             enable Flash Attention", "auto", []),
        ("-fa,   --flash-attn [on|off|auto]  whether to use it", "off", ["-fa", "off"]),
    ],
)
def test_an_engine_whose_flag_takes_no_value_is_given_none(listed, value, said):
    known = parse_help(f"  -m, --model F\n  --host H\n  --port N\n  {listed}\n")
    argv = server_argv(make(flash_attn=value), Engine(Path("/e"), "old", known, ENGINE.source), 9001)
    assert list(argv[-len(said) :] if said else argv[8:]) == said


def test_the_tool_of_a_program_with_several_stands_before_all_flags():
    engine = Engine(Path("/opt/llama"), "1", ENGINE.capabilities, ENGINE.source, ("serve",))
    assert server_argv(make(), engine, 9001)[:3] == ("/opt/llama", "serve", "-m")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"port": 9001}, ""),
        ({"context_size": 0}, "-c 0"),
        ({"context_size": 32768}, "-c 32768"),
        ({"gpu_layers": -1}, "-ngl -1"),
        ({"gpu_layers": 0}, "-ngl 0"),
        ({"jinja": True}, "--jinja"),
        ({"jinja": False}, "--no-jinja"),
        ({"reasoning_format": "deepseek-legacy"}, "--reasoning-format deepseek-legacy"),
        ({"spec_draft_n_max": 2}, "--spec-type draft-mtp --spec-draft-n-max 2"),
        (
            {"spec_draft_n_max": 2, "spec_draft_p_min": 0.75},
            "--spec-type draft-mtp --spec-draft-n-max 2 --spec-draft-p-min 0.75",
        ),
        (
            {"spec_draft_n_max": 16, "spec_draft_p_min": 0},
            "--spec-type draft-mtp --spec-draft-n-max 16 --spec-draft-p-min 0",
        ),
        ({"spec_draft_n_max": 0, "spec_draft_p_min": 0.75}, ""),
        ({"spec_draft_p_min": 0.75}, ""),
        ({"spec_draft_model": "/m/d.gguf", "spec_type": "draft-simple"}, ""),
        (
            {"spec_draft_n_max": 2, "spec_draft_p_min": 0.5, "spec_draft_model": "/m/d.gguf"},
            "--spec-type draft-simple --spec-draft-n-max 2 --spec-draft-p-min 0.5 --spec-draft-model /m/d.gguf",
        ),
        (
            {"spec_draft_n_max": 2, "spec_draft_model": "/m/d.gguf", "spec_type": "draft-mtp"},
            "--spec-type draft-mtp --spec-draft-n-max 2 --spec-draft-model /m/d.gguf",
        ),
        ({"spec_draft_n_max": 2, "spec_draft_p_min": 0.5, "spec_type": "ngram-mod"}, "--spec-type ngram-mod"),
        (
            {"spec_draft_n_max": 2, "spec_type": "draft-mtp,ngram-mod"},
            "--spec-type draft-mtp,ngram-mod --spec-draft-n-max 2",
        ),
        # What was saved before there were fields for it.
        (
            {"spec_draft_n_max": 2, "extra_args": ["-md", "/m/head.gguf"]},
            "--spec-type draft-mtp --spec-draft-n-max 2 -md /m/head.gguf",
        ),
        (
            {"spec_draft_n_max": 2, "spec_type": "draft-simple", "extra_args": ["-hfd", "a/b"]},
            "--spec-type draft-simple --spec-draft-n-max 2 -hfd a/b",
        ),
        (
            {"extra_args": ["--spec-type", "draft-simple", "-md", "/m/d.gguf", "--spec-draft-n-max", "24"]},
            "--spec-type draft-simple -md /m/d.gguf --spec-draft-n-max 24",
        ),
        ({"inference_config": {}}, ""),
        ({"inference_config": {"temperature": 0.6}}, "--temp 0.6"),
        ({"inference_config": {"top_p": 0.95}}, "--top-p 0.95"),
        ({"inference_config": {"top_k": 20}}, "--top-k 20"),
        ({"inference_config": {"max_tokens": 256}}, "-n 256"),
        ({"inference_config": {"repeat_penalty": 1.1}}, "--repeat-penalty 1.1"),
        ({"inference_config": {"presence_penalty": 1.5}}, "--presence-penalty 1.5"),
        ({"inference_config": {"min_p": 0.05}}, "--min-p 0.05"),
        ({"inference_config": {"frequency_penalty": -0.5}}, "--frequency-penalty -0.5"),
        ({"inference_config": {"repeat_last_n": -1}}, "--repeat-last-n -1"),
        ({"parallel": 4}, "-np 4"),
        ({"device": "CUDA0,CUDA1"}, "-dev CUDA0,CUDA1"),
        ({"cache_type_k": "q8_0", "cache_type_v": "q8_0"}, "-ctk q8_0 -ctv q8_0"),
        ({"flash_attn": "on"}, "-fa on"),
        ({"mlock": True}, "--mlock"),
        ({"mlock": False}, ""),
        ({"mmap": True}, "--mmap"),
        ({"mmap": False}, "--no-mmap"),
        ({"batch_size": 1024, "ubatch_size": 256}, "-b 1024 -ub 256"),
        ({"threads": 8, "threads_batch": -1}, "-t 8 -tb -1"),
        ({"chat_template": "chatml"}, "--chat-template chatml"),
        ({"chat_template_file": "/t/x.jinja"}, "--chat-template-file /t/x.jinja"),
        ({"embeddings": True}, "--embeddings"),
        ({"extra_args": ["--threads", "4", "-fa", "on"]}, "--threads 4 -fa on"),
        ({"context_size": 1024, "extra_args": ["--parallel", "2"]}, "-c 1024 --parallel 2"),
    ],
)
def test_every_intent_becomes_its_flags_and_nothing_else(changes, expected):
    assert words(**changes) == expected.split()


def test_everything_at_once_has_one_order():
    sampling = InferenceConfig(
        temperature=1, top_p=1, top_k=1, max_tokens=1, repeat_penalty=1, presence_penalty=1, min_p=1
    )
    assert " ".join(
        words(
            context_size=1,
            gpu_layers=99,
            jinja=True,
            reasoning_format="none",
            spec_draft_n_max=1,
            spec_draft_p_min=1.0,
            inference_config=sampling.to_mapping(),
            extra_args=["--verbose"],
        )
    ) == (
        "-c 1 -ngl 99 --reasoning-format none --jinja --spec-type draft-mtp --spec-draft-n-max 1 --spec-draft-p-min 1 "
        "--temp 1 --top-p 1 --top-k 1 -n 1 --repeat-penalty 1 --presence-penalty 1 --min-p 1 --verbose"
    )


def test_a_relative_model_path_does_not_read_as_a_flag(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = server_argv(make(model_path="-model.gguf"), ENGINE, 9001)
    assert argv[argv.index("-m") + 1] == str(tmp_path / "-model.gguf")


def test_an_engine_without_cors_origins_is_not_told_of_any():
    argv = server_argv(make(), without("--cors-origins"), 9001)
    assert "--cors-origins" not in argv


@pytest.mark.parametrize("word", ["--cors-origins", "--cors_origins", "--cors-origins=*"])
def test_other_origins_may_be_allowed_by_hand(word):
    argv = server_argv(make(extra_args=[word, "*"]), ENGINE, 9001)
    assert [each for each in argv if "cors" in each] == [word]


# -- drafting


def test_mtp_can_be_suppressed():
    assert words(spec_draft_n_max=2, spec_draft_p_min=0.5, mtp_suppressed=True) == []


def test_an_engine_without_mtp_is_refused_before_it_starts():
    with pytest.raises(ConfigurationError, match="this engine does not list draft-mtp") as caught:
        words(without(spec_types=frozenset({"none"})), spec_draft_n_max=2)
    assert (caught.value.field, caught.value.value) == ("spec_draft_n_max", 2)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"spec_type": "draft-new"}, "spec_type", "does not list the --spec-type draft-new; it lists draft-"),
        ({"spec_type": "draft-simple"}, "spec_draft_model", "draft-simple needs a draft model"),
        (
            {"spec_draft_model": "/m/d.gguf", "extra_args": ["-md", "/m/e.gguf"]},
            "extra_args",
            "-md is decided by the field Draft model",
        ),
        (
            {"spec_type": "ngram-mod", "extra_args": ["--spec-type", "none"]},
            "extra_args",
            "is decided by the field Drafting method",
        ),
    ],
)
def test_what_cannot_draft_is_refused_where_it_was_chosen(changes, field, reason):
    with pytest.raises(ConfigurationError, match=reason) as caught:
        words(spec_draft_n_max=2, **changes)
    assert caught.value.field == field


def test_an_engine_without_draft_models_is_refused():
    with pytest.raises(ConfigurationError, match="does not list the --spec-type draft-simple") as caught:
        words(without(spec_types=frozenset({"none", "draft-mtp"})), spec_draft_n_max=2, spec_draft_model="/m/d.gguf")
    assert caught.value.field == "spec_draft_model"


def test_a_draft_model_goes_by_the_name_that_an_older_build_has_for_it():
    names = {name: frozenset({name}) for name in ("--spec-type", "--draft-max", "-md", "--cors-origins")}
    types = frozenset({"none", "draft"})
    older = Engine(ENGINE.path, "old", EngineCapabilities(names, spec_types=types), ENGINE.source)
    said = words(older, spec_draft_n_max=3, spec_draft_model="/m/d.gguf")
    assert said == ["--spec-type", "draft", "--draft-max", "3", "-md", "/m/d.gguf"]


@pytest.mark.parametrize(
    ("flags", "changes", "field"),
    [
        (("-c", "--ctx-size"), {"context_size": 1}, "context_size"),
        (("--no-jinja",), {"jinja": False}, "jinja"),
        (
            ("--spec-draft-p-min", "--draft-p-min"),
            {"spec_draft_n_max": 1, "spec_draft_p_min": 0.5},
            "spec_draft_p_min",
        ),
        (("--min-p",), {"inference_config": {"min_p": 0.1}}, "inference_config.min_p"),
        (("--mlock", "-lm", "--load-mode"), {"mlock": True}, "mlock"),
    ],
)
def test_a_flag_that_the_engine_lacks_is_refused_before_it_starts(flags, changes, field):
    with pytest.raises(ConfigurationError, match=f"this engine has no flag {flags[0]}") as caught:
        words(without(*flags), **changes)
    assert caught.value.field == field
    words(without(*flags))


def test_a_build_that_calls_a_flag_otherwise_is_told_in_its_own_words():
    assert words(without("-c"), context_size=1) == ["--ctx-size", "1"]
    names = {name: frozenset({name}) for name in ("--spec-type", "--draft-max", "--cors-origins")}
    older = Engine(ENGINE.path, "old", EngineCapabilities(names, spec_types=frozenset({"draft-mtp"})), ENGINE.source)
    assert words(older, spec_draft_n_max=3) == ["--spec-type", "draft-mtp", "--draft-max", "3"]


def test_every_option_is_said_by_a_flag_that_this_build_lists():
    for option in engine_options():
        if option.spec.flags:
            assert ENGINE.capabilities.supports(option.spec.flags[0]), option.name
            assert all(map(ENGINE.capabilities.supports, option.spec.off_flags)), option.name


# -- the guard over extra_args


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("-m", "the model that is started"),
        ("--model", "the model that is started"),
        ("--model=/x.gguf", "the model that is started"),
        ("--port", "field Server port"),
        ("--port=1", "field Server port"),
        ("--host", "field Host"),
        ("--host=0.0.0.0", "field Host"),
        ("--metrics", "leave it out"),
        ("--api-key", "no secret"),
        ("--api-key=x", "no secret"),
        ("--api_key", "no secret"),
        ("--api-key", "field API key"),
        ("--api-key-file", "field API key"),
        ("--api_key_file=/x", "field API key"),
    ],
)
def test_flags_of_the_program_are_refused_in_every_spelling(word, advice):
    with pytest.raises(ConfigurationError, match=advice) as caught:
        words(extra_args=["--threads", "4", word])
    assert (caught.value.field, caught.value.value) == ("extra_args", word)


@pytest.mark.parametrize(
    ("changes", "spellings", "field"),
    [
        ({"context_size": 1}, ["-c", "-c=5", "--ctx-size", "--ctx-size=5", "--ctx_size=5"], "Context size"),
        ({"gpu_layers": 1}, ["-ngl", "--gpu-layers", "--n-gpu-layers", "--n_gpu_layers=9"], "GPU layers"),
        ({"jinja": True}, ["--jinja", "--no-jinja", "--no_jinja"], "Jinja templates"),
        ({"jinja": False}, ["--jinja", "--no-jinja"], "Jinja templates"),
        ({"reasoning_format": "none"}, ["--reasoning-format", "--reasoning_format=auto"], "Reasoning format"),
        ({"spec_draft_n_max": 2}, ["--spec-type=none", "--spec_type=ngram-mod", "--spec-draft-n-max"], "Draft tokens"),
        (
            {"spec_draft_n_max": 2, "spec_draft_p_min": 0.5},
            ["--spec-draft-p-min", "--draft-p-min", "--draft_p_min=1"],
            "Minimum probability",
        ),
        ({"inference_config": {"temperature": 1}}, ["--temp", "--temperature=2"], "Temperature"),
        (
            {"inference_config": {"max_tokens": 1}},
            ["-n", "--predict", "--n-predict", "--n_predict"],
            "Maximum answer length",
        ),
        ({"inference_config": {"top_k": 1}}, ["--top-k", "--top_k=2"], "Top-k"),
    ],
)
def test_flags_of_fields_are_refused_while_the_field_is_set(changes, spellings, field):
    for engine in (ENGINE, without_aliases()):
        for word in spellings:
            if engine is not ENGINE and "draft" in word and "spec" not in word:
                continue  # an alias that only --help tells of
            with pytest.raises(ConfigurationError, match=field) as caught:
                words(engine, extra_args=[word, "1"], **changes)
            assert (caught.value.field, caught.value.value) == ("extra_args", word)
    for word in spellings:
        assert words(extra_args=[word, "1"]) == [word, "1"], "free to use while the field is not set"


def without_aliases() -> Engine:
    """An engine whose --help tells each flag but not which of them are the same."""
    spellings = {name: frozenset({name}) for name in ENGINE.capabilities.spellings}
    capabilities = EngineCapabilities(spellings, spec_types=ENGINE.capabilities.spec_types)
    return Engine(ENGINE.path, "x", capabilities, EngineSource.ARGUMENT)


def test_suppressed_drafting_decides_no_flags():
    assert words(spec_draft_n_max=2, mtp_suppressed=True, extra_args=["--spec-type", "none"]) == ["--spec-type", "none"]


def test_engines_get_our_environment_without_what_harms_them():
    ours = {
        "PATH": "/bin",
        "HOME": "/root",
        "LLAMA_ARG_CTX_SIZE": "1",
        "LLAMA_API_KEY": "x",
        "LLAMA_CACHE": "/cache",
        "PYTHONPATH": "x",
        "PYTHONHOME": "x",
        "VIRTUAL_ENV": "x",
        "GGLIB_INSTANCE": "x",
        "LD_LIBRARY_PATH": "/usr/local/cuda",
    }
    kept = {"PATH", "HOME", "LLAMA_CACHE", "LD_LIBRARY_PATH"}
    assert engine_environment(ours, frozen=False) == {name: ours[name] for name in kept}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"LD_LIBRARY_PATH": "/bundle"}, {}),
        ({"LD_LIBRARY_PATH": "/bundle", "LD_LIBRARY_PATH_ORIG": "/cuda"}, {"LD_LIBRARY_PATH": "/cuda"}),
        ({}, {}),
    ],
)
def test_a_bundle_keeps_its_library_path_to_itself(ours, theirs):
    assert engine_environment(ours, frozen=True) == theirs


def test_an_option_with_another_spelling_is_no_missing_one():
    assert "context_size" not in missing_options(without("-c").capabilities)
    assert missing_options(ENGINE.capabilities) == {}
    assert missing_options(without("--mlock", "--mmap", "--no-mmap").capabilities) == {}
    everything = missing_options(EngineCapabilities())
    assert "extra_args" not in everything
    assert everything["threads"] == "this engine has no flag -t"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), ("--lora", "/a.gguf", "--lora", "/b.gguf")),
        (("--no-webui",), ("--no-webui", "--lora", "/a.gguf", "--lora", "/b.gguf")),
        (("--lora", "/own.gguf"), ("--lora", "/own.gguf")),
        (("--lora-scaled=/own.gguf:0.5",), ("--lora-scaled=/own.gguf:0.5",)),
    ],
)
def test_adapters_of_the_model_are_used_unless_others_are_named(words, said):
    assert with_adapters(words, (Path("/a.gguf"), Path("/b.gguf"))) == said
    assert with_adapters(words, ()) == words
