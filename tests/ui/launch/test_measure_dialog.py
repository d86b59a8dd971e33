"""The dialog that measures drafting."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QProgressBar, QPushButton, QRadioButton, QTableView, QWidget
from shiboken6 import delete

from gglib_desktop.domain.advisor.progress import ArmState, Progress
from gglib_desktop.domain.advisor.settings import OFF
from gglib_desktop.domain.advisor.verdict import Doubt, Gain, Verdict
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.viewmodels.launch.measuring import Stage
from gglib_desktop.views.launch.measuring.dialog import MeasureDialog
from tests.fakes.measuring import ARMS, BEST, ON, FakeAdvisor, FakeRoom, Taken, advice, measuring
from tests.fakes.waiting import poll
from tests.ui.finding import child


class Bench:
    """The dialog over a measurement that the test carries out."""

    def __init__(self, scope) -> None:
        self.advisor, self.room, self.taken = FakeAdvisor(), FakeRoom(), Taken()
        self._scope = scope

    def open(self) -> MeasureDialog:
        self.measuring = measuring(self.advisor, self.room, self.taken, self._scope)
        self.dialog = MeasureDialog(self.measuring)
        self.dialog.show()
        return self.dialog

    async def begin(self):
        await poll(lambda: self.button("startMeasuring").isEnabled())
        self.button("startMeasuring").click()
        return await poll(lambda: self.advisor.begun and self.advisor.begun[-1])

    async def finish(self, verdict: Verdict) -> None:
        going = await self.begin()
        going.show(Progress(going.plan, ARMS, 58.0))
        going.outcome.set_result(advice(verdict))
        await poll(lambda: self.measuring.state.stage is Stage.DONE)

    def button(self, name: str) -> QPushButton:
        return child(self.dialog, QPushButton, name)

    def text(self, name: str) -> str:
        label = child(self.dialog, QLabel, name)
        assert label.accessibleName() == label.text()
        return label.text() if label.isVisibleTo(self.dialog) else ""

    def rows(self) -> list[list[str]]:
        model = child(self.dialog, QTableView, "adviceArms").model()
        places = range(model.columnCount())
        return [[str(model.index(row, at).data() or "") for at in places] for row in range(model.rowCount())]


@pytest.fixture
async def bench(qapp, scope):
    bench = Bench(scope)
    yield bench
    delete(bench.dialog)


async def test_the_plan_and_its_settings_are_shown_before_it_starts(bench):
    dialog = bench.open()
    assert dialog.windowTitle() == "Measure drafting: Tiny"
    await poll(lambda: bench.button("startMeasuring").isEnabled())
    assert bench.text("advicePlan") == "Plan: 60 s, or up to 90 s on a busy computer; at most 16 starts"
    assert bench.rows()[0] == ["off", "not known", "not known", "", "0", "waiting"]
    assert not child(dialog, QProgressBar, "adviceProgress").isVisible()
    assert not any(bench.button(name).isEnabled() for name in ("cancelMeasuring", "useAdvice", "keepAdvice"))
    assert [child(dialog, QRadioButton, name).accessibleName() for name in ("measureQuick", "measureThorough")] == [
        "Quick",
        "Thorough",
    ]
    child(dialog, QRadioButton, "measureThorough").setChecked(True)
    await poll(lambda: "4 min" in bench.text("advicePlan"))


async def test_each_setting_is_shown_while_it_is_measured(bench):
    dialog = bench.open()
    going = await bench.begin()
    assert child(dialog, QProgressBar, "adviceProgress").accessibleName() == "Measuring"
    current = replace(ARMS[2], state=ArmState.MEASURING)
    going.show(Progress(going.plan, (*ARMS[:2], current), 15.0, current.setting))
    assert child(dialog, QProgressBar, "adviceProgress").value() == 250
    assert bench.text("adviceStatus") == "Measuring: 3 tokens, p ≥ 0.5"
    assert bench.rows()[:3] == [
        ["off", "1.00 ×", "42.0 tok/s", "", "8", "measured"],
        ["2 tokens, p ≥ 0.75", "1.12 ×", "47.1 tok/s", "97 %", "8", "measured"],
        ["3 tokens, p ≥ 0.5", "1.24 ×", "52.1 tok/s", "81 %", "8", "measuring"],
    ]
    table = child(dialog, QTableView, "adviceArms")
    assert table.accessibleName() == "Measured settings"
    spoken = table.model().index(1, 1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Speed against off: 1.12 ×"
    going.show(Progress(going.plan, ARMS, 20.0, ARMS[3].setting, extended=True))
    assert bench.text("adviceStatus") == "Measuring: 1 token, p ≥ 0. The computer is busy, so it takes longer."
    bench.button("cancelMeasuring").click()
    await poll(lambda: bench.measuring.state.stage is Stage.CANCELED)
    assert bench.text("adviceStatus").startswith("Canceled. What was measured is kept")
    assert len(bench.rows()) == len(ARMS)
    assert bench.button("startMeasuring").isEnabled()


@pytest.mark.parametrize(
    ("verdict", "words", "gain"),
    [
        (ON, "Verdict: 3 draft tokens, minimum probability 0.5", "Gain: +24 % (+18 to +30 %)"),
        (Verdict(OFF, Gain(0.88, 0.8, 0.95), runner_up=BEST), "Verdict: off", "Gain: -12 % (-20 to -5 %)"),
        (Verdict(doubt=Doubt.BUSY), "Verdict: uncertain", "Gain: not known"),
    ],
)
async def test_the_verdict_is_said_with_its_gain(bench, verdict, words, gain):
    bench.open()
    await bench.finish(verdict)
    assert bench.text("adviceVerdict") == words
    assert bench.text("adviceGain") == gain
    assert bench.button("useAdvice").isEnabled() == (verdict.doubt is None)
    assert bench.button("keepAdvice").isEnabled() == (verdict.doubt is None)


async def test_what_else_came_out_is_said(bench):
    bench.open()
    await bench.finish(replace(ON, same_text=False))
    assert bench.text("adviceDetails").splitlines() == [
        "Code: +31 % (+20 to +40 %)",
        "Prose, long prompts, 4 clients: -8 % (-10 to -5 %); best alone: off",
        "First token: 0.21 s, without drafting 0.16 s",
        "The answers differed between settings, so times were compared per token.",
    ]


async def test_the_settings_are_used_and_kept(bench):
    dialog = bench.open()
    await bench.finish(ON)
    choices = {"mtp": MtpChoice.ON, "spec_draft_n_max": 3, "spec_draft_p_min": 0.5}
    bench.button("useAdvice").click()
    await poll(lambda: bench.taken.used)
    assert bench.taken.used == [choices]
    await poll(lambda: bench.text("adviceUsed"))
    assert not bench.button("useAdvice").isEnabled()
    bench.button("keepAdvice").click()
    asked = await poll(lambda: dialog.findChild(QWidget, "presetNameDialog"))
    child(asked, QLineEdit, "presetName").setText("Fast")
    child(asked, QPushButton, "presetNameSave").click()
    await poll(lambda: bench.taken.kept)
    assert bench.taken.kept == [("Fast", LaunchOptions().with_values(**choices), False)]


async def test_short_memory_is_said_and_servers_can_be_stopped(bench):
    bench.advisor.short_of_bytes = 3 * 2**30
    dialog = bench.open()
    await poll(lambda: bench.text("adviceShortage"))
    assert bench.text("adviceShortage") == "A second copy of the model does not fit: 3.0 GiB of memory are missing."
    assert not bench.button("startMeasuring").isEnabled()
    stop = child(dialog, QCheckBox, "adviceStopServers")
    assert stop.accessibleName() == "Stop Tiny, Phi 4 Mini for the time, and start again afterwards"
    stop.setChecked(True)
    going = await bench.begin()
    going.outcome.set_result(advice(ON))
    await poll(lambda: bench.room.story == ["stopped", "started again"])


async def test_closing_the_dialog_ends_the_measurement(bench):
    bench.open()
    going = await bench.begin()
    bench.button("closeMeasuring").click()
    assert going.is_canceled
