"""What a server, or all servers of its model, were asked."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMessageBox, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.traffic.audit import Verdict
from gglib_desktop.domain.traffic.requests import RequestEnd
from gglib_desktop.viewmodels.servers.requests import RequestFormat, RequestsState, RequestsViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.look.type_scale import set_type
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.servers.requests.table import RequestTableView
from gglib_desktop.views.widgets.ask import ask, if_there
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox
from gglib_desktop.views.words.requests import audit_hint, audit_text, end_text, others_text, totals_text

_RESULTS = (None, RequestEnd.OK, RequestEnd.CANCELLED, RequestEnd.REFUSED, RequestEnd.FULL)


class RequestsPage(Page):
    """Reads the history while it is shown."""

    def __init__(self, requests: RequestsViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._requests = requests
        self._scope = self._combo("requestScope", self.tr("Whose requests are shown"))
        self._scope.addItems([self.tr("This server"), self.tr("This model")])
        self._result = self._combo("requestResult", self.tr("Which requests are shown"))
        self._result.addItems([self.tr("All") if end is None else end_text(end) for end in _RESULTS])
        self._count = QLabel(self)
        self._count.setObjectName("requestCount")
        self._audit = QLabel(self)
        self._audit.setObjectName("requestAudit")
        self._hint = WrapLabel(others_text(), self)
        self._hint.setObjectName("requestHint")
        self._hint.hide()
        self._table = RequestTableView(requests, self)
        self._totals = WrapLabel(parent=self)
        self._totals.setObjectName("requestTotals")
        set_type(self._totals, figures=True)
        self._copy = push_button("copyRequests", self.tr("Copy requests"), self, icon_name="copy")
        self._copy.setToolTip(self.tr("Copy the selected requests, or all that are shown"))
        self._export = push_button("exportRequests", self.tr("Export requests…"), self)
        self._clear = push_button("clearRequests", self.tr("Clear requests…"), self)
        self._assemble()
        self._connect()
        self._render(requests.state)

    @override
    def show_state(self, state: ServerPanelState) -> None:
        """The history says all that is shown here."""

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._requests.set_shown(True)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._requests.set_shown(False)

    def _combo(self, name: str, description: str) -> WheelSafeComboBox:
        box = WheelSafeComboBox(self)
        box.setObjectName(name)
        box.setAccessibleDescription(description)
        box.setToolTip(description)
        return box

    def _assemble(self) -> None:
        buttons = FlowRow((self._copy, self._export, self._clear), self)
        choices = QHBoxLayout()
        choices.addWidget(self._scope)
        choices.addWidget(self._result)
        choices.addWidget(self._count, 1)
        choices.addWidget(self._audit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addLayout(choices)
        layout.addWidget(self._hint)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._totals)
        layout.addWidget(buttons)

    def _connect(self) -> None:
        self._requests.stateChanged.connect(self._render)
        self._scope.currentIndexChanged.connect(self._on_scope)
        self._result.currentIndexChanged.connect(self._on_result)
        self._copy.clicked.connect(self._copy_requests)
        self._export.clicked.connect(self._on_export)
        self._clear.clicked.connect(self._on_clear)
        shortcut = QShortcut(QKeySequence.StandardKey.Copy, self._table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self._copy_requests)

    @Slot(object)
    def _render(self, state: RequestsState) -> None:
        text = self.tr("{shown} of {total} requests").format(shown=state.shown, total=state.total)
        self._count.setText(text)
        self._count.setAccessibleName(self.tr("Shown: {requests}").format(requests=text))
        self._hint.setVisible(state.has_others)
        is_known = state.totals is not None and (state.total or state.audit is not Verdict.NOT_TOLD)
        totals = totals_text(state.totals, state.refused, state.cancelled_n) if state.totals and is_known else ""
        if totals != self._totals.text():
            self._totals.setText(totals)
            self._totals.setAccessibleName(self.tr("Totals: {sums}").format(sums=totals))
        self._audit.setText(self.tr("Log check: {verdict}").format(verdict=audit_text(state.audit)))
        self._audit.setAccessibleName(self._audit.text())
        self._audit.setAccessibleDescription(audit_hint(state.audit))
        self._audit.setToolTip(audit_hint(state.audit))
        for button in (self._copy, self._export):
            button.setEnabled(state.shown > 0)
        self._clear.setEnabled(state.total > 0 or state.refused > 0)

    @Slot(int)
    def _on_scope(self, index: int) -> None:
        self._requests.choose_scope(of_model=index == 1)

    @Slot(int)
    def _on_result(self, index: int) -> None:
        self._requests.choose_result(_RESULTS[index])

    @Slot()
    def _copy_requests(self) -> None:
        QGuiApplication.clipboard().setText(self._table.text())

    @Slot()
    def _on_export(self) -> None:
        self._requests.run(if_there(self, self._ask_for_file()), "export requests")

    async def _ask_for_file(self) -> None:
        filters = {self.tr("CSV table (*.csv)"): RequestFormat.CSV, self.tr("JSON (*.json)"): RequestFormat.JSON}
        dialog = QFileDialog(self, self.tr("Export requests"), home_folder())
        dialog.setObjectName("exportRequestsDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(filters))
        dialog.selectFile("requests.csv")
        if await ask(dialog):
            path, kind = Path(dialog.selectedFiles()[0]), filters[dialog.selectedNameFilter()]
            if path.suffix.lower() in {".csv", ".json"}:
                kind = RequestFormat(path.suffix.lower().removeprefix("."))
            else:
                path = path.with_name(f"{path.name}.{kind.value}")
            self._requests.export(path, kind)

    @Slot()
    def _on_clear(self) -> None:
        self._requests.run(if_there(self, self._ask_to_clear()), "clear requests")

    async def _ask_to_clear(self) -> None:
        of_model = self._requests.state.of_model
        question = (
            self.tr("Forget all requests of this model?")
            if of_model
            else self.tr("Forget all requests of this server?")
        )
        box = QMessageBox(QMessageBox.Icon.Question, self.tr("Clear requests"), question, parent=self)
        box.setObjectName("clearRequestsDialog")
        box.setInformativeText(self.tr("They cannot be brought back. The log stays."))
        clear = box.addButton(self.tr("Clear requests"), QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(cancel)
        box.setEscapeButton(cancel)
        await ask(box)
        if box.clickedButton() is clear:
            self._requests.clear()
