"""Replays of measured and made-up engines: how near the chosen setting comes to the best one."""

import pytest

from gglib_desktop.domain.advisor.judging import judge
from gglib_desktop.domain.advisor.plan import Depth, Way
from gglib_desktop.domain.advisor.samples import Length
from tests.fakes.drafting_grids import ACCEPTED, ENGINES, TRUTH, Engine, Grid, chosen_speed, generated, measure

GRIDS: dict[str, Grid | Engine] = {
    **{name: Grid(table, ACCEPTED[name]) for name, table in TRUTH.items()},
    **generated(),
    **ENGINES,
}
DRAWS = 2


@pytest.mark.parametrize("name", GRIDS)
def test_on_a_quiet_computer_it_chooses_one_of_the_best(name):
    shares = []
    for seed in range(DRAWS):
        measured, plan, took_s = measure(GRIDS[name], 0.03, seed)
        assert plan.way is Way.RACE
        assert took_s <= plan.most_seconds + 5
        verdict = judge(measured)
        assert verdict.doubt is None
        shares.append(chosen_speed(GRIDS[name], verdict.setting))
    assert min(shares) >= 0.9
    assert max(shares) >= 0.94


def test_at_much_noise_it_is_nearly_always_one_of_the_best():
    shares = []
    for number, grid in enumerate(GRIDS.values()):
        measured, _plan, _took_s = measure(grid, 0.15, number)
        shares.append(chosen_speed(grid, judge(measured).setting))
    assert sum(each >= 0.95 for each in shares) >= 0.85 * len(shares)
    assert min(shares) >= 0.85


@pytest.mark.parametrize("name", ENGINES)
def test_for_a_model_that_loads_slowly_a_few_starts_are_enough(name):
    measured, plan, _took_s = measure(ENGINES[name], 0.03, 1, load_s=6.0)
    assert plan.way is Way.PREDICTION
    assert len({each.visit for setting in measured.settings for each in measured.of(setting)}) <= plan.starts
    assert chosen_speed(ENGINES[name], judge(measured).setting) >= 0.94


def test_a_setting_whose_engine_dies_is_lost_and_no_other():
    grid = GRIDS["noise 0"]
    measured, _plan, _took_s = measure(grid, 0.03, 1, dies=lambda setting: setting.n_max == 4)
    assert all(setting.n_max != 4 for setting in measured.settings)
    assert chosen_speed(grid, judge(measured).setting) >= 0.95


def test_what_was_measured_before_is_not_measured_again():
    grid = GRIDS["drafts well"]
    first, _plan, took_s = measure(grid, 0.03, 1)
    again, _plan, took_again_s = measure(grid, 0.03, 2, known=first)
    assert took_again_s < took_s / 2
    assert judge(again).setting.drafts


def test_thorough_asks_long_prompts_and_several_clients():
    grid = GRIDS["drafts well"]
    measured, plan, _took_s = measure(grid, 0.03, 1, depth=Depth.THOROUGH)
    assert plan.seconds == 240
    verdict = judge(measured)
    assert {(line.length, line.clients) for line in verdict.lines} == {
        (Length.SHORT, 1),
        (Length.LONG, 1),
        (Length.SHORT, 4),
    }
    assert verdict.same_text
