"""Presets of a library on disk, with a form for one of its models."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from gglib_desktop.adapters.documents.preset_files import TomlPresetFiles
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.adapters.library.sqlite_presets import SqlitePresetStore
from gglib_desktop.domain.launch.options import Source
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from tests.fakes.library import NoModels
from tests.fakes.settings import FakeEngineCatalog, FakeSettingsStore
from tests.fakes.supervision import no_servers


@dataclass
class PresetForm:
    """The presets, and the form for one launch of the model "Tiny"."""

    presets: Presets
    form: OptionFormViewModel

    @property
    def model_id(self) -> int:
        assert self.form.model is not None
        return self.form.model.id


@asynccontextmanager
async def preset_form(data_dir: Path) -> AsyncIterator[PresetForm]:
    repository = SqliteModelRepository(LibraryFile(data_dir / "library.sqlite"))
    (model,) = await repository.save([(None, ModelFile(Path("/m/tiny.gguf")))])
    keeper = SettingsKeeper(FakeSettingsStore())
    # A form needs only the engine and the settings.
    engines = Engines(FakeEngineCatalog(), keeper)
    launcher = Launcher(cast(Library, NoModels()), no_servers(), engines, keeper, mtp_suppressed=False)
    form = OptionFormViewModel(launcher, Source.LAUNCH, replace(model, name="Tiny"))
    yield PresetForm(Presets(SqlitePresetStore(repository.file), TomlPresetFiles()), form)
    await repository.file.aclose()
