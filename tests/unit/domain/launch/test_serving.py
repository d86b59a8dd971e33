"""What a configuration means for memory."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.launch.serving import lacks_template, memory_of, serving_of
from gglib_desktop.domain.models.model import Model
from tests.fakes.library import some_facts
from tests.unit.domain.gguf.test_forecast import header as metadata
from tests.unit.domain.llama_cpp.test_argv import make


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Serving()),
        ({"context_size": 4096}, Serving(context=4096)),
        ({"parallel": -1}, Serving()),
        ({"parallel": 2}, Serving(slots=2, unified=False)),
        ({"cache_type_k": "q8_0", "cache_type_v": "q4_0"}, Serving(key_type="q8_0", value_type="q4_0")),
        ({"ubatch_size": 128, "batch_size": 1024}, Serving(batch=128)),
        ({"batch_size": 256}, Serving(batch=256)),
        ({"flash_attn": "off"}, Serving(flash_attention=False)),
        ({"flash_attn": "auto"}, Serving()),
        ({"mmap": False}, Serving(maps_file=False)),
        ({"extra_args": ("--no-repack",)}, Serving(repacks=False)),
        ({"extra_args": ("-nr",)}, Serving(repacks=False)),
        ({"extra_args": ("--repack",)}, Serving()),
        ({"spec_draft_n_max": 3}, Serving(draft_tokens=3)),
        ({"spec_draft_n_max": 0}, Serving()),
    ],
)
def test_what_is_left_open_is_as_the_engine_does_it(changes, expected):
    assert serving_of(make(**changes)) == expected


def test_memory_is_told_of_whole_models_only():
    header = GgufHeader(3, "little", 0, metadata())
    model = Model(1, Path("/m/x.gguf"), some_facts("X"), None, 0.0)
    total = memory_of(model, header, make())
    assert total is not None
    assert total.low > some_facts("X").file_size_bytes
    assert memory_of(replace(model, problem="a part is missing"), header, make()) is None
    assert memory_of(replace(model, facts=None), header, make()) is None


BASE = replace(some_facts("Base"), has_chat_template=False)


@pytest.mark.parametrize(
    ("facts", "changes", "expected"),
    [
        (BASE, {}, True),
        (BASE, {"extra_args": ("--temp", "1")}, True),
        (BASE, {"chat_template": "chatml"}, False),
        (BASE, {"chat_template_file": Path("/t.jinja")}, False),
        (BASE, {"extra_args": ("--chat-template", "gemma")}, False),
        (BASE, {"extra_args": ("--chat-template-file=/t.jinja",)}, False),
        (BASE, {"embeddings": True}, False),
        (BASE, {"extra_args": ("--rerank",)}, False),
        (some_facts("Chat"), {}, False),
        (None, {}, False),
        (replace(BASE, capabilities=(("embedding", "bert.pooling_type is set"),)), {}, False),
        (replace(BASE, sidecar=Sidecar.ADAPTER), {}, False),
    ],
)
def test_a_base_model_is_told_unless_a_template_is_chosen_or_nobody_chats(facts, changes, expected):
    model = Model(1, Path("/m/x.gguf"), facts, None, 0.0)
    assert lacks_template(model, make(**changes)) is expected


@pytest.mark.parametrize(("facts", "expected"), [(BASE, True), (some_facts("Chat"), False)])
def test_a_model_lacks_a_template_however_it_is_served(facts, expected):
    assert lacks_template(Model(1, Path("/m/x.gguf"), facts, None, 0.0)) is expected
