"""Models and their names, of which no two may be equal."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.models.model import Model, ModelFile, with_unique_names


def facts(name: str | None, quantisation: str | None = None, mtp_layers: int = 0) -> ModelFacts:
    return ModelFacts(name, "llama", None, None, quantisation, None, mtp_layers, None, None, True, 1)


def model(number: int, path: str, known: ModelFacts | None) -> Model:
    return Model(number, Path(path), known, None, 0.0)


@pytest.mark.parametrize(
    ("known", "name", "layers"),
    [(None, "file", 0), (facts(None), "file", 0), (facts(""), "file", 0), (facts("Qwen", mtp_layers=1), "Qwen", 1)],
)
def test_a_model_is_called_as_its_header_says_else_as_its_file(known, name, layers):
    each = model(1, "/m/file.gguf", known)
    assert each.own_name == name
    assert each.mtp_layers == layers


@pytest.mark.parametrize(
    "stated",
    [
        *("D:\\Diverses\\models", "C:/models/x", "\\\\host\\share\\x", "/home/me/models", "~/models", "../out", "./x"),
        *("content/drive/MyDrive", "https://example.org/a/b", ".", "..", "-", "_", "  ", "model", "Model", "unknown"),
        *("ggml-model-f16", "ggml-model-Q4_K_M", "hf_model", "checkpoint-500", "outputs", "tmpab12cd_9", "model.gguf"),
        *("lora_model", "unsloth_model", "merged-model", "final_merged", "model-00001-of-00003", "my model?", "<name>"),
        *("c5a7b3e1-1111-2222-3333-444455556666", "model.safetensors", "pytorch_model", "n/a", "None", "main"),
        *("a1b2c3d", "0123456789abcdef0123456789abcdef01234567", "sha256:" + "ab" * 32, "ggml-model", "???"),
        *("LLaMA v2", "merged_16bit", "my-finetuned-model", "saved_model", "results", "bf16", "Q8_0"),
        *("step_1000", "epoch-3", "weights.pt", "consolidated.00", "no name", "undefined", "C:", "file:///x/y"),
    ],
)
def test_a_stated_name_that_names_no_model_gives_way_to_the_file(stated):
    assert model(1, "/m/file-Q4_K_M.gguf", facts(stated)).own_name == "file-Q4_K_M"
    stored = replace(model(1, "/s/sha256-1", facts(stated)), label="llama3:8b")
    assert stored.own_name == "llama3:8b"


@pytest.mark.parametrize(
    "stated",
    [
        *("Qwen", "org/Model", "Llama 3.1 8B", "gemma-3-270m", "Phi-3.5-mini", "deadbeef", "7b", "Model 7B", "模型"),
        *(
            "Qwen2.5 Coder (1.5B)",
            "1234567",
            "x",
            "Merged Llama",
            "Unknown Pleasures 7B",
            "Models of Mayhem",
            "R1-F16",
            "Model 40",
        ),
        *("tmpllama", "GGUF My Repo", "Nous-Hermes-Q4_K_M", "Test 7B"),
        *("LLaMA v2 7B", "Step 3", "Old Llama", "New Hope 7B", "C: a novel"),
    ],
)
def test_a_stated_name_that_names_a_model_stays(stated):
    assert model(1, "/m/file.gguf", facts(stated)).own_name == stated


@pytest.mark.parametrize(
    ("models", "names"),
    [
        ([], ()),
        ([model(1, "/m/a.gguf", facts("A", "Q4")), model(2, "/m/b.gguf", facts("B", "Q4"))], ("A", "B")),
        ([model(1, "/m/a.gguf", facts("A", "Q4")), model(2, "/m/b.gguf", facts("A", "Q8"))], ("A Q4", "A Q8")),
        (
            [model(1, "/m/a.gguf", facts("A", "Q4")), model(2, "/m/b.gguf", facts("A", "Q4"))],
            ("A Q4 a.gguf", "A Q4 b.gguf"),
        ),
        ([model(1, "/m/A.gguf", None), model(2, "/m/b.gguf", facts("A", "Q4"))], ("A", "A Q4")),
        (
            [model(1, "/m/a.gguf", facts("A")), model(2, "/n/a.gguf", facts("A"))],
            ("A a.gguf 1", "A a.gguf 2"),
        ),
    ],
)
def test_names_are_told_apart_by_as_little_as_needed(models, names):
    assert tuple(each.name for each in with_unique_names(models)) == names


_NAMES = st.sampled_from(["A", "A Q4", "A Q4 a.gguf", "A Q4 a.gguf 1", "A a.gguf", "A a.gguf 2", "A 1", None])


@pytest.mark.no_cover  # what happened to be tried is no proof
@given(st.lists(st.tuples(_NAMES, st.sampled_from(["Q4", None]), st.sampled_from(["/m/a.gguf", "/n/a.gguf"]))))
def test_no_two_names_are_equal(seeds):
    models = [model(number, path, facts(name, quant)) for number, (name, quant, path) in enumerate(seeds)]
    named = with_unique_names(models)
    assert len({each.name for each in named}) == len(models)
    assert [each.id for each in named] == [each.id for each in models]


def test_a_file_without_a_name_is_called_as_its_store_calls_it():
    each = Model(1, Path("/blobs/sha256-00"), facts(None), None, 0.0, label="llama3:8b")
    assert each.own_name == "llama3:8b"
    two = Model(2, Path("/blobs/sha256-01"), facts(None), None, 0.0, label="llama3:8b")
    assert [named.name for named in with_unique_names([each, two])] == [
        "llama3:8b 1",
        "llama3:8b 2",
    ]


def test_a_model_that_has_its_name_stays_the_same_object():
    named = with_unique_names([model(1, "/m/a.gguf", facts("A"))])
    assert with_unique_names(named)[0] is named[0]


@pytest.mark.parametrize(
    ("path", "repository"),
    [
        ("/h/hub/models--org--Model-GGUF/snapshots/abc/m.gguf", "org/Model-GGUF"),
        ("/h/hub/models--gpt2/snapshots/abc/sub/m.gguf", "gpt2"),
        ("/h/hub/models--/snapshots/abc/m.gguf", None),
        ("/h/hub/models--org--Model/blobs/m.gguf", None),
        ("/home/x/.lmstudio/models/publisher/repo/m.gguf", "publisher/repo"),
        ("/home/x/.cache/lm-studio/models/publisher/repo/m.gguf", "publisher/repo"),
        ("/home/x/.lmstudio/models/m.gguf", None),
        ("/models/m.gguf", None),
    ],
)
def test_a_download_tells_its_repository(path, repository):
    assert model(1, path, None).source_repository == repository
    stated = ModelFacts(*("n", "llama", None, None, None, None, 0, None, None, True, 1), source_repository="a/b")
    assert model(1, path, stated).source_repository == "a/b"


@pytest.mark.parametrize(("size", "mtime", "stamp"), [(1, 2, (1, 2)), (None, 2, None), (1, None, None)])
def test_a_stamp_is_there_when_the_file_was_looked_at(size, mtime, stamp):
    assert Model(1, Path("/m"), None, None, 0.0, size_bytes=size, mtime_ns=mtime).stamp == stamp


@pytest.mark.parametrize(("path", "label", "expected"), [("/mmproj.gguf", None, True), ("/mmproj.gguf", "m:8b", False)])
def test_a_companion_is_told_by_its_name(path, label, expected):
    assert ModelFile(Path(path), label=label).is_companion is expected


def test_capabilities_are_told_in_one_order_with_their_evidence():
    known = replace(facts("Qwen", mtp_layers=1), capabilities=(("tools", "a mark"), ("vision", "another"), ("new", "")))
    assert model(1, "/m.gguf", None).capabilities == {}
    assert list(model(1, "/m.gguf", known).capabilities.items()) == [
        (Capability.MTP, "nextn_predict_layers"),
        (Capability.VISION, "another"),
        (Capability.TOOLS, "a mark"),
    ]
    said = replace(known, capabilities=(("mtp", "x.nextn_predict_layers = 1"),))
    assert model(1, "/m.gguf", said).capabilities == {Capability.MTP: "x.nextn_predict_layers = 1"}


def test_a_file_that_starts_no_server_can_do_nothing():
    adapter = replace(facts("Adapter", mtp_layers=1), sidecar=Sidecar.ADAPTER)
    assert model(1, "/a.gguf", adapter).sidecar is Sidecar.ADAPTER
    assert model(1, "/a.gguf", adapter).capabilities == {}
