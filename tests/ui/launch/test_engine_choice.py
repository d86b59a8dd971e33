"""The field in which the engine of a model is chosen."""

from pathlib import Path

from PySide6.QtWidgets import QComboBox, QLabel

from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.launch.option_form import OptionForm
from tests.fakes.forms import MODEL, form_launcher
from tests.fakes.library import NoModels
from tests.fakes.parrot_dialect import ParrotDialect, parrot_at
from tests.fakes.settings import FOUND, FakeEngineCatalog, FakeSettingsStore
from tests.fakes.supervision import no_servers
from tests.fakes.waiting import poll
from tests.ui.finding import child


class ParrotCatalog(FakeEngineCatalog):
    dialect = ParrotDialect()


def form_of(parrots: FakeEngineCatalog, **draft) -> OptionFormViewModel:
    keeper = SettingsKeeper(FakeSettingsStore())
    engines = Engines(FakeEngineCatalog(), keeper, lambda: {"llama.cpp": None, "parrot": parrots})
    engines.current = FOUND
    launcher = Launcher(NoModels(), no_servers(), engines, keeper, mtp_suppressed=False)  # type: ignore[arg-type]  # not asked
    return OptionFormViewModel(launcher, Source.LAUNCH, MODEL, draft=LaunchOptions(**draft))


async def test_choosing_another_engine_looks_for_it_and_shows_its_command_line(qtbot, scope):
    form = form_of(ParrotCatalog(found=parrot_at(Path("/opt/parrot"))), flash_attn="on")
    widget = OptionForm(form)
    qtbot.addWidget(widget)
    form.find_devices(scope)
    field = child(widget, QComboBox, "field_engine")
    assert [field.itemText(each) for each in range(1, field.count())] == ["llama.cpp", "parrot"]
    assert form.state.command_line.startswith(f"{FOUND.path} ")
    field.setCurrentIndex(2)
    await poll(lambda: form.state.fields["flash_attn"].problem)
    assert child(widget, QLabel, "note_flash_attn").text().startswith("Parrot has no word for it")
    assert child(widget, QComboBox, "field_flash_attn").currentText() == "on", "what was typed stays"
    form.edit(flash_attn=None)
    assert form.state.command_line.startswith("/opt/parrot run ")
    field.setCurrentIndex(0)
    assert form.state.command_line.startswith(f"{FOUND.path} ")
    form.close()


async def test_one_that_is_not_there_is_said_beside_the_field(qtbot, scope):
    form = form_of(ParrotCatalog(found=None), engine="parrot")
    widget = OptionForm(form)
    qtbot.addWidget(widget)
    form.find_devices(scope)
    await poll(lambda: form.state.fields["engine"].problem)
    assert "found in PATH" in child(widget, QLabel, "note_engine").text()
    form.close()


def test_an_engine_of_another_version_stays_chosen(qtbot):
    form = form_of(ParrotCatalog(), engine="older")
    widget = OptionForm(form)
    qtbot.addWidget(widget)
    field = child(widget, QComboBox, "field_engine")
    assert field.currentText() == "older"
    assert "must be one of" in child(widget, QLabel, "note_engine").text().lower()
    form.edit(engine=None)
    assert field.currentIndex() == 0


def test_where_there_is_one_engine_there_is_no_field(qtbot):
    widget = OptionForm(OptionFormViewModel(form_launcher(), Source.LAUNCH, MODEL))
    qtbot.addWidget(widget)
    assert widget.findChild(QComboBox, "field_engine") is None
