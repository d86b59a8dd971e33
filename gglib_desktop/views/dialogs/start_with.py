"""Asks with which launch settings a model shall be started."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from gglib_desktop.viewmodels.launch_form import LaunchFormViewModel
from gglib_desktop.views.icons import icon
from gglib_desktop.views.launch_fields import LaunchFields


class StartWithDialog(QDialog):
    """Edits ``form``; when it is accepted, the form's draft is what to start with."""

    def __init__(self, model_name: str, form: LaunchFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("startWithDialog")
        self.setWindowTitle(self.tr("Start {model} with…").format(model=model_name))
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        layout.addWidget(LaunchFields(form, with_context=True))
        layout.addSpacing(8)
        layout.addWidget(self._buttons())

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox()
        start = box.addButton(self.tr("Start"), QDialogButtonBox.ButtonRole.AcceptRole)
        start.setObjectName("startWithStart")
        start.setAccessibleName(self.tr("Start"))
        start.setIcon(icon("start"))
        start.setDefault(True)
        cancel = box.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        cancel.setObjectName("startWithCancel")
        cancel.setAccessibleName(self.tr("Cancel"))
        cancel.setAutoDefault(False)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box
