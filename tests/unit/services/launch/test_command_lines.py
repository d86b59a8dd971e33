"""Which model a command line names, and what is too much to be one."""

import asyncio
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from gglib_desktop.domain.commandline.reading import CommandLine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.services.launch.command_lines import CommandLines
from tests.fakes.forms import form_launcher

HOME = Path("/home/me")


def lines(*paths: str) -> CommandLines:
    library: Any = SimpleNamespace(models=[SimpleNamespace(path=Path(path)) for path in paths])
    return CommandLines(form_launcher().engines, library, DiskTextFiles(), HOME)


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("/a/x.gguf", "/a/x.gguf"),
        ("/b/x.gguf", "/b/x.gguf"),
        ("/c/x.gguf", None),
        ("/models/y.gguf", "/a/y.gguf"),
        ("y.gguf", "/a/y.gguf"),
        (r"C:\models\y.gguf", "/a/y.gguf"),
        (r"C:\my models/y.gguf", "/a/y.gguf"),
        (r"..\y.gguf", "/a/y.gguf"),
        (r"C:\models\x.gguf", None),
        ("z.gguf", None),
        (None, None),
    ],
)
def test_a_model_is_known_by_its_path_or_by_a_name_that_it_alone_has(named, found):
    model = lines("/a/x.gguf", "/b/x.gguf", "/a/y.gguf").model_of(CommandLine(model=named))
    assert (None if model is None else str(model.path)) == found


async def test_home_has_several_names():
    for name in ("~", "$HOME", "%USERPROFILE%"):
        assert (await lines().read(f"llama-server -m {name}/x.gguf")).model == "/home/me/x.gguf"


async def test_a_book_is_no_command_line():
    with pytest.raises(ConfigurationError, match="too long"):
        await lines().read("llama-server -m x " * 20_000)


async def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "llama-server.ps1"
    text = export(("/e", "-m", "/m/\udcff.gguf"), ExportFormat.POWERSHELL)
    await lines().save(path, text, executable=False)
    assert path.read_bytes() == b"& '/e' -m '/m/\xff.gguf'\n"
    assert not path.stat().st_mode & 0o111
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written") as caught:
        await lines().save(tmp_path / "folder", text, executable=True)
    assert (caught.value.field, caught.value.value) == ("command_file", tmp_path / "folder")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "llama-server.ps1"]


async def test_without_a_home_folder_its_names_stand_for_nothing():
    reader = CommandLines(form_launcher().engines, SimpleNamespace(models=[]), DiskTextFiles(), None)  # type: ignore[arg-type]
    assert (await reader.read("llama-server -m ~/x.gguf")).model == "~/x.gguf"
    assert (await reader.read("llama-server -m $HOME/x.gguf")).model != "None/x.gguf"


@pytest.mark.parametrize("form", [ExportFormat.COMPOSE, ExportFormat.LLAMA_SWAP])
async def test_what_a_format_takes_is_loaded_before_it_is_written(form):
    ready = """
import asyncio, sys
from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from gglib_desktop.services.launch.command_lines import CommandLines

form = ExportFormat(sys.argv[1])
asyncio.run(CommandLines(None, None, None, None).prepare(form))
loaded = set(sys.modules)
export(("/bin/llama-server", "-m", "/m/tiny.gguf", "--port", "9000"), form)
assert not set(sys.modules) - loaded, set(sys.modules) - loaded
"""
    said = await asyncio.to_thread(
        subprocess.run, (sys.executable, "-c", ready, form), check=False, capture_output=True
    )
    assert said.returncode == 0, said.stderr
