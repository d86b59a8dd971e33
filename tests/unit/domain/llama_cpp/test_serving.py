"""What a configuration means for memory and for chats."""

from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.llama_cpp.serving import serving_of, settles_template
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


@pytest.mark.parametrize(
    ("changes", "settled"),
    [
        ({}, False),
        ({"extra_args": ("--temp", "1")}, False),
        ({"chat_template": "chatml"}, True),
        ({"chat_template_file": Path("/t.jinja")}, True),
        ({"extra_args": ("--chat-template", "gemma")}, True),
        ({"extra_args": ("--chat-template-file=/t.jinja",)}, True),
        ({"embeddings": True}, True),
        ({"extra_args": ("--rerank",)}, True),
    ],
)
def test_a_template_is_settled_once_one_is_chosen_or_nobody_chats(changes, settled):
    assert settles_template(make(**changes)) is settled
