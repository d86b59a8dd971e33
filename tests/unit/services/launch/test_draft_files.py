"""Which files are offered to draft for a model, and what is known of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.services.launch.draft_files import DraftFiles
from tests.fakes.library import some_facts


def facts(architecture: str, size: int, sidecar: Sidecar | None = None) -> ModelFacts:
    return replace(
        some_facts(architecture), architecture=architecture, file_size_bytes=size, sidecar=sidecar, tokenizer="gpt2"
    )


class Comparison:
    """Names of files whose vocabulary is another one; ``unreadable`` ones cannot be read."""

    def __init__(self) -> None:
        self.others: set[str] = set()
        self.unreadable: set[str] = set()

    def __call__(self, _model: Path, draft: Path) -> str | None:
        if draft.name in self.unreadable:
            raise InvalidModelFile(draft, "cut off")
        return "other tokens" if draft.name in self.others else None


@pytest.fixture
def comparison() -> Comparison:
    return Comparison()


@pytest.fixture
def drafts(library, comparison) -> DraftFiles:
    return DraftFiles(library, comparison)


async def test_heads_and_small_models_with_the_same_vocabulary_are_offered(library, files, drafts, comparison):
    said = {
        "big.gguf": facts("qwen3", 1000),
        "big-mtp.gguf": facts("qwen3", 50, Sidecar.DRAFT_HEAD),
        "smaller.gguf": facts("qwen3", 200),
        "small.gguf": facts("qwen3", 100),
        "as-big.gguf": facts("qwen3", 900),
        "strange.gguf": facts("qwen3", 10),
        "cut.gguf": facts("qwen3", 10),
        "words.gguf": replace(facts("qwen3", 10), tokenizer="llama"),
        "lora.gguf": facts("qwen3", 10, Sidecar.ADAPTER),
    }
    big, *_rest = await library.add([files.make(name, each) for name, each in said.items()])
    comparison.others, comparison.unreadable = {"strange.gguf"}, {"cut.gguf"}
    assert drafts.offered(big) == ()
    await drafts.find(big)
    assert [each.path.name for each in drafts.offered(big)] == ["big-mtp.gguf", "small.gguf", "smaller.gguf"]


async def test_a_file_that_cannot_draft_says_why(library, files, drafts, comparison):
    (big,) = await library.add([files.make("big.gguf", facts("qwen3", 1000))])
    other = files.make("other.gguf", facts("qwen3", 10))
    comparison.others = {"other.gguf"}
    assert drafts.known(big, other) is None
    assert (await drafts.look_at(big, other)).problem == "other tokens"
    assert drafts.known(big, other) == await drafts.look_at(big, other)
    gone = await drafts.look_at(big, other.with_name("gone.gguf"))
    assert gone.problem == "the file does not exist"
