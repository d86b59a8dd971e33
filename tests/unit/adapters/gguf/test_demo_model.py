"""The demo model as a file: complete, repeatable, never half-written. That it serves is tested with a real engine."""

import dataclasses
import io

import pytest

from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.adapters.gguf.header import check_tensor_data, read_header
from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.gguf.header import GgufValueType, SkippedArray, facts_from_header
from tests.fakes.counted import calls_of


def _facts(path):
    header = read_header(path)
    check_tensor_data(path, header)
    return facts_from_header(header, file_name=path.name, file_size_bytes=path.stat().st_size)


@pytest.mark.parametrize("architecture", DemoArchitecture)
def test_our_own_reader_knows_it(tmp_path, architecture):
    path = tmp_path / "demo.gguf"
    spec = DemoSpec(name="Für Elise", architecture=architecture, context=4096, layers=3)

    assert write_demo_model(path, spec) == path

    facts = _facts(path)
    drafts = architecture is DemoArchitecture.QWEN35_MTP
    assert facts.name == "Für Elise"
    assert facts.architecture == ("llama" if architecture is DemoArchitecture.LLAMA else "qwen35")
    assert facts.context_length == 4096
    assert facts.mtp_layers == int(drafts)
    assert facts.block_count == 3 + int(drafts)
    assert facts.quantisation == "F32"
    assert facts.has_chat_template
    assert facts.parameter_count is not None
    assert 0 < facts.file_size_bytes - 4 * facts.parameter_count < 20_000
    assert read_header(path).required_size_bytes == facts.file_size_bytes


def test_the_default_is_small_quick_and_drafts(tmp_path):
    path = tmp_path / "demo.gguf"
    assert calls_of(lambda: write_demo_model(path)) < 100_000
    assert path.stat().st_size < 6 * 2**20
    facts = _facts(path)
    assert (facts.name, facts.context_length, facts.mtp_layers) == ("Tiny demo", 8192, 1)


def test_the_same_wish_gives_the_same_bytes(tmp_path):
    def content(spec):
        return write_demo_model(tmp_path / "demo.gguf", spec).read_bytes()

    spec = DemoSpec(draft_noise=1.0)
    assert content(spec) == content(spec)
    for change in ({"seed": 8}, {"sharpness": 2.0}, {"draft_noise": 2.0}):
        assert content(dataclasses.replace(spec, **change)) != content(spec)


def test_knobs_add_what_they_say(tmp_path):
    path = write_demo_model(tmp_path / "demo.gguf", DemoSpec(extra_vocab=1000, ffn=128))
    plain = _facts(write_demo_model(tmp_path / "plain.gguf"))
    facts = _facts(path)
    metadata = read_header(path).metadata
    assert metadata["tokenizer.ggml.tokens"] == SkippedArray(GgufValueType.STRING, 1259)
    assert metadata["qwen35.vocab_size"] == 1259
    two_wide_tensors, three_per_block = 2 * 1000 * 320, 3 * 3 * 64 * 320
    assert facts.parameter_count == plain.parameter_count + two_wide_tensors + three_per_block


@pytest.mark.parametrize("sizes", [{"context": 0}, {"layers": 1}, {"ffn": 0}, {"extra_vocab": -1}])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="start at"):
        DemoSpec(**sizes)


def test_only_a_plain_decoder_may_have_a_single_layer():
    assert DemoSpec(architecture=DemoArchitecture.LLAMA, layers=1).layers == 1
    with pytest.raises(ValueError, match="layers at 1 here"):
        DemoSpec(architecture=DemoArchitecture.LLAMA, layers=0)


def test_missing_folders_are_made_and_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "models" / "demo" / "demo.gguf"
    write_demo_model(path, DemoSpec(name="old"))
    write_demo_model(path, DemoSpec(name="new"))
    assert _facts(path).name == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_nothing_behind(tmp_path):
    occupied = tmp_path / "demo.gguf"
    (occupied / "folder").mkdir(parents=True)
    with pytest.raises(LibraryError, match="the demo model cannot be written"):
        write_demo_model(occupied)
    assert list(tmp_path.iterdir()) == [occupied]


def test_a_place_that_cannot_be_is_an_expected_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="the demo model cannot be written"):
        write_demo_model(tmp_path / "file" / "demo.gguf")


def test_the_writer_notices_data_that_does_not_fit_its_shape():
    writer = GgufWriter()
    writer.add_tensor("a", (2, 2), [bytes(15)])
    with pytest.raises(ValueError, match="a: 15 bytes given, its shape needs 16"):
        writer.write(io.BytesIO())
