"""The GGUF reader: reads back what was written, and takes no damage from what was not."""

import io
import math
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gglib_desktop.adapters.gguf.header import check_tensor_data, read_header
from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.header import GgufHeader, GgufValueType, SkippedArray, SkippedString
from tests.fakes.counted import calls_of
from tests.unit.adapters.gguf.gguf_bytes import (
    gguf_entry,
    gguf_file,
    gguf_head,
    gguf_string,
    gguf_tensor,
    refusal,
    write_gguf,
)

T = GgufValueType
_INTEGERS = {
    T.UINT8: st.integers(0, 2**8 - 1),
    T.INT8: st.integers(-(2**7), 2**7 - 1),
    T.UINT16: st.integers(0, 2**16 - 1),
    T.INT16: st.integers(-(2**15), 2**15 - 1),
    T.UINT32: st.integers(0, 2**32 - 1),
    T.INT32: st.integers(-(2**31), 2**31 - 1),
    T.UINT64: st.integers(0, 2**64 - 1),
    T.INT64: st.integers(-(2**63), 2**63 - 1),
}
_SCALARS = {
    **_INTEGERS,
    T.FLOAT32: st.floats(width=32, allow_nan=False),
    T.FLOAT64: st.floats(allow_nan=False),
    T.BOOL: st.booleans(),
    T.STRING: st.text(max_size=40),
}
_KIND = st.sampled_from(sorted(_SCALARS))
_ENTRY = _KIND.flatmap(lambda kind: st.tuples(st.just(kind), _SCALARS[kind]))
_ARRAY = _KIND.flatmap(lambda kind: st.tuples(st.just(kind), st.lists(_SCALARS[kind], max_size=300)))
# Hypothesis also tries the strings it finds in our source, and this one has a meaning of its own.
_KEY = st.text(max_size=30).filter(lambda key: key != "general.alignment")
_METADATA = st.dictionaries(_KEY, _ENTRY | _ARRAY, max_size=12)
_ORDER = st.sampled_from(["little", "big"])
_PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gguf")


class TestReadsWhatWasWritten:
    @_PROPERTY
    @given(metadata=_METADATA, order=_ORDER, version=st.sampled_from([2, 3]))
    def test_metadata_comes_back_equal_in_order_and_type(self, folder, metadata, order, version):
        header = read_header(write_gguf(folder / "model.gguf", metadata, order=order, version=version))

        expected = {}
        for key, (kind, value) in metadata.items():
            if not isinstance(value, list):
                expected[key] = value
            else:
                expected[key] = tuple(value) if len(value) <= 256 else SkippedArray(kind, len(value))
        assert header.metadata == expected
        assert list(header.metadata) == list(metadata)
        assert [type(value) for value in header.metadata.values()] == [type(value) for value in expected.values()]
        assert (header.version, header.byte_order, header.tensor_count) == (version, order, 0)

    @_PROPERTY
    @given(
        order=_ORDER,
        shapes=st.lists(st.lists(st.integers(1, 7), max_size=4).map(tuple), max_size=5),
    )
    def test_tensors_are_counted_and_measured(self, folder, order, shapes):
        tensors = [(f"blk.{index}", shape) for index, shape in enumerate(shapes)]
        path = write_gguf(folder / "model.gguf", {"key": (T.UINT8, 1)}, order=order, tensors=tensors)

        header = read_header(path)

        assert header.tensor_count == len(shapes)
        assert header.element_count == sum(math.prod(shape) for shape in shapes)
        unpadded = -4 * math.prod(shapes[-1]) % 32 if shapes else path.stat().st_size - header.required_size_bytes
        assert header.required_size_bytes == path.stat().st_size - unpadded
        check_tensor_data(path, header)

    def test_text_that_is_not_utf8_is_kept_readable(self, tmp_path):
        path = gguf_file(tmp_path, gguf_head() + gguf_entry("name", T.STRING, gguf_string(b"caf\xe9")))
        assert read_header(path).metadata == {"name": "caf\N{REPLACEMENT CHARACTER}"}

    def test_long_strings_are_kept_up_to_one_mebibyte(self, tmp_path):
        metadata = {"kept": (T.STRING, "k" * 2**20), "long": (T.STRING, "l" * (2**20 + 1)), "after": (T.UINT8, 7)}
        header = read_header(write_gguf(tmp_path / "model.gguf", metadata))
        assert header.metadata == {"kept": "k" * 2**20, "long": SkippedString(2**20 + 1), "after": 7}

    def test_arrays_are_kept_up_to_256_values(self, tmp_path):
        metadata = {"kept": (T.INT8, [1] * 256), "long": (T.INT8, [1] * 257), "after": (T.UINT8, 7)}
        header = read_header(write_gguf(tmp_path / "model.gguf", metadata))
        assert header.metadata == {"kept": (1,) * 256, "long": SkippedArray(T.INT8, 257), "after": 7}

    def test_strings_longer_than_the_buffer_are_walked_past(self, tmp_path):
        lengths = [0, 1, 300_000, 7, 262_136, 262_144, 5] * 40
        metadata = {"tokens": (T.STRING, ["x" * length for length in lengths]), "after": (T.STRING, "here")}
        header = read_header(write_gguf(tmp_path / "model.gguf", metadata))
        assert header.metadata == {"tokens": SkippedArray(T.STRING, len(lengths)), "after": "here"}

    def test_an_alignment_of_its_own_moves_the_data(self, tmp_path):
        entry = gguf_entry("general.alignment", T.UINT32, struct.pack("<I", 4096))
        path = gguf_file(tmp_path, gguf_head(tensors=1) + entry + gguf_tensor((4,), 0, 0), size=4112)
        assert read_header(path).required_size_bytes == 4112

    @pytest.mark.parametrize(("kind", "needed"), [(8, 34), (12, 144), (30, 64), (9999, 0)])
    def test_tensor_types_have_their_own_block_sizes(self, tmp_path, kind, needed):
        elements = 256 if kind == 12 else 32
        data = gguf_head(tensors=1, entries=0) + gguf_tensor((elements,), kind, 0)
        path = gguf_file(tmp_path, data, size=1024)
        start = len(data) + -len(data) % 32
        assert read_header(path).required_size_bytes == (start + needed if needed else len(data))

    def test_a_realistic_vocabulary_takes_one_step_a_token(self, tmp_path):
        tokens = [f"token-{number}" for number in range(150_000)]
        metadata = {"tokens": (T.STRING, tokens), "scores": (T.FLOAT32, [0.0] * 150_000), "after": (T.UINT8, 1)}
        path = write_gguf(tmp_path / "model.gguf", metadata)
        assert read_header(path).metadata["after"] == 1
        assert calls_of(lambda: read_header(path)) < 151_000


def _valid_bytes(order):
    writer = GgufWriter(byte_order=order)
    writer.add("general.architecture", T.STRING, "llama")
    writer.add("general.alignment", T.UINT32, 32)
    writer.add_array("tokenizer.ggml.tokens", T.STRING, [""] * 257)
    writer.add_array("tokenizer.ggml.scores", T.FLOAT32, [0.5] * 20)
    writer.add("tokenizer.ggml.add_bos_token", T.BOOL, True)
    writer.add_tensor("token_embd.weight", (4, 3), [bytes(48)])
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


_VALID = {order: _valid_bytes(order) for order in ("little", "big")}
_MUTATION = st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=9), st.integers(0, 9))


class TestNeverRaisesAnythingElse:
    @settings(_PROPERTY, max_examples=500)
    @given(order=_ORDER, mutations=st.lists(_MUTATION, min_size=1, max_size=4))
    def test_mutated_files(self, folder, order, mutations):
        data = bytearray(_VALID[order])
        for at, replacement, removed in mutations:
            begin = at % len(data)
            data[begin : begin + removed] = replacement
        self._read(gguf_file(folder, bytes(data)))

    @settings(_PROPERTY, max_examples=300)
    @given(data=st.binary(max_size=200), version=st.sampled_from([2, 3]), entries=st.integers(0, 4))
    def test_noise_behind_a_valid_start(self, folder, data, version, entries):
        self._read(gguf_file(folder, gguf_head(version=version, entries=entries, tensors=entries) + data))

    @pytest.mark.parametrize("order", ["little", "big"])
    def test_every_way_to_cut_a_file_short(self, folder, order):
        whole = _VALID[order]
        end_of_header = len(whole) - 64
        for size in range(1, end_of_header - 31):
            path = gguf_file(folder, whole[:size])
            reason = refusal(path).reason
            assert reason.startswith("truncated") or "more than the whole file has" in reason

    @staticmethod
    def _read(path):
        try:
            assert isinstance(read_header(path), GgufHeader)
        except InvalidModelFile as error:
            assert error.reason  # noqa: PT017 - either outcome will do


# -- what the tensors tell

Q8_0, F32 = 8, 0


def _with_tensors(folder, *tensors):
    listed = b"".join(gguf_tensor(shape, kind, 0, name) for name, shape, kind in tensors)
    data = gguf_head(tensors=len(tensors), entries=1) + gguf_entry("a", 0, b"\x01") + listed
    return read_header(gguf_file(folder, data, size=2**20))


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("token_embd.weight",), None),
        (("blk.3.attn_q.weight", "blk.2.ffn_up.weight", "output.weight"), 2),
        (("blk.0.attn_q.weight",), 0),
        (("blk.x.attn_q.weight", "my.blk.1.weight", "blk.12345678.x"), None),
        (("blk.7." + "long" * 100,), 7),
    ],
)
def test_the_first_block_is_told_by_the_names(tmp_path, names, first):
    assert _with_tensors(tmp_path, *((name, (32, 2), F32) for name in names)).first_block == first


@pytest.mark.parametrize(
    ("tensors", "blocks"),
    [
        ([("blk.0.attn_q.weight", (64, 2), Q8_0)], 4),
        ([("blk.0.attn_norm.weight", (64,), Q8_0)], 0),
        ([("blk.0.attn_q.weight", (64, 2), F32)], 0),
        # The embeddings are looked up, unless they are what the output is worked out with.
        ([("token_embd.weight", (64, 3), Q8_0), ("output.weight", (64, 3), Q8_0)], 6),
        ([("token_embd.weight", (64, 3), Q8_0), ("blk.0.attn_q.weight", (64, 2), Q8_0)], 10),
    ],
)
def test_what_may_be_kept_twice_is_counted(tmp_path, tensors, blocks):
    assert _with_tensors(tmp_path, *tensors).repackable_bytes == blocks * 38
