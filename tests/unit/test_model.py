"""Models and their names, of which no two may be equal."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gglib_desktop.domain.gguf import ModelFacts
from gglib_desktop.domain.model import Model, with_unique_names


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


@given(st.lists(st.tuples(_NAMES, st.sampled_from(["Q4", None]), st.sampled_from(["/m/a.gguf", "/n/a.gguf"]))))
def test_no_two_names_are_equal(seeds):
    models = [model(number, path, facts(name, quant)) for number, (name, quant, path) in enumerate(seeds)]
    named = with_unique_names(models)
    assert len({each.name for each in named}) == len(models)
    assert [each.id for each in named] == [each.id for each in models]
