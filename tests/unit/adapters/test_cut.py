"""The proof that places are cut where they should be stays small."""

from pathlib import Path

import pytest

from tests.statements import statements

FAKES = Path(__file__).parents[2] / "fakes"


@pytest.mark.parametrize("name", ["namespace_place.py"])
def test_a_further_place_takes_few_statements(name):
    assert statements((FAKES / name).read_text(encoding="utf-8")) <= 120
