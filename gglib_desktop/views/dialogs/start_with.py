"""Asks with which launch settings a model shall be started."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from gglib_desktop.viewmodels.launch_form import LaunchFormViewModel
from gglib_desktop.views.icons import icon
from gglib_desktop.views.launch_fields import LaunchFields


class StartWithDialog(QDialog):
    """Edits ``form``; when it is accepted, the form's draft is what to start with."""

    def __init__(
        self, model_name: str, form: LaunchFormViewModel, parent: QWidget | None = None, *, runs: bool = False
    ) -> None:
        """``runs``: the model has a server already, and this starts one more."""
        super().__init__(parent)
        self.setObjectName("startWithDialog")
        self.setWindowTitle(self.tr("Start {model} with…").format(model=model_name))
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        if runs:
            layout.addWidget(
                QLabel(self.tr("{model} runs already. This starts another server.").format(model=model_name))
            )
            layout.addSpacing(8)
        layout.addWidget(LaunchFields(form, with_context=True))
        layout.addSpacing(8)
        layout.addWidget(self._buttons(self.tr("Start another") if runs else self.tr("Start")))

    def _buttons(self, start_text: str) -> QDialogButtonBox:
        box = QDialogButtonBox()
        start = box.addButton(start_text, QDialogButtonBox.ButtonRole.AcceptRole)
        start.setObjectName("startWithStart")
        start.setAccessibleName(start_text)
        start.setIcon(icon("start"))
        start.setDefault(True)
        cancel = box.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        cancel.setObjectName("startWithCancel")
        cancel.setAccessibleName(self.tr("Cancel"))
        cancel.setAutoDefault(False)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box
