"""A label whose text changes each second costs its neighbours nothing."""

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.views.widgets.labels.fixed_width import FixedWidthLabel


class Row(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.arranged = 0
        self.label = FixedWidthLabel("up 59 min", self)
        QHBoxLayout(self).addWidget(self.label)

    def event(self, event: QEvent) -> bool:
        self.arranged += event.type() == QEvent.Type.LayoutRequest
        return super().event(event)


@pytest.fixture
def row(qtbot):
    row = Row()
    qtbot.addWidget(row)
    row.show()
    row.label.setText("up 3 s")
    QApplication.sendPostedEvents()
    row.arranged = 0
    return row


def test_usual_texts_arrange_nothing_anew(row):
    for text in ("up 4 s", "up 59 s", "up 1 min", ""):
        row.label.setText(text)
        QApplication.sendPostedEvents()
        assert row.label.text() == text
    assert row.arranged == 0


def test_only_a_longer_text_needs_a_tool_tip(row):
    told = []

    class Watch(QObject):
        @override
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            told.append(event.type())
            return False

    watch = Watch()
    row.label.installEventFilter(watch)
    for second in range(60):
        row.label.setText(f"up {second} s")
    assert QEvent.Type.ToolTipChange not in told
    row.label.setText("for 12 s of about 20 s")
    assert row.label.toolTip() == "for 12 s of about 20 s"
    row.label.setText("up 3 s")
    assert row.label.toolTip() == ""


def test_a_longer_text_takes_more_room_and_gives_it_back(row):
    usual = row.label.sizeHint().width(), row.label.maximumWidth()
    row.label.setText("for 12 s of about 20 s")
    QApplication.sendPostedEvents()
    assert row.arranged > 0
    assert row.label.maximumWidth() > row.label.sizeHint().width() > usual[1]
    row.label.setText("up 3 s")
    assert (row.label.sizeHint().width(), row.label.maximumWidth()) == usual


def test_room_follows_the_font(row):
    before = row.label.minimumWidth()
    font = row.label.font()
    font.setPointSizeF(font.pointSizeF() * 2)
    row.label.setFont(font)
    assert row.label.minimumWidth() > before * 1.5
    assert row.label.minimumHeight() >= row.label.fontMetrics().height()
