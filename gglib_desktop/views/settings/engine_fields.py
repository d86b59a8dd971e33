"""The rows of the settings dialog that choose the engine."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gglib_desktop.domain.engine.capabilities import Engine, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.states import Failed, Healthy
from gglib_desktop.viewmodels.settings.settings_form import SettingsFormViewModel
from gglib_desktop.views.look.theme import state_icon
from gglib_desktop.views.widgets.bindings import TextBinding
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.state_sign import StateSign
from gglib_desktop.views.words.errors import sentence

_RESULT_LINES = 2


class EngineFields(QObject):
    """The path with Browse… and Test, the result of a test or a save, and the engine in force."""

    def __init__(self, form: SettingsFormViewModel, dialog: QWidget) -> None:
        super().__init__(dialog)
        self._form = form
        self._dialog = dialog
        self._edit = self._path_edit()
        self._browse = self._browse_button()
        self._test = self._test_button()
        self._sign = StateSign(state_icon(Healthy.word), Healthy.word, dialog)
        self._result = _plain_label("engineTestResult", lines=_RESULT_LINES)
        self._in_force = _plain_label("engineInForce", lines=_RESULT_LINES)
        self._in_force.setText(self._in_force_text(form.engine))
        self._others = {engine: self._path_edit_of(engine) for engine in form.other_engines}
        self._show_result("")
        self._edit.textChanged.connect(self._forget_result)
        form.engineTested.connect(self._show_tested)
        form.test.busyChanged.connect(self._show_testing)

    @property
    def focus_order(self) -> list[QWidget]:
        return [self._edit, self._browse, self._test, *self._others.values()]

    def add_rows(self, rows: QFormLayout) -> None:
        label = QLabel(self.tr("&Engine (llama-server):"))
        label.setBuddy(self._edit)
        field = QWidget()
        field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(field)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self._edit, 1)
        line.addWidget(self._browse)
        line.addWidget(self._test)
        column.addLayout(line)
        told = QHBoxLayout()
        told.setSpacing(6)
        told.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        told.addWidget(self._result, 1)
        column.addLayout(told)
        rows.addRow(label, field)
        in_use = QLabel(self.tr("In use:"))
        in_use.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        in_use.setMinimumHeight(self._in_force.minimumHeight())
        rows.addRow(in_use, self._in_force)
        for engine, edit in self._others.items():
            other = QLabel(self.tr("Engine ({name}):").format(name=engine))
            other.setBuddy(edit)
            rows.addRow(other, edit)

    def show_problem(self, error: ConfigurationError) -> None:
        """Says why the path cannot be saved, and focuses it."""
        self._show_result(sentence(error.reason), Failed.word)
        self._edit.setFocus()

    # -- the widgets

    def _path_edit(self) -> QLineEdit:
        edit = QLineEdit(self._dialog)
        edit.setObjectName("field_engine_path")
        edit.setAccessibleName(self.tr("Engine"))
        edit.setPlaceholderText(self.tr("Find automatically"))
        edit.setClearButtonEnabled(True)
        edit.setMinimumWidth(edit.fontMetrics().averageCharWidth() * 18)
        TextBinding(edit, self._form, _path_text, self._form.edit_engine_path)
        return edit

    def _path_edit_of(self, engine: str) -> QLineEdit:
        edit = QLineEdit(self._dialog)
        edit.setObjectName(f"field_engine_path_{engine}")
        edit.setAccessibleName(self.tr("Engine ({name})").format(name=engine))
        edit.setPlaceholderText(self.tr("Find automatically"))
        edit.setClearButtonEnabled(True)

        def written(draft: Any) -> str:
            return str(draft.engine_path_of(engine) or "")

        TextBinding(edit, self._form, written, partial(self._form.edit_engine_path_of, engine))
        return edit

    def _browse_button(self) -> QPushButton:
        button = push_button("engineBrowse", self.tr("&Browse…"), self._dialog, icon_name="folder")
        button.clicked.connect(self._on_browse)
        return button

    def _test_button(self) -> QPushButton:
        button = push_button("engineTest", self.tr("&Test"), self._dialog)
        button.clicked.connect(self._form.test.trigger)
        return button

    def _on_browse(self) -> None:
        path = self._form.draft.engine_path or (self._form.engine.path if self._form.engine else None)
        dialog = QFileDialog(self._dialog, self.tr("Choose llama-server"), str(path.parent) if path else "")
        dialog.setObjectName("engineFileDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._edit.setText)
        dialog.open()

    # -- news

    def _forget_result(self) -> None:
        self._form.test.cancel()
        self._show_result("")

    def _show_testing(self, busy: bool) -> None:
        if busy:
            self._show_result(self.tr("Testing…"))
        elif self._result.text() == self.tr("Testing…"):
            self._show_result("")

    def _show_tested(self, outcome: Engine | ConfigurationError) -> None:
        if isinstance(outcome, ConfigurationError):
            self._show_result(sentence(outcome.reason), Failed.word)
        else:
            works = self.tr("This engine works: {facts}.").format(facts=self._facts_text(outcome))
            found = "" if self._form.draft.engine_path else f"\n{outcome.path}"
            self._show_result(works + found, Healthy.word)

    def _show_result(self, text: str, state_word: str = "") -> None:
        """With the sign of that state, if it is good or bad news."""
        self._sign.setVisible(bool(state_word))
        if state_word:
            self._sign.show_sign(state_icon(state_word), state_word)
        self._result.setText(text)

    # -- words

    def _in_force_text(self, engine: Engine | None) -> str:
        if engine is None:
            return self.tr("None; no usable engine was found yet.")
        return f"{engine.path}\n{self._facts_text(engine)}; {self._source_text(engine.source)}"

    def _facts_text(self, engine: Engine) -> str:
        mtp = self.tr("with MTP") if engine.capabilities.has_mtp else self.tr("without MTP")
        return self.tr("version {version}, {mtp}").format(version=engine.version, mtp=mtp)

    def _source_text(self, source: EngineSource) -> str:
        return {
            EngineSource.ARGUMENT: self.tr("named at the start of this program"),
            EngineSource.ENVIRONMENT: self.tr("GGLIB_LLAMA_SERVER_PATH names it, which goes before this setting"),
            EngineSource.SETTINGS: self.tr("chosen here"),
            EngineSource.PATH: self.tr("found in PATH"),
            EngineSource.PACKAGE: self.tr("installed with this program"),
            EngineSource.MOCK: self.tr("simulated"),
        }[source]


def _path_text(draft: Any) -> str:
    return str(draft.engine_path) if draft.engine_path is not None else ""


def _plain_label(object_name: str, *, lines: int) -> QLabel:
    """A label that keeps the room for its lines, so that nothing moves when its text comes."""
    label = QLabel()
    label.setObjectName(object_name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setMinimumHeight(label.fontMetrics().lineSpacing() * lines)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label
