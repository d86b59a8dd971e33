"""GGUF files that no server can be started with alone: what they are, and how an engine takes them."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.header import GgufHeader, facts_from_header
from gglib_desktop.domain.gguf.sidecars import WHY_NOT_STARTED, Sidecar, sidecar_by_words
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.diagnosis import explained_by_model
from gglib_desktop.domain.servers.failures import Failure, FailureCause
from gglib_desktop.domain.servers.server import ServerConfig


def sidecar(metadata=None, *, architecture="llama", tensors=10, first_block: int | None = 0):
    header = GgufHeader(
        3, "little", tensors, {"general.architecture": architecture, **(metadata or {})}, first_block=first_block
    )
    return facts_from_header(header, file_name="m.gguf", file_size_bytes=1).sidecar


@pytest.mark.parametrize(
    ("model_type", "architecture", "expected"),
    [
        ("imatrix", None, Sidecar.IMATRIX),
        ("adapter", "llama", Sidecar.ADAPTER),
        ("Adapter", "qwen3", Sidecar.ADAPTER),
        ("mmproj", "clip", Sidecar.PROJECTOR),
        ("control_vector", "llama", Sidecar.CONTROL_VECTOR),
        (None, "controlvector", Sidecar.CONTROL_VECTOR),
        ("model", "controlvector", Sidecar.CONTROL_VECTOR),
        (None, "clip", Sidecar.PROJECTOR),
        ("vocab", "llama", Sidecar.VOCABULARY),
        ("model", "wavtokenizer-dec", Sidecar.VOCODER),
        ("model", "gemma4-assistant", Sidecar.DRAFT_HEAD),
        (None, "eagle3", Sidecar.DRAFT_HEAD),
        (None, "dflash", Sidecar.DRAFT_HEAD),
        (None, "flux", Sidecar.IMAGE_MODEL),
        ("model", "qwen_image", Sidecar.IMAGE_MODEL),
        ("model", "wan", Sidecar.IMAGE_MODEL),
        ("model", "llama", None),
        (None, None, None),
        ("something new", "llama", None),
        # Embeddings and rerankers are served like any other model.
        ("model", "bert", None),
        ("model", "nomic-bert-moe", None),
        ("model", "gemma-embedding", None),
        ("model", "jina-bert-v2", None),
        ("model", "t5encoder", None),
    ],
)
def test_the_header_s_words_tell(model_type, architecture, expected):
    assert sidecar_by_words(model_type, architecture) is expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"adapter.type": "lora"}, Sidecar.ADAPTER),
        ({"imatrix.chunk_count": 3}, Sidecar.IMATRIX),
        ({"controlvector.model_hint": "llama"}, Sidecar.CONTROL_VECTOR),
        # Of a model that was quantized with one.
        ({"quantize.imatrix.file": "imatrix.gguf"}, None),
    ],
)
def test_where_the_words_are_missing_the_keys_tell(metadata, expected):
    assert sidecar(metadata) is expected


TOKENIZER = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ("a", "b")}
MTP = {"qwen35.block_count": 5, "qwen35.nextn_predict_layers": 1}


@pytest.mark.parametrize(
    ("metadata", "tensors", "expected"),
    [
        (TOKENIZER, 0, Sidecar.VOCABULARY),
        (TOKENIZER | {"llama.block_count": 32}, 0, Sidecar.VOCABULARY),
        (TOKENIZER | {"tokenizer.chat_template": "x"}, 0, Sidecar.VOCABULARY),
        (TOKENIZER, 3, None),
        ({}, 0, None),
        # The first part of a model may hold nothing but the header.
        (TOKENIZER | {"split.count": 3, "split.no": 0}, 0, None),
    ],
)
def test_a_tokenizer_alone_is_told_by_its_lack_of_tensors(metadata, tensors, expected):
    assert sidecar(metadata, tensors=tensors, first_block=None) is expected


@pytest.mark.parametrize(
    ("metadata", "first_block", "expected"),
    [
        (MTP, 4, Sidecar.DRAFT_HEAD),
        (MTP, 0, None),
        (MTP, 3, None),
        (MTP | {"qwen35.nextn_predict_layers": 2}, 3, Sidecar.DRAFT_HEAD),
        (MTP | {"qwen35.nextn_predict_layers": 0}, 4, None),
        ({"qwen35.block_count": 1, "qwen35.nextn_predict_layers": 1}, 0, None),
        (MTP, None, None),
        ({"qwen35.nextn_predict_layers": 1}, 4, None),
    ],
)
def test_a_draft_head_holds_only_the_blocks_that_draft(metadata, first_block, expected):
    assert sidecar(metadata, architecture="qwen35", first_block=first_block) is expected


def test_facts_of_another_version_are_read_with_the_kinds_that_this_one_knows():
    assert set(WHY_NOT_STARTED) == set(Sidecar)


@pytest.mark.parametrize("kind", [Sidecar.IMATRIX, Sidecar.ADAPTER, Sidecar.DRAFT_HEAD])
def test_a_sound_file_that_is_no_model_is_not_called_damaged(kind):
    path = Path("/m/file.gguf")
    known = replace(
        facts_from_header(GgufHeader(3, "little", 1), file_name="m", file_size_bytes=1),
        sidecar=kind,
    )
    file = ModelFile(path, known, WHY_NOT_STARTED[kind])
    failure = Failure(FailureCause.UNKNOWN, "exit status 1")
    explained = explained_by_model(failure, ServerConfig(1, "M", path, 9000), file)
    assert (explained.cause, explained.detail) == (FailureCause.UNKNOWN, WHY_NOT_STARTED[kind])
