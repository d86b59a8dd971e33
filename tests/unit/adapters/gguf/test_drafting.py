"""Whether the tokens of two models mean the same."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gglib_desktop.adapters.gguf.drafting import drafting_obstacle
from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.header import ByteOrder, GgufValueType

TOKENS = [f"<{number}>" for number in range(1000)]


@pytest.fixture
def written(tmp_path):
    def write(
        tokens: list[str] | None, kind: str | None = "gpt2", order: ByteOrder = "little", *, state: bool = False
    ) -> Path:
        writer = GgufWriter(byte_order=order)
        writer.add("general.architecture", GgufValueType.STRING, "llama")
        if state:
            writer.add("llama.ssm.state_size", GgufValueType.UINT32, 32)
        if kind is not None:
            writer.add("tokenizer.ggml.model", GgufValueType.STRING, kind)
        if tokens is not None:
            writer.add_array("tokenizer.ggml.tokens", GgufValueType.STRING, tokens)
        data = io.BytesIO()
        writer.write(data)
        path: Path = tmp_path / f"{len(list(tmp_path.iterdir()))}.gguf"
        path.write_bytes(data.getvalue())
        return path

    return write


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(
    ("tokens", "kind", "difference"),
    [
        (TOKENS, "gpt2", None),
        (TOKENS[:900], "gpt2", None),
        (["a", "b", "c", "d", "e", *TOKENS[5:]], "gpt2", None),
        ([*TOKENS[:200], "other", *TOKENS[201:]], "gpt2", "its vocabulary is another one: token 200 differs"),
        (TOKENS[:800], "gpt2", "its vocabulary has 800 tokens, the model's 1,000"),
        (TOKENS, "llama", "its tokenizer is llama, the model's gpt2"),
        (TOKENS, None, "its tokenizer is none, the model's gpt2"),
        (None, "gpt2", "its vocabulary has 0 tokens, the model's 1,000"),
    ],
)
def test_vocabularies_are_compared_as_the_engine_does(written, tokens, kind, difference, order):
    assert drafting_obstacle(written(TOKENS), written(tokens, kind, order)) == difference


def test_short_vocabularies_are_compared_too(written):
    assert drafting_obstacle(written(TOKENS[:9]), written([*TOKENS[:8], "x"])) is not None


def test_a_file_that_is_gone_is_refused(written, tmp_path):
    with pytest.raises(InvalidModelFile):
        drafting_obstacle(written(TOKENS), tmp_path / "gone.gguf")


def test_a_state_cannot_be_taken_back_for_a_model_without_one(written):
    with_state, without = written(TOKENS, state=True), written(TOKENS)
    assert "keeps a state" in (drafting_obstacle(without, with_state) or "")
    assert drafting_obstacle(with_state, with_state) is None
    assert drafting_obstacle(with_state, without) is None
