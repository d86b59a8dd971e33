"""The files that can draft for a model, in its form."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QWidget
from shiboken6 import delete

from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.models.draft_files import DraftFile
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.launch.option_form import OptionForm
from tests.fakes.forms import MODEL, form_launcher
from tests.ui.finding import child

SMALL = DraftFile(Path("/m/small.gguf"), ("draft-simple",), size_bytes=2**20)
HEAD = DraftFile(Path("/m/head.gguf"), ("draft-mtp",), is_head=True, size_bytes=2**20)
OTHER = DraftFile(Path("/m/other.gguf"), ("draft-simple",), problem="its vocabulary is another one: token 7 differs")


class Drafts:
    """What the program has found."""

    def known(self, _model: object, path: Path) -> DraftFile | None:
        return next((each for each in (SMALL, HEAD, OTHER) if each.path == path), None)

    def offered(self, _model: object) -> tuple[DraftFile, ...]:
        return (HEAD, SMALL)


@pytest.fixture
def shown(qapp):
    launcher = form_launcher()
    launcher.draft_files = Drafts()  # type: ignore[assignment]  # what a form asks it
    form = OptionFormViewModel(launcher, Source.LAUNCH, MODEL)
    widget = OptionForm(form)
    widget.show()
    yield widget, form
    delete(widget)


def note(widget: QWidget, name: str) -> str:
    return child(widget, QLabel, f"note_{name}").text()


def test_the_files_that_can_draft_are_offered_as_what_they_are(shown):
    widget, form = shown
    head, small = (child(widget, QCheckBox, f"draftFile{number}") for number in (1, 2))
    assert head.accessibleName() == "head.gguf: draft head (draft-mtp), 1.0 MiB"
    assert small.text() == "small.gguf: small model (draft-simple), 1.0 MiB"
    head.setChecked(True)
    assert form.draft == LaunchOptions(spec_draft_model=HEAD.path, spec_type="draft-mtp")
    assert "--spec-type draft-mtp" in form.state.command_line
    assert "--spec-draft-model /m/head.gguf" in form.state.command_line
    assert note(widget, "spec_draft_model") == "Draft head (draft-mtp), 1.0 MiB."
    small.setChecked(True)
    assert not head.isChecked()
    assert form.draft == LaunchOptions(spec_draft_model=SMALL.path)
    assert "--spec-type draft-simple" in form.state.command_line
    small.setChecked(False)
    assert form.draft == LaunchOptions()


def test_another_vocabulary_is_said_and_does_not_keep_from_starting(shown):
    widget, form = shown
    child(widget, QLineEdit, "field_spec_draft_model").setText("/m/other.gguf")
    assert (
        note(widget, "spec_draft_model")
        == "Its vocabulary is another one: token 7 differs. The server would draft nothing, or not start."
    )
    assert form.state.is_doubtful
    form.edit(mtp="off")
    assert not form.state.is_doubtful
