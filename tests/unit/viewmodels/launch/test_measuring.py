"""The dialog that measures drafting, without its widgets."""

import pytest

from gglib_desktop.domain.advisor.plan import Depth
from gglib_desktop.domain.advisor.progress import ArmState, Progress
from gglib_desktop.domain.advisor.settings import OFF
from gglib_desktop.domain.advisor.verdict import Doubt, Verdict
from gglib_desktop.domain.errors import ConfigurationError, StartFailed
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.viewmodels.launch.measuring import MeasuringViewModel, Stage
from tests.fakes.measuring import ARMS, BEST, ON, FakeAdvisor, FakeRoom, Taken, advice, measuring
from tests.fakes.waiting import poll

ON_CHOICES = {"mtp": MtpChoice.ON, "spec_draft_n_max": 3, "spec_draft_p_min": 0.5}


@pytest.fixture
def advisor() -> FakeAdvisor:
    return FakeAdvisor()


@pytest.fixture
async def room() -> FakeRoom:
    return FakeRoom()


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
async def dialog(advisor, room, taken, scope) -> MeasuringViewModel:
    return measuring(advisor, room, taken, scope)


def depth_planned(dialog: MeasuringViewModel) -> Depth | None:
    return dialog.state.plan.depth if dialog.state.plan is not None else None


async def begun(dialog: MeasuringViewModel, advisor: FakeAdvisor):
    await poll(lambda: dialog.state.plan is not None)
    dialog.start.trigger()
    return await poll(lambda: advisor.begun and advisor.begun[-1])


async def test_the_plan_is_there_before_anything_starts(advisor, room, taken, scope):
    dialog = measuring(advisor, room, taken, scope)
    assert (dialog.state.stage, dialog.state.can_start) == (Stage.PLANNING, False)
    await poll(lambda: dialog.state.stage is Stage.READY)
    assert depth_planned(dialog) is Depth.QUICK
    assert dialog.state.can_start
    dialog.choose(Depth.THOROUGH)
    await poll(lambda: depth_planned(dialog) is Depth.THOROUGH)
    assert advisor.begun == []


async def test_a_depth_chosen_while_another_is_planned_is_planned_too(advisor, room, taken, scope):
    dialog = measuring(advisor, room, taken, scope)
    dialog.choose(Depth.THOROUGH)
    await poll(lambda: dialog.state.plan is not None)
    assert depth_planned(dialog) is Depth.THOROUGH


async def test_a_model_that_cannot_be_measured_says_why(advisor, room, taken, scope):
    advisor.problem = ConfigurationError("model_path", "/m/x.gguf", "this model has no MTP layers to draft with")
    told: list[object] = []
    dialog = measuring(advisor, room, taken, scope)
    dialog.failed.connect(told.append)
    await poll(lambda: told)
    assert told == [advisor.problem]
    assert (dialog.state.stage, dialog.state.can_start) == (Stage.REFUSED, False)


async def test_the_settings_that_come_out_can_be_used_and_kept(dialog, advisor, taken):
    going = await begun(dialog, advisor)
    assert dialog.state.stage is Stage.MEASURING
    assert not dialog.state.can_start
    dialog.choose(Depth.THOROUGH)
    assert dialog.state.depth is Depth.QUICK, "not while it goes on"
    going.show(Progress(going.plan, ARMS[:2], 12.0, OFF))
    assert dialog.state.progress == going.progress
    going.outcome.set_result(advice(ON))
    await poll(lambda: dialog.state.stage is Stage.DONE)
    assert dialog.state.choices == ON_CHOICES
    dialog.use.trigger()
    await poll(lambda: dialog.state.is_used)
    assert taken.used == [ON_CHOICES]
    await dialog.keep("Fast", True)
    assert taken.kept == [("Fast", LaunchOptions().with_values(**ON_CHOICES), True)]


@pytest.mark.parametrize(
    ("verdict", "choices"),
    [
        (Verdict(OFF), {"mtp": MtpChoice.OFF}),
        (Verdict(doubt=Doubt.BUSY), {}),
        (Verdict(BEST, doubt=Doubt.TOO_LITTLE), {}),
    ],
)
async def test_off_is_a_setting_too_and_a_doubt_is_none(dialog, advisor, verdict, choices):
    (await begun(dialog, advisor)).outcome.set_result(advice(verdict))
    await poll(lambda: dialog.state.stage is Stage.DONE)
    assert dialog.state.choices == choices


async def test_canceling_keeps_what_was_measured(dialog, advisor):
    going = await begun(dialog, advisor)
    going.show(Progress(going.plan, ARMS, 30.0))
    dialog.cancel()
    assert dialog.state.stage is Stage.ENDING
    await poll(lambda: dialog.state.stage is Stage.CANCELED)
    assert going.is_canceled
    assert [arm.state for arm in dialog.state.progress.arms if arm.state is ArmState.MEASURED]
    dialog.start.trigger()
    await poll(lambda: len(advisor.begun) == 2)


async def test_closing_ends_the_measurement(dialog, advisor):
    going = await begun(dialog, advisor)
    dialog.close()
    await poll(lambda: not dialog.start.is_busy)
    assert going.is_canceled


async def test_the_program_ends_in_the_middle(dialog, advisor, scope):
    going = await begun(dialog, advisor)
    await scope.aclose()
    assert going.is_canceled


async def test_a_failure_is_told_and_it_can_be_tried_again(dialog, advisor):
    told: list[object] = []
    dialog.failed.connect(told.append)
    failure = StartFailed("it died", exit_status=1)
    (await begun(dialog, advisor)).outcome.set_exception(failure)
    await poll(lambda: told)
    assert told == [failure]
    await poll(lambda: dialog.state.can_start)


async def test_servers_are_stopped_for_the_time_where_memory_is_short(advisor, room, taken, scope):
    advisor.short_of_bytes = 2**30
    dialog = measuring(advisor, room, taken, scope)
    await poll(lambda: dialog.state.stage is Stage.READY)
    assert (dialog.state.in_the_way, dialog.state.can_start) == (("Tiny", "Phi 4 Mini"), False)
    dialog.stop_servers(True)
    assert dialog.state.can_start
    going = await begun(dialog, advisor)
    assert room.story == ["stopped"]
    going.outcome.set_result(advice(ON))
    await poll(lambda: dialog.state.stage is Stage.DONE)
    await poll(lambda: room.story == ["stopped", "started again"])


async def test_canceling_while_servers_stop_starts_them_again(advisor, room, taken, scope):
    advisor.short_of_bytes = 2**30
    room.gate.clear()
    dialog = measuring(advisor, room, taken, scope)
    await poll(lambda: dialog.state.stage is Stage.READY)
    dialog.stop_servers(True)
    dialog.start.trigger()
    await poll(lambda: room.story)
    dialog.close()
    room.gate.set()
    await poll(lambda: room.story == ["stopped", "started again"])
    assert (advisor.begun, dialog.state.stage) == ([], Stage.CANCELED)
