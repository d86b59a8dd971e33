"""Models that lie at several places: rows say where, and the list is filtered by place."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QLabel

from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.models.model import ModelFile
from tests.fakes.accessibility import Role, names
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll
from tests.ui.conftest import Desk
from tests.ui.finding import child
from tests.ui.models.test_model_list_view import search, shown


async def add_elsewhere(desk: Desk, name: str, place: str) -> None:
    file = ModelFile(Path(f"/srv/{name}.gguf"), some_facts(name))
    await desk.library._repository.save([(None, file)], place=place)
    await desk.library.load()
    await poll(lambda: name in shown(desk))


def combo_texts(combo: QComboBox) -> list[str]:
    return [combo.itemText(row) for row in range(combo.count())]


@pytest.fixture
async def spread(desk: Desk) -> Desk:
    await desk.open()
    await desk.settings.change(places={"attic": PlaceSettings(url="ssh://attic", name="The attic")})
    await desk.add("Here", some_facts("Here"))
    assert desk.window.findChild(QComboBox, "placeFilter") is None, "only where there are several places"
    await add_elsewhere(desk, "There", "attic")
    return desk


async def test_a_row_says_where_its_model_lies(spread):
    rows = names(spread.window, Role.ListItem, Role.Cell)
    assert "There, F32, 1.2 M params · 3.0 MiB · Llama, on The attic" in rows
    assert "Here, F32, 1.2 M params · 3.0 MiB · Llama" in rows
    search(spread).setText("attic")
    assert shown(spread) == ["There"]


async def test_the_list_is_filtered_by_place(spread):
    combo = child(spread.window, QComboBox, "placeFilter")
    await poll(combo.isVisible)
    assert sorted(combo_texts(combo)) == ["All places", "The attic", "This computer"]
    combo.setCurrentText("The attic")
    assert shown(spread) == ["There"]
    assert child(spread.window, QLabel, "filterText").text() == "1 of 2: The attic"
    combo.setCurrentText("This computer")
    assert shown(spread) == ["Here"]
    spread.models.filter.choose(())
    assert combo.currentText() == "All places"
    assert len(shown(spread)) == 2


async def test_another_name_of_a_place_is_shown_at_once(spread):
    await spread.settings.change(places={"attic": PlaceSettings(url="ssh://attic", name="Loft")})
    await poll(lambda: any(name.endswith("on Loft") for name in names(spread.window, Role.ListItem, Role.Cell)))
    assert "Loft" in combo_texts(child(spread.window, QComboBox, "placeFilter"))
