"""What is told of a model, and what says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.adapters.gguf.header import read_header
from gglib_desktop.domain.gguf.header import GgufHeader, GgufValue
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.llama_cpp.companions import companion_arguments
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.models.model_facts import Fact, FactGroup, FactName, facts_of
from tests.fakes.library import some_facts
from tests.unit.viewmodels.models.test_model_details import demo

MODEL = Model(1, Path("/models/m.gguf"), some_facts("M", mtp_layers=1), None, 0.0, "M")
PLAIN: dict[str, GgufValue] = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 4,
}


def of(model: Model, metadata: dict[str, GgufValue] | None = None, *companions: Companion) -> dict[str, Fact]:
    header = GgufHeader(3, "little", 0, metadata) if metadata is not None else None
    loaded_by = {each: companion_arguments(each) for each in companions}
    return {fact.detail or str(fact.name): fact for fact in facts_of(model, header, loaded_by)}


def test_facts_of_a_real_header_have_their_sources(tmp_path):
    model = demo(tmp_path)
    facts = {fact.name: (fact.value, fact.source) for fact in facts_of(model, read_header(model.path), {})}
    assert facts[FactName.ARCHITECTURE] == ("Qwen 3.5 (qwen35)", "general.architecture")
    assert facts[FactName.CONTEXT] == ("8192", "qwen35.context_length")
    assert facts[FactName.MTP_LAYERS] == ("1", "qwen35.nextn_predict_layers")
    assert facts[FactName.MTP] == ("yes", "qwen35.nextn_predict_layers = 1")
    assert facts[FactName.QUANTISATION] == ("Q8_0", "file name")
    assert facts[FactName.SIZE] == ("5.0 MiB", "file")
    assert facts[FactName.PARAMETERS][1] == "tensors"
    assert len(facts[FactName.CHAT_TEMPLATE][0]) == 80
    assert facts[FactName.SLOT_STATE][1] == "worked out from the header"
    assert FactName.EXPERTS not in facts


def test_capabilities_come_with_their_evidence():
    known = replace(some_facts(), capabilities=(("vision", "the chat template has <image>"), ("moe", "8 experts")))
    found = of(replace(MODEL, facts=known), PLAIN)
    assert found["vision"] == Fact(FactGroup.CAPABILITIES, FactName.VISION, "yes", "the chat template has <image>")
    assert found["moe"].source == "8 experts"
    assert "reasoning" not in found


def test_files_are_named():
    parts = (Path("/m/a-00001-of-00002.gguf"), Path("/m/a-00002-of-00002.gguf"))
    found = of(replace(MODEL, parts=parts, last_used=86_400.0 * 365), PLAIN, Companion(Path("/m/mmproj-F16.gguf")))
    assert found["parts"].value == "a-00001-of-00002.gguf\na-00002-of-00002.gguf"
    assert (found["projectors"].value, found["projectors"].source) == ("mmproj-F16.gguf", "same folder")
    assert found["last used"].value.startswith("197")
    assert {"parts", "projectors", "last used"}.isdisjoint(of(MODEL, PLAIN))


@pytest.mark.parametrize(
    ("stated", "path", "key", "value", "source"),
    [
        ("a/b", "/x/m.gguf", "general.repo_url", "a/b", "general.repo_url"),
        (None, "/h/models--a--b/snapshots/c/m.gguf", "", "a/b", "names of the folders"),
        (None, "/x/m.gguf", "", None, None),
    ],
)
def test_the_repository_is_what_the_header_says_else_what_folders_are_called(stated, path, key, value, source):
    known = replace(some_facts(), source_repository=stated)
    found = of(replace(MODEL, facts=known, path=Path(path)), {**PLAIN, **({key: "a/b"} if key else {})})
    fact = found.get("repository")
    assert (fact and fact.value, fact and fact.source) == (value, source)


def test_the_cost_of_a_token_is_told_for_each_type_of_cache():
    found = of(MODEL, PLAIN)
    # 2 layers x (key + value) x 64 numbers.
    assert found["f16"].value == "512 B"
    assert found["f32"].value == "1.0 KiB"
    assert found["q8_0"].value == "272 B"
    assert found["f16"].name is FactName.CACHE


def test_a_window_makes_recent_tokens_cost_more():
    window: dict[str, GgufValue] = {
        **PLAIN,
        "general.architecture": "gemma2",
        "gemma2.block_count": 4,
        "gemma2.embedding_length": 64,
        "gemma2.attention.head_count": 4,
        "gemma2.attention.sliding_window": 4096,
    }
    assert of(MODEL, window)["f16"].value == "512 B, and 512 B for each of the last 4,096 tokens"
    unknown = {key.replace("gemma2", "other"): value for key, value in window.items()}
    unknown["general.architecture"] = "other"
    assert of(MODEL, unknown)["f16"].value == "0 B to 1.0 KiB"


def test_what_the_header_does_not_tell_is_unknown():
    assert of(MODEL, {"general.architecture": "new"})["cache"] == Fact(
        FactGroup.CACHE, FactName.CACHE, "unknown", "the header does not tell new.block_count"
    )


def test_without_the_file_what_was_known_is_told():
    found = of(MODEL)
    assert (found["architecture"].value, found["architecture"].source) == ("Llama", "when the file was read last")
    assert found["context"].value == "2048"
    assert "licence" not in found
    assert found["mtp"].value == "yes"
    assert list(of(replace(MODEL, facts=None))) == ["added"]


def test_a_base_model_is_told_to_have_no_template():
    base = replace(MODEL, facts=replace(some_facts(), has_chat_template=False))
    found = of(base, PLAIN)
    assert found["chat template"].value == "none: the engine uses ChatML, so answers in chats may be poor"
    assert "chat template" not in of(MODEL, PLAIN), "its header was read before"
    stated = of(MODEL, PLAIN | {"tokenizer.chat_template": "{{ x }}"})
    assert stated["chat template"].value == "{{ x }}"


def test_what_may_be_loaded_with_a_model_is_offered_with_its_arguments():
    found = of(
        MODEL,
        PLAIN,
        Companion(Path("/m/mtp m.gguf"), Sidecar.DRAFT_HEAD, "gemma4-assistant"),
        Companion(Path("/m/style.gguf"), Sidecar.ADAPTER, "llama"),
        Companion(Path("/m/calm.gguf"), Sidecar.CONTROL_VECTOR, "controlvector"),
    )
    told = {name: (found[name].value, found[name].source) for name in ("draft heads", "adapters", "control vectors")}
    assert told == {
        "draft heads": (
            "mtp m.gguf",
            "extra arguments: --spec-draft-model '/m/mtp m.gguf' --spec-type draft-mtp",
        ),
        "adapters": ("style.gguf", "extra arguments: --lora /m/style.gguf"),
        "control vectors": ("calm.gguf", "extra arguments: --control-vector /m/calm.gguf"),
    }
