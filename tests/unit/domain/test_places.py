"""What the settings and the errors say of engines and places."""

from dataclasses import replace
from pathlib import Path

from gglib_desktop.domain.documents.settings import AppSettings, EngineSettings
from gglib_desktop.domain.errors import PlaceInUse
from gglib_desktop.domain.models.model import Model


def test_an_engine_without_an_entry_has_no_path():
    settings = AppSettings(engines={"other": EngineSettings(path=Path("/e"))})
    assert (settings.engine_path_of("other"), settings.engine_path_of("none")) == (Path("/e"), None)


def test_a_place_in_use_is_named():
    assert "servers run at Lab" in str(PlaceInUse("Lab"))


def test_a_model_of_this_computer_is_here():
    model = Model(1, Path("/m.gguf"), None, None, 0.0)
    assert (model.is_here, replace(model, place="lab").is_here) == (True, False)
