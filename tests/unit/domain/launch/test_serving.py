"""What serving a model takes."""

from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.launch.serving import lacks_template, memory_of
from gglib_desktop.domain.models.model import Model
from tests.fakes.library import some_facts
from tests.unit.domain.gguf.test_forecast import header as metadata


def test_memory_is_told_of_whole_models_only():
    header = GgufHeader(3, "little", 0, metadata())
    model = Model(1, Path("/m/x.gguf"), some_facts("X"), None, 0.0)
    total = memory_of(model, header, Serving())
    assert total is not None
    assert total.low > some_facts("X").file_size_bytes
    assert memory_of(replace(model, problem="a part is missing"), header, Serving()) is None
    assert memory_of(replace(model, facts=None), header, Serving()) is None


BASE = replace(some_facts("Base"), has_chat_template=False)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (BASE, True),
        (some_facts("Chat"), False),
        (None, False),
        (replace(BASE, capabilities=(("embedding", "bert.pooling_type is set"),)), False),
        (replace(BASE, sidecar=Sidecar.ADAPTER), False),
    ],
)
def test_a_base_model_is_told_unless_nobody_chats_with_it(facts, expected):
    assert lacks_template(Model(1, Path("/m/x.gguf"), facts, None, 0.0)) is expected
