"""What the library shows about a model, from its header and its file name."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.gguf.header import (
    GgufHeader,
    GgufValueType,
    ModelFacts,
    SkippedArray,
    SkippedString,
    facts_from_header,
    quantisation_from_name,
)
from gglib_desktop.domain.gguf.sidecars import is_projector


def _facts(metadata=None, *, file_name="model.gguf", element_count=0):
    header = GgufHeader(3, "little", 1, metadata or {}, element_count=element_count)
    return facts_from_header(header, file_name=file_name, file_size_bytes=123)


def test_a_full_header_gives_every_fact():
    facts = _facts(
        {
            "general.architecture": "qwen35moe",
            "general.name": "Some Model",
            "general.size_label": "30B-A3B",
            "general.parameter_count": 30_000_000_000,
            "qwen35moe.context_length": 262_144,
            "qwen35moe.nextn_predict_layers": 1,
            "qwen35moe.block_count": 49,
            "qwen35moe.expert_count": 128,
            "qwen35moe.expert_used_count": 8,
            "qwen35moe.embedding_length": 2048,
            "qwen35moe.attention.head_count": 32,
            "qwen35moe.attention.head_count_kv": 4,
            "general.license": "apache-2.0",
            "general.type": "model",
            "general.repo_url": "https://huggingface.co/org/Some-Model",
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.chat_template": "{{ messages }}",
        },
        file_name="Some-Model-Q4_K_M.gguf",
        element_count=7,
    )
    assert facts == ModelFacts(
        name="Some Model",
        architecture="qwen35moe",
        size_label="30B-A3B",
        parameter_count=30_000_000_000,
        quantisation="Q4_K_M",
        context_length=262_144,
        mtp_layers=1,
        block_count=49,
        expert_count=128,
        has_chat_template=True,
        file_size_bytes=123,
        expert_used_count=8,
        embedding_length=2048,
        head_count=32,
        head_count_kv=4,
        licence="apache-2.0",
        source_repository="org/Some-Model",
        tokenizer="gpt2",
        model_type="model",
        capabilities=(("moe", "qwen35moe.expert_count = 128"), ("mtp", "qwen35moe.nextn_predict_layers = 1")),
    )
    assert ModelFacts(**json.loads(json.dumps(dataclasses.asdict(facts)))) == facts


def test_an_empty_header_gives_no_facts():
    assert _facts() == ModelFacts(
        name=None,
        architecture=None,
        size_label=None,
        parameter_count=None,
        quantisation=None,
        context_length=None,
        mtp_layers=0,
        block_count=None,
        expert_count=None,
        has_chat_template=False,
        file_size_bytes=123,
    )


def test_facts_stored_by_the_first_version_can_be_read():
    old = ["name", "architecture", "size_label", "parameter_count", "quantisation", "context_length", "mtp_layers"]
    old += ["block_count", "expert_count", "has_chat_template", "file_size_bytes"]
    facts = _facts({"general.name": "Old", "general.architecture": "llama"})
    stored = {name: getattr(facts, name) for name in old}
    assert ModelFacts(**stored) == facts


@pytest.mark.parametrize(
    ("metadata", "capabilities"),
    [
        ({"tokenizer.chat_template": "a <think> b"}, {"reasoning": "the chat template has <think>"}),
        ({"tokenizer.chat_template": "{% if tools %}"}, {"tools": "the chat template has if tools"}),
        ({"tokenizer.chat_template": "<image>"}, {"vision": "the chat template has <image>"}),
        ({"bert.pooling_type": 1}, {"embedding": "bert.pooling_type is set"}),
        ({}, {"embedding": "architecture bert"}),
        ({"bert.expert_count": 1}, {"embedding": "architecture bert"}),
    ],
)
def test_a_capability_comes_with_its_evidence(metadata, capabilities):
    facts = _facts({"general.architecture": "bert", **metadata})
    assert dict(facts.capabilities) == {"embedding": "architecture bert", **capabilities}


@pytest.mark.parametrize(
    ("metadata", "repository"),
    [
        ({}, None),
        ({"general.repo_url": "https://hf.co/a/b/"}, "a/b"),
        ({"general.source.repo_url": "https://example.org/x"}, "https://example.org/x"),
        ({"general.source.huggingface.repository": "a/b", "general.repo_url": "https://hf.co/c/d"}, "a/b"),
    ],
)
def test_the_source_is_what_the_header_states(metadata, repository):
    assert _facts(metadata).source_repository == repository


def test_parts_are_counted_together():
    header = GgufHeader(3, "little", 1, {"split.count": 2}, element_count=5)
    facts = facts_from_header(header, file_name="m", file_size_bytes=1, element_count=12)
    assert facts.parameter_count == 12


@pytest.mark.parametrize(
    ("metadata", "file_name", "expected"),
    [
        ({"general.type": "mmproj"}, "m.gguf", True),
        ({"general.type": "model"}, "mmproj-m.gguf", False),
        ({"general.architecture": "clip"}, "m.gguf", True),
        ({"general.architecture": "llama"}, "mmproj-m.gguf", True),
        ({"general.architecture": "llama"}, "m.gguf", False),
    ],
)
def test_a_projector_belongs_to_another_model(metadata, file_name, expected):
    facts = _facts(metadata)
    assert is_projector(facts.model_type, facts.architecture, file_name) is expected
    assert is_projector(None, None, "mmproj.gguf")
    assert not is_projector(None, None, "m.gguf")


def test_only_the_models_own_architecture_is_asked():
    facts = _facts({"general.architecture": "llama", "qwen35.context_length": 1, "qwen35.nextn_predict_layers": 1})
    assert (facts.context_length, facts.mtp_layers) == (None, 0)


@pytest.mark.parametrize(
    "value", [0, -1, True, 4096.0, "4096", 2**63, (4096,), SkippedArray(GgufValueType.UINT32, 999)]
)
def test_numbers_that_make_no_sense_count_as_absent(value):
    keys = ["llama.context_length", "llama.block_count", "llama.expert_count", "general.parameter_count", "split.count"]
    facts = _facts({"general.architecture": "llama", **dict.fromkeys(keys, value)}, element_count=5)
    assert (facts.context_length, facts.block_count, facts.expert_count, facts.parameter_count) == (None, None, None, 5)


class TestParameterCount:
    def test_is_counted_from_the_tensors_when_not_stated(self):
        assert _facts(element_count=8_030_261_248).parameter_count == 8_030_261_248

    def test_of_one_shard_is_not_the_models(self):
        assert _facts({"split.count": 2}, element_count=5).parameter_count is None
        assert _facts({"split.count": 2, "general.parameter_count": 9}, element_count=5).parameter_count == 9
        assert _facts({"split.count": 1}, element_count=5).parameter_count == 5

    def test_beyond_64_bits_is_unknown(self):
        assert _facts(element_count=2**63).parameter_count is None


class TestText:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("  Tidy \n  me\t", "Tidy me"),
            ("nul\0 and \x1b[31mescape", "nul and [31mescape"),
            ("\u202ereversed", "reversed"),
            ("Qwen \u2014 中文", "Qwen \u2014 中文"),
            ("x" * 500, "x" * 200),
            (" \n", None),
            ("", None),
            (7, None),
            (SkippedString(2**21), None),
        ],
    )
    def test_is_one_printable_line(self, name, shown):
        assert _facts({"general.name": name}).name == shown

    @given(st.text())
    def test_of_any_kind_is_one_printable_line_or_none(self, name):
        shown = _facts({"general.name": name}).name
        assert shown is None or (shown.isprintable() and shown == shown.strip() and 0 < len(shown) <= 200)


@pytest.mark.parametrize(
    ("template", "expected"),
    [("{{ x }}", True), (" ", False), ("", False), (SkippedString(2**21), True), (1, False), (("a",), False)],
)
def test_a_chat_template_is_text(template, expected):
    assert _facts({"tokenizer.chat_template": template}).has_chat_template is expected


class TestQuantisationFromName:
    @pytest.mark.parametrize(
        ("file_name", "expected"),
        [
            ("Llama-3-8B-Q4_K_M.gguf", "Q4_K_M"),
            ("llama-3-8b.q4_k_m.gguf", "Q4_K_M"),
            ("model-Q4_K_M-00001-of-00003.gguf", "Q4_K_M"),
            ("model-Q4_K.gguf", "Q4_K"),
            ("model-Q4_K_XXL.gguf", "Q4_K"),
            ("model-Q4.gguf", "Q4"),
            ("model-Q4_0_4_8.gguf", "Q4_0_4_8"),
            ("model-IQ2_XXS.gguf", "IQ2_XXS"),
            ("model-i1-IQ3_M.gguf", "IQ3_M"),
            ("model-TQ1_0.gguf", "TQ1_0"),
            ("model-MXFP4_MOE.gguf", "MXFP4_MOE"),
            ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
            ("model-bf16.gguf", "BF16"),
            ("model-fp16.gguf", "F16"),
            ("model.FP32.gguf", "F32"),
            ("model-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
            ("model-ud-iq1_s.gguf", "UD-IQ1_S"),
            ("UD_Q6_K.gguf", "UD-Q6_K"),
            ("cloud-Q6_K.gguf", "Q6_K"),
            ("model-UDQ6_K.gguf", None),
            ("UD-model-Q6_K.gguf", "Q6_K"),
            ("model-F16-to-Q4_K_M.gguf", "Q4_K_M"),
            ("model-Q4_K_M-from-F16.gguf", "Q4_K_M"),
            ("model-BF16-Q8_0.gguf", "Q8_0"),
            ("model-imatrix-Q8_0.gguf", "Q8_0"),
            ("Q8_0.imatrix.gguf", "Q8_0"),
            ("model.imatrix.gguf", "IMATRIX"),
            ("model-IQ4_KSS-00001-of-00003.gguf", "IQ4_KSS"),
            ("model-smol-IQ2_KL.gguf", "IQ2_KL"),
            ("model-iq4_k_r4.gguf", "IQ4_K_R4"),
            ("model-Q8_0_R8.gguf", "Q8_0_R8"),
            ("model-Q4_K_R5.gguf", "Q4_K"),
            ("model-Q2_0.gguf", "Q2_0"),
            ("modelQ4_K_M.gguf", None),
            ("model-Q4_K_Medium.gguf", "Q4_K"),
            ("model-XQ4_0.gguf", None),
            ("model-Q4_00.gguf", "Q4"),
            ("model-Q4_\N{KELVIN SIGN}_M.gguf", "Q4"),
            ("model.gguf", None),
            ("", None),
        ],
    )
    def test_finds_the_longest_label_that_stands_alone(self, file_name, expected):
        assert quantisation_from_name(file_name) == expected

    @given(st.text())
    def test_answers_for_any_name(self, file_name):
        label = quantisation_from_name(file_name)
        assert label is None or label.isascii()

    def test_wins_over_the_header(self):
        metadata = {"general.file_type": 7}
        assert _facts(metadata, file_name="model-Q4_0.gguf").quantisation == "Q4_0"
        assert _facts(metadata, file_name="model.gguf").quantisation == "Q8_0"


@pytest.mark.parametrize(
    ("file_type", "expected"),
    [
        (0, "F32"),
        (1, "F16"),
        (7, "Q8_0"),
        (8, "Q5_0"),
        (15, "Q4_K_M"),
        (15 | 1024, "Q4_K_M"),
        (32, "BF16"),
        (38, "MXFP4"),
        (9999, None),
        (-1, None),
        (True, None),
        ("Q4_0", None),
    ],
)
def test_the_header_names_the_quantisation_by_number(file_type, expected):
    assert _facts({"general.file_type": file_type}).quantisation == expected
