"""What a model can do, by its header, each with the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum


class Capability(StrEnum):
    """What models can do or are, in the order in which people see it."""

    MTP = "mtp"
    MOE = "moe"
    VISION = "vision"
    EMBEDDING = "embedding"
    REASONING = "reasoning"
    TOOLS = "tools"


EMBEDDING_ARCHITECTURES = frozenset(
    {
        *(
            "bert",
            "nomic-bert",
            "nomic-bert-moe",
            "neo-bert",
            "jina-bert-v2",
            "jina-bert-v3",
            "modern-bert",
            "eurobert",
        ),
        *("t5encoder", "gemma-embedding", "llama-embed"),
    }
)

# Only words that have one purpose in a template. The first one found is the evidence.
_TEMPLATE_MARKS = {
    "reasoning": (
        *("<think>", "</think>", "<reasoning>", "<seed:think>", "<|START_THINKING|>", "<|inner_prefix|>"),
        *("enable_thinking", "thinking_forced_open", "reasoning_content", "<|channel|>analysis"),
    ),
    "tools": (
        *("<tool_call>", "[TOOL_CALLS]", "<｜tool▁calls▁begin｜>", "<|python_tag|>", "functools[", "<|tool_call"),
        *("if tools", "tools is defined", "tools | length", "available_tools"),
    ),
    "vision": ("<|vision_start|>", "<|image_pad|>", "<image>", "<start_of_image>", "'image_url'", '"image_url"'),
}


def capabilities_of_template(template: str) -> Iterator[tuple[str, str]]:
    """The capabilities that a chat template mentions."""
    for capability, marks in _TEMPLATE_MARKS.items():
        for mark in marks:
            if mark in template:
                yield capability, f"the chat template has {mark}"
                break
