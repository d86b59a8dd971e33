"""Finding the programs of an engine that lists its flags on lines of their own."""

import os
from pathlib import Path

import pytest

from gglib_desktop.adapters.engines.dasllama.catalog import DASLLAMA_PROGRAM
from gglib_desktop.adapters.engines.openai.catalog import ProgramCatalog, ProgramKind
from gglib_desktop.domain.dasllama.dialect import DasllamaDialect
from gglib_desktop.domain.engine.capabilities import EngineSource
from gglib_desktop.domain.errors import ConfigurationError

HELP = "Flags:\n  -m, --model=STRING   Path\n      --port=INT  Port"


def program(path: Path, says: str = HELP, status: int = 0) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\nexit {status}\n")
    path.chmod(0o755)
    return path


def catalog(packaged: Path | None = None, **environment: str) -> ProgramCatalog:
    kind = ProgramKind(
        DasllamaDialect(), "das-test", "DAS_TEST", ("--model", "--port"), lambda _path: None, lambda: packaged
    )
    return ProgramCatalog(kind, {"PATH": os.defpath, **environment})


async def test_it_is_named_by_a_variable_by_the_settings_by_path_or_a_package(tmp_path):
    named, set_, on_path, packaged = (program(tmp_path / each / "das-test") for each in "abcd")
    found = await catalog(packaged, DAS_TEST=str(named), PATH=f"{on_path.parent}:{os.defpath}").find(set_)
    assert (found.path, found.source, found.version) == (named, EngineSource.ENVIRONMENT, "unknown version")
    assert found.capabilities.same_option("-m") == {"-m", "--model"}
    searched = catalog(packaged, PATH=f"{on_path.parent}:{os.defpath}")
    assert (await searched.find(set_)).source is EngineSource.SETTINGS
    assert (await searched.find(None)).path == on_path
    assert (await catalog(packaged).find(None)).source is EngineSource.PACKAGE
    assert await searched.devices(found) == ()
    assert searched.dialect.program == "dasllama"


async def test_none_and_a_wrong_one_are_told_plainly(tmp_path):
    with pytest.raises(ConfigurationError, match="no das-test found in PATH") as caught:
        await catalog().find(None)
    assert caught.value.field == "engine"
    other = program(tmp_path / "other" / "das-test", "Usage: cat", 3)
    with pytest.raises(ConfigurationError, match=r"is not das-test: its help does not list --model, --port .*code 3"):
        await catalog().inspect(other)
    with pytest.raises(ConfigurationError, match="change or remove that variable"):
        await catalog(DAS_TEST=str(tmp_path / "gone")).find(None)


@pytest.mark.llama
async def test_the_real_one_is_found_and_read():
    real = ProgramCatalog(DASLLAMA_PROGRAM, os.environ)
    try:
        engine = await real.find(None)
    except ConfigurationError as exc:
        pytest.skip(exc.reason)
    assert engine.version.startswith("dasllama ") or engine.source is not EngineSource.PACKAGE
    assert engine.capabilities.supports("--streams")
    # Whichever this build does, it was tried.
    assert engine.capabilities.has_mtp or "this build was tried with --mtp" in engine.capabilities.removed["--mtp"]
