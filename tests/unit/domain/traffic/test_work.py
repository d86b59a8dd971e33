"""What is known of a server's work, from its log, its slots and its counters together."""

import pytest

from gglib_desktop.domain.traffic.figures import Counters, ServerFigures, SlotWork
from gglib_desktop.domain.traffic.requests import (
    Finished,
    GenerationProgress,
    Launched,
    PromptProgress,
    Refused,
    RequestEnd,
    RequestRow,
)
from gglib_desktop.domain.traffic.work import ServerWork

NOW = 1000.0
IDLE = [SlotWork(0), SlotWork(1)]


@pytest.fixture
def work() -> ServerWork:
    return ServerWork(NOW - 100, slots_n=2)


def finished(task=1, gen_n=100, slot=0, **more):
    row = RequestRow(NOW, RequestEnd.OK, task=task, slot=slot, gen_n=gen_n, gen_ms=gen_n * 10.0, **more)
    return Finished(NOW, row)


def generating(task=1, gen_n=0, slot=0, **more):
    return SlotWork(slot, task, is_busy=True, gen_n=gen_n, **more)


def total(work, at):
    return sum(speed or 0 for speed in work.figures(at).seconds)


def test_at_first_nothing_is_known(work):
    figures = work.figures(NOW)
    assert (figures.generation, figures.busy_slots, figures.waiting, figures.slots) == (None, None, None, ())
    assert work.busy_slots is None
    assert work.counters is None
    assert not work.is_full


def test_the_log_tells_of_a_request_from_its_start_to_its_end(work):
    work.take(Launched(NOW, 0, 1), NOW)
    assert work.has_lines
    assert (work.busy_slots, work.figures(NOW).slots) == (1, (generating(), SlotWork(1)))
    work.take(PromptProgress(NOW, 0, 1, 2048, 5900), NOW + 1)
    assert work.figures(NOW + 1).slots[0] == generating(read_n=2048, prompt_n=5900)
    work.take(GenerationProgress(NOW, 0, 1, 100), NOW + 3)
    assert work.figures(NOW + 3).generation == pytest.approx(50)
    work.take(finished(gen_n=150), NOW + 4)
    assert (work.busy_slots, work.figures(NOW + 4).generation) == (0, pytest.approx(50))
    assert total(work, NOW + 7) == pytest.approx(150)
    assert work.figures(NOW + 7).generation == 0


def test_slots_tell_more_often_and_both_make_one(work):
    work.take(Launched(NOW, 0, 1), NOW)
    work.take(PromptProgress(NOW, 0, 1, 2048, 5900), NOW)
    for quarter in range(1, 9):
        at = NOW + quarter / 4
        work.sampled([generating(gen_n=10 * quarter, read_n=5900), SlotWork(1)], at - 0.01, at)
    figures = work.figures(at)
    assert figures.generation == pytest.approx(40)
    assert figures.slots[0] == generating(gen_n=80, read_n=5900, prompt_n=5900)
    work.take(GenerationProgress(NOW, 0, 1, 75), at)
    work.take(PromptProgress(NOW, 0, 1, 5900, 5900), at)
    work.take(finished(gen_n=90), at + 0.5)
    assert total(work, NOW + 6) == pytest.approx(90), "the log comes a little late, and nothing is counted twice"


def test_an_answer_that_was_under_way_does_not_bring_a_request_back(work):
    work.take(Launched(NOW, 0, 1), NOW)
    work.sampled([generating(gen_n=50)], NOW + 1, NOW + 1)
    work.take(finished(gen_n=100), NOW + 2)
    work.sampled([generating(gen_n=90)], NOW + 1.9, NOW + 2.1)
    assert work.busy_slots == 0
    assert total(work, NOW + 5) == pytest.approx(100)


def test_one_that_was_under_way_does_not_end_a_request(work):
    work.take(Launched(NOW, 0, 1), NOW)
    work.sampled(IDLE, NOW - 0.1, NOW + 0.1)
    assert work.busy_slots == 1
    work.sampled(IDLE, NOW + 0.2, NOW + 0.3)
    assert work.busy_slots == 0, "the log may have lost its end"


def test_without_request_lines_slots_are_enough(work):
    work.sampled(IDLE, NOW, NOW)
    assert work.figures(NOW).generation == 0
    work.sampled([generating(gen_n=20), SlotWork(1)], NOW + 1, NOW + 1)
    work.sampled([generating(gen_n=40), generating(2, 10, slot=1)], NOW + 2, NOW + 2)
    assert work.figures(NOW + 2).generation == pytest.approx(25)
    assert not work.has_lines
    assert work.is_full


def test_tokens_that_were_counted_without_being_seen_were_generated_too(work):
    work.counted(Counters(0, 0.0, 100, 1.0), NOW)
    work.sampled([generating(gen_n=0), SlotWork(1)], NOW + 1, NOW + 1)
    work.sampled([generating(gen_n=40), SlotWork(1)], NOW + 2, NOW + 2)
    work.counted(Counters(0, 0.0, 130, 1.5), NOW + 2)
    work.sampled(IDLE, NOW + 3, NOW + 3)
    work.counted(Counters(0, 0.0, 200, 2.0), NOW + 3)
    assert total(work, NOW + 4) == pytest.approx(40 + 60)
    work.counted(Counters(0, 0.0, 220, 2.5), NOW + 20)
    assert work.figures(NOW + 20).generation == pytest.approx(40)
    work.take(Launched(NOW, 0, 7), NOW + 21)
    work.counted(Counters(0, 0.0, 900, 9.0), NOW + 30)
    assert total(work, NOW + 30) == pytest.approx(40 + 60 + 20), "the log tells of these"


def test_one_that_sleeps_does_nothing(work):
    work.sampled([], NOW, NOW)
    assert (work.figures(NOW).generation, work.figures(NOW).slots) == (0, (SlotWork(0), SlotWork(1)))
    work.sampled([generating(gen_n=20), SlotWork(1)], NOW + 1, NOW + 1)
    work.sampled([], NOW + 2, NOW + 2)
    assert work.busy_slots == 0
    work.take(Launched(NOW, 0, 7), NOW + 3)
    work.sampled([], NOW + 2.5, NOW + 3.5)
    assert work.busy_slots == 1, "it has just been woken"


def test_what_was_generated_before_one_looked_is_not_counted_now(work):
    work.sampled([generating(gen_n=5000)], NOW, NOW)
    assert work.figures(NOW).generation == 0
    work.sampled([generating(gen_n=5010)], NOW + 1, NOW + 1)
    assert work.figures(NOW + 1).generation == pytest.approx(10)


def test_where_tasks_have_no_number_fewer_tokens_are_a_new_one(work):
    for at, gen_n in enumerate([10, 30, 5]):
        work.sampled([generating(None, gen_n)], NOW + at, NOW + at)
    assert total(work, NOW + 5) == pytest.approx(20 + 5)


def test_a_slot_that_is_not_heard_of_does_not_hold_up_the_others(work):
    work.take(Launched(NOW, 1, 2), NOW)
    work.take(GenerationProgress(NOW, 1, 2, 100), NOW + 1)
    work.take(Launched(NOW, 0, 1), NOW + 10)
    work.take(GenerationProgress(NOW, 0, 1, 100), NOW + 12)
    assert work.figures(NOW + 12).generation > 0


def test_progress_of_a_request_whose_start_was_lost_shows_it(work):
    work.take(GenerationProgress(NOW, 0, 7, 300), NOW)
    assert work.figures(NOW).slots[0] == generating(7, 300)
    work.take(PromptProgress(NOW, 1, 8, 512), NOW)
    assert work.figures(NOW).slots[1] == generating(8, slot=1, read_n=512)


def test_refusals_are_heard_and_change_nothing(work):
    work.take(Refused(NOW), NOW)
    assert work.figures(NOW).slots == (SlotWork(0), SlotWork(1))
    assert work.busy_slots == 0


@pytest.mark.parametrize("end", [RequestEnd.NOT_RECORDED, RequestEnd.INTERVAL])
def test_what_is_no_request_counts_for_nothing(work, end):
    work.take(Finished(NOW, RequestRow(NOW, end, gen_n=100, gen_ms=1000, prompt_n=5, prompt_ms=5)), NOW)
    assert (total(work, NOW + 2), work.figures(NOW).prompt) == (0, None)


def test_a_request_of_no_slot_tells_its_times_alone(work):
    work.take(finished(slot=None, ttft_ms=30.0), NOW)
    assert (total(work, NOW + 2), work.figures(NOW).first_token_ms) == (0, 30)


def test_another_end_does_not_end_what_the_slot_does_now(work):
    work.take(Launched(NOW, 0, 2), NOW)
    work.take(finished(task=1), NOW)
    assert work.busy_slots == 1
    work.take(finished(task=9, slot=3), NOW)
    assert work.busy_slots == 1


def test_prompt_speed_and_first_token_are_those_of_the_last_requests(work):
    cached = (0, 0.0, 5.0)
    times = [(9000, 1.0, 9.0), (100, 100.0, 110.0), (None, None, None), cached, (300, 100.0, 300.0), (100, 50.0, 60.0)]
    for task, (prompt_n, prompt_ms, ttft_ms) in enumerate(times):
        work.take(finished(task, prompt_n=prompt_n, prompt_ms=prompt_ms, ttft_ms=ttft_ms), NOW)
    figures = work.figures(NOW)
    assert figures.prompt == pytest.approx(2000)
    assert figures.first_token_ms == pytest.approx(85)


def test_requests_wait_only_where_all_slots_are_busy(work):
    counters = Counters(0, 0, 0, 0, deferred=3)
    work.counted(counters, NOW)
    work.sampled([generating(), SlotWork(1)], NOW, NOW)
    assert (work.figures(NOW).waiting, work.counters) == (0, counters)
    work.sampled([generating(), generating(2, slot=1)], NOW, NOW)
    assert work.figures(NOW).waiting == 3
    assert work.figures(NOW + 60).waiting is None, "that was long ago"


def test_where_slots_do_not_tell_how_far_they_are_the_counters_do(work):
    at_work = SlotWork(0, is_busy=True, gen_n=None)
    work.sampled([at_work, SlotWork(1)], NOW, NOW)
    assert work.is_only_counted
    for second in range(5):
        work.counted(Counters(20, None, 40 * second, None), NOW + second)
        work.sampled([at_work, SlotWork(1)], NOW + second, NOW + second)
    figures = work.figures(NOW + 4.9)
    assert (figures.busy_slots, figures.slots[0]) == (1, at_work)
    assert figures.generation == pytest.approx(40)
    work.sampled(IDLE, NOW + 5, NOW + 5)
    assert not work.is_only_counted


def test_where_the_processor_rests_the_server_does(work):
    work.rested(NOW)
    assert work.figures(NOW) == ServerFigures(
        generation=0,
        waiting=0,
        busy_slots=0,
        slots=(SlotWork(0), SlotWork(1)),
        seconds=work.figures(NOW).seconds,
        hour=work.figures(NOW).hour,
    )
    work.sampled([generating(2)], NOW, NOW)
    work.rested(NOW + 1)
    assert work.busy_slots == 1, "its slots know better"
    work.rested(NOW + 9)
    assert work.busy_slots == 0
    work.take(Launched(NOW, 0, 3), NOW + 9)
    work.rested(NOW + 19)
    assert work.busy_slots == 1, "its log knows better"


def test_a_request_without_figures_ends_too(work):
    work.take(Launched(NOW, 0, 1), NOW)
    work.take(Finished(NOW, RequestRow(NOW, RequestEnd.CANCELLED, task=1, slot=0)), NOW)
    assert (work.busy_slots, total(work, NOW + 2)) == (0, 0)


@pytest.mark.parametrize(("times", "ended"), [({}, NOW), ({"ttft_ms": 500.0, "gen_ms": 1500.0}, NOW + 2)])
def test_a_request_ends_when_its_times_are_over(times, ended):
    assert RequestRow(NOW, RequestEnd.OK, **times).ended == ended


def test_what_is_in_doubt_is_not_known_unless_the_log_tells(work):
    work.sampled(IDLE, NOW, NOW)
    work.doubt()
    assert (work.busy_slots, work.figures(NOW).generation, work.figures(NOW).slots) == (None, None, ())
    work.take(Launched(NOW, 0, 1), NOW)
    work.doubt()
    assert work.busy_slots == 1


def test_of_earlier_requests_only_the_tokens_count(work):
    work.remember(finished(gen_n=300, ttft_ms=5.0).row, NOW - 10)
    work.remember(RequestRow(NOW, RequestEnd.CANCELLED), NOW - 10)
    assert (total(work, NOW), work.figures(NOW).first_token_ms, work.busy_slots) == (pytest.approx(300), None, None)


def test_many_tasks_take_no_more_memory(work):
    for task in range(500):
        work.take(Launched(NOW, 0, task), NOW)
    assert len(work._told) <= 200
    work.take(finished(task=1), NOW)
    assert not work.is_quiet(NOW, 1)
