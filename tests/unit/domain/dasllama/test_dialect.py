"""dasllama's command line, and what it cannot say."""

from pathlib import Path

import pytest

from gglib_desktop.domain.dasllama.dialect import READER, DasllamaDialect, link_name
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.openai.flag_dialect import FlagDialect, flags_listed
from gglib_desktop.domain.options.engine_options import DRAFT_MTP
from gglib_desktop.domain.options.sampling import InferenceConfig
from gglib_desktop.domain.servers.failures import Failure, FailureCause
from gglib_desktop.domain.servers.foreign import StatedSettings
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.server import ServerConfig

HELP = """Usage: dasllama-server [flags]

Flags:
  -m, --model=STRING             Path to the GGUF model to serve (or model = in --config)
  -p, --port=INT                 Port to listen on (default 8080)
      --prefix=INT               Prefix-cache retention cap in pages
      --mtp                      MTP/NextN self-speculative decode
"""
SAYS = DasllamaDialect()
LISTED = flags_listed(HELP)
PLAIN = EngineCapabilities(LISTED)
DRAFTS = EngineCapabilities(LISTED, spec_types=frozenset({DRAFT_MTP}))


def config(**changes):
    return ServerConfig(7, "Tiny", Path("/models/tiny.gguf"), 9000, **changes)


def command(capabilities=DRAFTS, mtp_suppressed=False, **changes):
    engine = Engine(Path("/opt/dasllama-server"), "dasllama 1", capabilities, EngineSource.PATH)
    return SAYS.command(config(**changes), engine, 9001, mtp_suppressed=mtp_suppressed)


def refusals(capabilities=DRAFTS, **changes):
    return {error.field: error.reason for error in SAYS.objections(config(**changes), capabilities)}


def test_its_help_is_read():
    assert LISTED["-m"] == LISTED["--model"] == {"-m", "--model"}
    assert LISTED["--prefix"] == {"--prefix"}
    assert "--config" not in LISTED, "it is only mentioned"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"context_size": 2048, "parallel": 2, "threads": 3}, " --ctx 2048 --streams 2 --threads 3"),
        ({"context_size": 0, "parallel": -1, "threads": -1, "gpu_layers": -1}, ""),
        ({"inference_config": InferenceConfig(max_tokens=9)}, " --max-tokens 9"),
        ({"extra_args": ("--prefix", "5")}, " --prefix 5"),
        ({"mlock": False, "require_api_key": False}, ""),
    ],
)
def test_its_command_line(changes, words):
    said = "/opt/dasllama-server -m ./Tiny --host 127.0.0.1 --port 9001" + words
    assert " ".join(command(**changes)) == said


def test_gpu_and_drafting_are_on_or_off():
    assert command(gpu_layers=0)[1:5] == ("-m", "./Tiny", "--gpu", "off")
    assert "--mtp" in command(spec_draft_n_max=2, spec_draft_p_min=0.5)
    assert "--mtp" not in command(spec_draft_n_max=2, mtp_suppressed=True)
    assert "--gpu" not in command(gpu_layers=999)


def test_the_file_has_the_name_for_clients():
    assert link_name(config(alias="coder")) == "coder"
    assert link_name(config(alias="a/b")) == "a-b"
    assert link_name(config(alias="..")) == "model"
    assert link_name(config(alias="ü" * 150)) == "ü" * 100
    assert link_name(config(alias="x" + "ü" * 150)) == "x" + "ü" * 99
    assert link_name(ServerConfig(7, "Tiny", Path("/m/.gguf"), 9000, extra_args=("--alias",))) == "Tiny"
    assert link_name(ServerConfig(7, "\t", Path("/\t.gguf"), 9000)) == "model"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("host", "0.0.0.0", "asks for no key"),
        ("require_api_key", True, "asks for no key"),
        ("alias", "one,two", "one name"),
        ("gpu_layers", 12, "all layers on a GPU or none"),
        ("flash_attn", "on", "no such setting"),
        ("extra_args", ("--ctx=5",), "--ctx is decided by the field Context size"),
        ("extra_args", ("-c", "x.toml"), "serves the one model"),
        ("extra_args", ("--nope",), "does not list --nope"),
    ],
)
def test_what_it_cannot_say_is_refused_with_its_field(field, value, says):
    assert says in refusals(**{field: value})[field]
    with pytest.raises(ConfigurationError, match=says):
        command(**{field: value})


def test_sampling_is_refused_by_its_whole_name():
    assert list(refusals(inference_config=InferenceConfig(top_k=3))) == ["inference_config.top_k"]


def test_where_it_ends_when_it_drafts_its_last_words_are_the_reason():
    told = EngineCapabilities(LISTED, removed={"--mtp": "it ended with signal 6: corrupted list"})
    assert "not known whether" in refusals(PLAIN, spec_draft_n_max=2)["spec_draft_n_max"]
    assert "corrupted list" in refusals(told, spec_draft_n_max=2)["spec_draft_n_max"]
    assert list(SAYS.objections(config(spec_draft_n_max=2), PLAIN, mtp_suppressed=True)) == []
    assert "corrupted list" in SAYS.missing_options(told)["spec_draft_n_max"]
    missing = SAYS.missing_options(DRAFTS)
    assert "numbers of its own" in missing["spec_draft_p_min"]
    assert "no such setting" in missing["flash_attn"]
    assert not missing.keys() & {"engine", "context_size", "host", "alias"}


def test_the_rest_of_what_forms_ask():
    assert SAYS.serving(config()) is None, "the forecast is made for llama-server"
    assert not SAYS.settles_template(config())
    assert SAYS.unlisted_flags(("--nope",), PLAIN) == ()
    words = ("--prefix", "5", "--flat", "--prefix=6", "--prefix", "--mtp")
    assert SAYS.without_option(words, "--prefix", PLAIN) == ("--flat", "--mtp")
    assert SAYS.companion_arguments(Companion(Path("/m/mmproj.gguf"))) == ()
    assert SAYS.with_adapters(("--flat",), [Path("/m/lora.gguf")]) == ("--flat",)
    failure = Failure(FailureCause.UNKNOWN, flag="--prefix")
    assert SAYS.offending_flag(failure, config(extra_args=("--prefix=5",)), PLAIN) == "--prefix"
    assert SAYS.offending_flag(failure, config(), PLAIN) == ""
    assert SAYS.level_of("[W] unhandled request: GET /health") is LogLevel.WARNING
    assert SAYS.level_of("EXCEPTION: gguf: bad magic") is LogLevel.ERROR
    assert SAYS.level_of("loading ./Tiny ...") is None


def test_an_engine_without_words_of_its_own_is_none():
    plain = FlagDialect()
    with pytest.raises(NotImplementedError):
        plain.own_words(config(), PLAIN)
    with pytest.raises(NotImplementedError):
        plain.complaint("host", "::1", PLAIN)


def test_its_processes_are_read():
    argv = ("/opt/dasllama-server.exe", "-m", "/m/tiny.gguf", "--port=9001", "--ctx", "512")
    assert READER.is_server("dasllama-server.exe", argv)
    assert not READER.is_server("dasllama-cli.exe", argv)
    assert READER.port(argv, {}, {9001, 9}) == 9001
    assert READER.port(argv[:1], {}, {9}) == 9
    assert READER.port(argv, {}, ()) == 9001
    assert READER.port(("x", "--port", "many"), {}, ()) is None
    assert READER.model(argv, {}) == Path("/m/tiny.gguf")
    assert READER.model(argv[:1], {}) is None
    assert READER.settings(argv, {}) == StatedSettings(context_size=512, alias="tiny.gguf")
    assert READER.settings(("x", "--ctx", "-1"), {}) == StatedSettings()
    assert READER.key(argv, {}) is None
    assert READER.key_flags == frozenset()
