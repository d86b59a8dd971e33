"""Forms of launch options without a library or servers."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.models.model import Model
from gglib_desktop.services.launch.command_lines import CommandLines
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.launch.launch_forms import CommandTextViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from tests.fakes.library import NoModels, some_facts
from tests.fakes.settings import FOUND, FakeEngineCatalog, FakeSettingsStore
from tests.fakes.supervision import no_servers

MODEL = Model(1, Path("/m/tiny.gguf"), some_facts("Tiny", mtp_layers=1), None, 0.0, "Tiny")


def form_launcher(catalog: FakeEngineCatalog | None = None, settings: AppSettings | None = None) -> Launcher:
    """Needs only the engine and the settings."""
    keeper = SettingsKeeper(FakeSettingsStore(settings))
    engines = Engines(catalog or FakeEngineCatalog(), keeper)
    engines.current = FOUND
    return Launcher(cast(Library, NoModels()), no_servers(), engines, keeper, mtp_suppressed=False)


def command_text(form: OptionFormViewModel, scope: TaskScope) -> CommandTextViewModel:
    """The command line of a form; the library has only that model."""
    library = cast(Library, SimpleNamespace(models=(MODEL,)))
    return CommandTextViewModel(
        CommandLines(form_launcher().engines, library, DiskTextFiles(), Path("/home/me")), form, scope
    )


def option_form(
    layer: Source = Source.LAUNCH, model: Model | None = MODEL, *, settings: AppSettings | None = None, **layers: Any
) -> OptionFormViewModel:
    """``draft`` and ``model_options`` are LaunchOptions."""
    layers = {name: LaunchOptions().with_values(**values) for name, values in layers.items()}
    return OptionFormViewModel(form_launcher(settings=settings), layer, model, **layers)
