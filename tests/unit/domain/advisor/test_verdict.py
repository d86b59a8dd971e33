import itertools
from pathlib import Path

import pytest

from gglib_desktop.domain.advisor.advice import Changed, conditions_of
from gglib_desktop.domain.advisor.judging import is_wanting, judge
from gglib_desktop.domain.advisor.measurements import Measurements
from gglib_desktop.domain.advisor.plan import Depth, Way, make_plan
from gglib_desktop.domain.advisor.prediction import Prediction, predicted
from gglib_desktop.domain.advisor.progress import Progress
from gglib_desktop.domain.advisor.race import Race, _without_alike
from gglib_desktop.domain.advisor.samples import Sample, Task, TextKind, drafted_per_step, tokens_per_s, tokens_per_step
from gglib_desktop.domain.advisor.settings import HIGHEST_N_MAX, OFF, DraftSetting
from gglib_desktop.domain.advisor.verdict import Doubt, Gain, is_open
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import ServerConfig

TWO = DraftSetting(2, 0.5)
ENGINE = Engine(Path("/opt/engine"), "b1", EngineCapabilities(), EngineSource.ARGUMENT)


def sample(setting=OFF, seed=1, cost_s=1.0, *, visit=0, draft_n=0, accepted_n=0, kind=TextKind.CODE, text="a"):
    return Sample(setting, Task(kind, seed), 101, cost_s, 0.0, cost_s * 1e3, draft_n, accepted_n, text, visit)


def measured(off=(1.0, 1.0, 1.0, 1.0), on=(0.5, 0.5, 0.5, 0.5), visits=2):
    found = Measurements()
    for at, cost_s in enumerate(off):
        found.add(sample(seed=at, cost_s=cost_s, visit=at % visits))
    for at, cost_s in enumerate(on):
        found.add(sample(TWO, at, cost_s, visit=9, draft_n=80, accepted_n=50))
    return found


def test_drafting_that_is_faster_is_advised():
    verdict = judge(measured())
    assert verdict.is_on
    assert verdict.setting == TWO
    assert verdict.gain is not None
    assert verdict.gain.low <= verdict.gain.ratio <= verdict.gain.high
    assert verdict.gain.ratio == pytest.approx(2)
    assert verdict.off_ms == (10.0, 10.0, 10.0, 10.0)


def test_drafting_that_is_slower_is_not_and_its_gain_is_told():
    verdict = judge(measured(on=(1.2, 1.2, 1.2, 1.2)))
    assert not verdict.is_on
    assert verdict.doubt is None
    assert verdict.setting == OFF
    assert verdict.gain is not None
    assert verdict.gain.ratio == pytest.approx(1 / 1.2)


def test_a_gain_that_is_not_certain_is_none():
    assert judge(measured(on=(0.98, 0.98, 0.98, 0.98))).setting == OFF


def test_a_busy_computer_leads_to_no_number():
    verdict = judge(measured(off=(1.0, 1.3, 1.0, 1.3), on=(0.9, 0.9, 0.9, 0.9)))
    assert verdict.doubt is Doubt.BUSY
    assert verdict.gain is None
    assert not verdict.is_on


def test_what_would_be_so_in_any_case_is_told_on_a_busy_computer_too():
    assert judge(measured(off=(1.0, 1.3, 1.0, 1.3), on=(3.0, 3.0))).doubt is None
    assert judge(measured(off=(1.0, 1.3, 1.0, 1.3))).setting == TWO


@pytest.mark.parametrize("found", [measured(off=()), measured(on=())])
def test_too_little_is_no_verdict(found):
    assert judge(found).doubt is Doubt.TOO_LITTLE


def test_a_computer_is_busy_where_two_starts_differ_or_little_was_asked():
    assert is_wanting(measured())
    assert is_wanting(measured(off=(1.0,) * 6, visits=1))
    assert not is_wanting(measured(off=(1.0,) * 6))


def test_a_tie_goes_to_fewer_draft_tokens():
    found = measured()
    for at in range(4):
        found.add(sample(DraftSetting(4, 0.5), at, 0.495, visit=10, draft_n=90, accepted_n=55))
    assert judge(found).setting == TWO
    assert judge(found).runner_up == DraftSetting(4, 0.5)


def test_settings_that_draft_the_same_are_one():
    found = measured()
    strict = DraftSetting(3, 0.5)
    for at in range(4):
        found.add(sample(strict, at, 0.6, visit=10, draft_n=80, accepted_n=50))
    assert set(found.alike(strict)) == {TWO, strict}
    assert _without_alike([strict, TWO], found) == [strict]
    assert found.speed(strict) == found.speed(TWO)
    assert found.alike(OFF) == (OFF,)


def test_texts_that_differ_are_noticed():
    found = measured()
    assert found.texts_agree
    found.add(sample(TWO, 0, text="b"))
    assert not found.texts_agree
    assert not judge(found).same_text


def test_lines_tell_what_the_choice_costs_one_kind_of_text():
    found = Measurements()
    for at, kind in itertools.product(range(4), TextKind):
        seed = 2 * at + (kind is TextKind.PROSE)
        found.add(sample(seed=seed, kind=kind, visit=at % 2))
        slow = kind is TextKind.PROSE
        found.add(sample(TWO, seed, 1.3 if slow else 0.3, draft_n=80, accepted_n=0 if slow else 60, kind=kind, visit=5))
    lines = {line.kind: line for line in judge(found).lines}
    assert set(lines) == {TextKind.CODE, TextKind.PROSE, None}
    assert lines[TextKind.PROSE].best == OFF
    assert lines[TextKind.CODE].best == TWO


def test_of_nothing_nothing_is_known():
    empty = Measurements()
    assert empty.speed(TWO) is empty.cost(OFF) is None
    assert empty.gain(TWO) is None
    assert tokens_per_step([]) is None
    assert tokens_per_s([]) is None
    assert drafted_per_step([]) == 0
    assert tokens_per_s([sample(cost_s=2.0)]) == 50
    assert measured().cost(OFF, ()) is None
    plan = make_plan(Depth.QUICK, 0.1)
    assert Race(plan, empty).best() is None
    assert Race(plan, empty).best_cost() is None
    assert Race(plan, empty).goes_on(TWO)


def test_without_time_nothing_is_measured():
    for kind in (Race, Prediction):
        assert kind(make_plan(Depth.QUICK, 0.1), Measurements()).next(0, lambda _tasks: 1) is None


def test_one_answer_is_little():
    gain = measured(on=(0.5,)).gain(TWO)
    assert gain is not None
    assert gain.low < 1.5
    assert gain.high > 2


@pytest.mark.parametrize(
    ("low", "high", "spread", "expected"),
    [(0.9, 1.0, 1.0, False), (1.1, 1.2, 1.0, False), (1.0, 1.1, 1.0, True), (1.1, 1.2, 1.2, True)],
)
def test_whether_it_may_be_enough(low, high, spread, expected):
    assert is_open(Gain(1.0, low, high), spread) is expected


def test_neighbors():
    assert DraftSetting(1).fewer() is None
    assert DraftSetting(HIGHEST_N_MAX).more() is None
    assert DraftSetting(2).laxer() is None
    assert DraftSetting(2, 0.9).stricter() is None
    assert TWO.more() == DraftSetting(3, 0.5)
    assert TWO.fewer() == DraftSetting(1, 0.5)
    assert TWO.laxer() == DraftSetting(2)
    assert TWO.stricter() == DraftSetting(2, 0.75)


def test_the_plan_is_known_before():
    race, slow = make_plan(Depth.QUICK, 0.3), make_plan(Depth.QUICK, 60, short_of_bytes=5)
    assert (race.way, race.seconds, race.most_seconds, race.fits) == (Way.RACE, 60, 90, True)
    assert slow.way is Way.PREDICTION
    assert not slow.fits
    assert slow.seconds > 9 * 60
    assert Progress(race, elapsed_s=30).share == 0.5
    assert Progress(race, elapsed_s=45, extended=True).share == 0.5
    assert Progress(race, elapsed_s=99).share == 1


def test_a_prediction_takes_counters_where_it_has_them():
    found = measured()
    assert predicted(found, ()) is None
    for setting, cost_s in ((DraftSetting(2), 0.7), (DraftSetting(6), 0.9)):
        for at in range(2):
            found.add(sample(setting, at, cost_s, draft_n=120, accepted_n=50))
    assert predicted(found, (0.9, 0.1, 0.0, 0.0, 0.0, 0.0)) == DraftSetting(2)
    assert predicted(found, (0.9,) * 6) == DraftSetting(6)
    assert predicted(found, ()) is not None


def test_what_was_measured_under_other_conditions_does_not_count():
    model = Model(1, ENGINE.path, None, None, 0.0, "model", header_hash="1")
    config = ServerConfig(1, "model", ENGINE.path, 9000, threads=2)
    known = conditions_of(config, model, ENGINE)
    assert conditions_of(config, model, ENGINE).changed_since(known) is None
    assert conditions_of(config, model, None).changed_since(known) is None
    changes = {
        Changed.DEVICE: config.replace(gpu_layers=0),
        Changed.THREADS: config.replace(threads=1),
        Changed.CACHE_TYPE: config.replace(cache_type_k="q8_0"),
        Changed.CONTEXT: config.replace(context_size=8192),
        Changed.DRAFT: config.replace(spec_type="draft-mtp"),
    }
    for reason, other in changes.items():
        assert conditions_of(other, model, ENGINE).changed_since(known) is reason
    assert known.replace(engine="b2").changed_since(known) is Changed.ENGINE
    assert known.replace(file="2").changed_since(known) is Changed.FILE
