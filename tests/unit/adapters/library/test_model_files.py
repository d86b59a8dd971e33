"""What the library learns from files on the disk."""

import math
import os
from pathlib import Path

from gglib_desktop.adapters.library.model_files import DiskModelFiles, well_known_stores
from gglib_desktop.domain.gguf.header import GgufValueType
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.models.scan import WalkRequest
from tests.unit.adapters.gguf.gguf_bytes import write_gguf

TEXT = GgufValueType.STRING


def model(path: Path, name: str = "M", *, shape: tuple[int, ...] = (8,), **more: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"general.architecture": (TEXT, "llama"), "general.name": (TEXT, name)}
    metadata |= {key.replace("__", "."): (TEXT, value) for key, value in more.items()}
    write_gguf(path, metadata, tensors=[("t", shape)])
    return path


def examined(*places: Path) -> list[ModelFile]:
    files = DiskModelFiles(Path("/nowhere"))
    folders, others = files.split(places)
    steps = files.walk(WalkRequest(tuple(folders), tuple(others)))
    return [files.examine(found) for step in steps for found in step.found]


def test_a_good_file_gives_facts_and_an_identity(tmp_path):
    path = model(tmp_path / "m-Q4_K_M.gguf")
    (file,) = examined(path)
    state = path.stat()
    assert (file.problem, file.missing, file.size_bytes, file.mtime_ns) == (
        None,
        False,
        state.st_size,
        state.st_mtime_ns,
    )
    assert file.facts is not None
    assert (file.facts.name, file.facts.quantisation, file.facts.parameter_count) == ("M", "Q4_K_M", math.prod((8,)))
    path.rename(tmp_path / "moved.gguf")
    (moved,) = examined(tmp_path)
    assert moved.header_hash == file.header_hash


def test_other_files_have_other_identities(tmp_path):
    one, two = model(tmp_path / "1.gguf", "A"), model(tmp_path / "2.gguf", "B")
    assert examined(one)[0].header_hash != examined(two)[0].header_hash
    content = bytearray(one.read_bytes())
    content[-1] ^= 1
    one.write_bytes(content)
    before = examined(one)[0].header_hash
    content[-1] ^= 1
    one.write_bytes(content)
    assert examined(one)[0].header_hash != before, "trained further: the same header, other tensors"


def test_parts_are_counted_together(tmp_path):
    for number, shape in ((1, (8,)), (2, (16,))):
        model(tmp_path / f"m-0000{number}-of-00002.gguf", shape=shape)
    (file,) = examined(tmp_path)
    assert file.facts is not None
    assert file.facts.parameter_count == 24
    assert file.facts.file_size_bytes == file.size_bytes == sum(each.stat().st_size for each in tmp_path.iterdir())
    assert [part.name[:7] for part in file.parts] == ["m-00001", "m-00002"]


def test_files_that_cannot_be_used_say_why(tmp_path):
    (tmp_path / "bad.gguf").write_text("no model")
    os.mkfifo(tmp_path / "pipe.gguf")
    truncated = model(tmp_path / "short.gguf", shape=(4096,))
    os.truncate(truncated, 4096)
    problems = [examined(tmp_path / name)[0].problem for name in ("bad.gguf", "short.gguf", "pipe.gguf", "gone.gguf")]
    assert [str(problem).split(":")[0] for problem in problems] == [
        "not a GGUF file",
        "truncated",
        "it is a pipe, not a file",
        "the file does not exist",
    ]
    assert examined(tmp_path / "gone.gguf")[0].missing


def test_which_of_several_files_is_broken_is_said(tmp_path):
    model(tmp_path / "m-00001-of-00002.gguf")
    second = model(tmp_path / "m-00002-of-00002.gguf", shape=(4096,))
    problems = []
    for size in (4096, 20, 2, 0):
        os.truncate(second, size)
        problems.append(str(examined(tmp_path)[0].problem))
    assert [problem.split(":")[0].removesuffix(f" ({second.name})") for problem in problems] == [
        "truncated",
        "truncated",
        "truncated",
        "the file is empty",
    ]
    assert all(problem.endswith(f" ({second.name})") for problem in problems)


def test_an_incomplete_set_shows_what_its_first_part_says(tmp_path):
    model(tmp_path / "m-00001-of-00002.gguf")
    (file,) = examined(tmp_path)
    assert file.facts is not None
    assert (file.facts.name, file.problem) == ("M", "part 2 of 2 is missing: m-00002-of-00002.gguf")


def test_projectors_are_told_by_their_header(tmp_path):
    files = [
        model(tmp_path / "a.gguf", general__type="mmproj"),
        model(tmp_path / "mmproj-b.gguf", general__type="model"),
    ]
    assert [examined(path)[0].is_companion for path in files] == [True, False]


def test_stores_are_where_their_programs_say(tmp_path):
    usual = well_known_stores({"HOME": "/home/x"})
    assert usual[:4] == (
        Path("/home/x/.cache/huggingface/hub"),
        Path("/home/x/.lmstudio/models"),
        Path("/home/x/.cache/lm-studio/models"),
        Path("/home/x/.ollama/models"),
    )
    assert Path("~/hf/hub").expanduser() in well_known_stores({"HF_HOME": "~/hf"}), "as Hugging Face's library reads it"
    moved = well_known_stores({"HOME": "/home/x", "HF_HOME": "/hf", "OLLAMA_MODELS": "/o", "XDG_CACHE_HOME": "/c"})
    assert moved[:4] == (Path("/hf/hub"), Path("/home/x/.lmstudio/models"), Path("/c/lm-studio/models"), Path("/o"))
    assert DiskModelFiles(tmp_path, [tmp_path, tmp_path / "none"]).stores() == [tmp_path]


def test_places_that_cannot_be_looked_at_are_passed_over(tmp_path):
    # For us as for the home of Ollama's service in Ubuntu, pathlib raises here; but root, who runs this, is let in.
    closed = tmp_path / ("x" * 300)
    assert DiskModelFiles(tmp_path, [closed, tmp_path]).stores() == [tmp_path]
    gone = closed / "models" / "m.gguf"
    assert DiskModelFiles(tmp_path).touched([gone], [tmp_path]).folders == (tmp_path,)
