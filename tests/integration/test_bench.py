"""`make bench` measures the program itself, however that comes to load Qt."""

import pytest

from tests.bench import Child


@pytest.mark.parametrize("which", ["bare", "ours", "hidden"])
def test_each_window_tells_when_it_was_painted(which, tmp_path):
    child = Child(which, tmp_path / "data")
    try:
        assert child.window_s > 0
    finally:
        child.end()
