"""Tool tips show what others wrote as it is written."""

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QLabel, QTableView, QToolTip, QWidget

from gglib_desktop.viewmodels.models.model_details import MetadataTable
from tests.ui.finding import child
from tests.ui.models.test_model_list_view import filled, table

pytestmark = pytest.mark.qt_log_ignore("plugin does not support raise", extend=True)
MARKED = "llama-server --stop <s> " + "and more " * 400


def tip_over(widget: QWidget, place: QPoint) -> str:
    event = QHelpEvent(QEvent.Type.ToolTip, place, widget.mapToGlobal(place))
    QCoreApplication.sendEvent(widget, event)
    return QToolTip.text()


def tip_of_first_row(view: QTableView) -> str:
    return tip_over(view.viewport(), view.visualRect(view.model().index(0, 0)).center())


async def test_a_text_that_is_cut_off(desk):
    await desk.add()
    desk.app.launch.start(desk.models.selected.id)
    line = child(await desk.panel_in("Tiny", "Healthy"), QLabel, "commandLine")
    line.setText(MARKED)
    tip = tip_over(line, QPoint(5, 5))
    assert tip.startswith("<p>llama-server --stop &lt;s&gt; and")
    assert len(tip) < 2100


async def test_a_row_of_the_list(desk):
    await filled(desk)
    (first, *_) = desk.library.models
    await desk.library.describe(first.id, (), "notes <b>of mine</b>")
    assert "&lt;b&gt;of mine" in tip_of_first_row(table(desk))


async def test_a_row_of_the_metadata(desk):
    await desk.add()
    dialog = await desk.dialog("details")
    rows = child(dialog, QTableView, "metadata")
    metadata = rows.model()
    assert isinstance(metadata, MetadataTable)
    metadata.fill({"tokenizer.chat_template": "<s>{{ messages }}"})
    assert "&lt;s&gt;{{ messages }}" in tip_over(rows.viewport(), rows.visualRect(metadata.index(0, 1)).center())
    dialog.reject()
