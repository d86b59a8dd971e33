"""The folders that servers run in."""

import pytest

from gglib_desktop.adapters.places.local.run_folders import RunFolders
from gglib_desktop.domain.errors import RunnerUnavailable


def test_a_folder_holds_links_and_goes_without_what_they_lead_to(tmp_path):
    model = tmp_path / "tiny.gguf"
    model.write_text("a model")
    folders = RunFolders(tmp_path / "runs")
    made = folders.make("one", {"Tiny": model})
    assert (made / "Tiny").read_text() == "a model"
    assert made.stat().st_mode & 0o077 == 0
    assert folders.has("one")
    (made / "log").write_text("written by the server")
    folders.remove("one")
    assert not folders.has("one")
    assert model.read_text() == "a model"
    folders.remove("one")


def test_what_cannot_be_made_is_told(tmp_path):
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(RunnerUnavailable, match="cannot be made"):
        RunFolders(tmp_path / "runs").make("one", {})
