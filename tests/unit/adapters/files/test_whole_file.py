"""Files that are written whole or not at all."""

import stat

import pytest

from gglib_desktop.adapters.files.whole_file import whole_file


@pytest.mark.parametrize("mode", [0o600, 0o755])
def test_it_takes_the_place_of_what_was_there(tmp_path, mode):
    path = tmp_path / "file"
    path.write_text("old")
    with whole_file(path, mode=mode) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_all_as_it_was(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(TypeError), whole_file(path) as file:
        file.writelines([b"half", None])  # type: ignore[list-item]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["file/in/a/file", "folder", "none/file"])
def test_a_place_that_cannot_be_written_is_an_error(tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"directory"), whole_file(tmp_path / place):
        pass
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file", tmp_path / "folder"]


def test_the_longest_name_is_not_too_long(tmp_path):
    with whole_file(tmp_path / ("x" * 255)) as file:
        file.write(b"new")
    assert (tmp_path / ("x" * 255)).read_bytes() == b"new"
