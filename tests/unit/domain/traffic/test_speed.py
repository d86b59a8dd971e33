"""Where tokens lie in time."""

import math

import pytest

from gglib_desktop.domain.traffic.speed import LONG_S, VALUES, TokensOverTime

NOW = 100_000.0


@pytest.fixture
def tokens() -> TokensOverTime:
    return TokensOverTime(NOW - 10)


def test_the_speed_is_that_of_the_last_two_seconds(tokens):
    for second in range(10):
        tokens.add(10 + second, NOW + second, NOW + second + 1)
    assert tokens.speed(NOW + 10) == pytest.approx((18 + 19) / 2)
    assert tokens.speed(NOW + 9.5) == pytest.approx((17 / 2 + 18 + 19 / 2) / 2)
    assert tokens.speed(NOW + 13) == 0


def test_at_the_beginning_it_is_that_since_the_first_token(tokens):
    assert tokens.speed(NOW) == 0
    tokens.add(10, NOW, NOW + 0.5)
    assert tokens.speed(NOW + 0.5) == pytest.approx(20)
    tokens.add(10, NOW + 0.5, NOW + 1)
    assert tokens.speed(NOW + 1) == pytest.approx(20)
    tokens.add(5, NOW + 10, NOW + 10.5)
    assert tokens.speed(NOW + 10.5) == pytest.approx(10), "after a pause it begins anew"


def test_a_moment_is_too_short_for_a_speed(tokens):
    tokens.add(1, NOW, NOW)
    assert tokens.speed(NOW) == pytest.approx(5)


def test_slots_add_up_in_whatever_order_they_are_told(tokens):
    tokens.add(10, NOW + 0.5, NOW + 1)
    tokens.add(20, NOW, NOW + 1)
    assert tokens.speed(NOW + 1) == pytest.approx(30)
    tokens.add(7, NOW - 9, NOW - 8)
    assert tokens.speed(NOW + 1) == pytest.approx(30), "what is told late of long ago changes nothing now"


def test_seconds_are_whole_ones_and_the_newest_is_last(tokens):
    tokens.add(30, NOW + 0.5, NOW + 2)
    seconds = tokens.seconds(NOW + 3.9)
    assert len(seconds) == VALUES
    assert seconds[-4:] == pytest.approx((0, 10, 20, 0))
    assert seconds[-14:-12] == (None, 0), "before the beginning nothing is known"


def test_half_minutes_make_an_hour(tokens):
    begin = math.ceil(NOW / LONG_S) * LONG_S
    tokens.add(600, begin, begin + 2 * LONG_S)
    hour = tokens.hour(begin + 2 * LONG_S + 10)
    assert len(hour) * LONG_S == 3600
    assert hour[-3:] == pytest.approx((10, 10, 0))
    assert hour[-5:-4] == (None,)
    tokens.add(50, begin + 2 * LONG_S, begin + 2 * LONG_S + 10)
    assert tokens.hour(begin + 2 * LONG_S + 10)[-1] == pytest.approx(5), "of the newest only what has passed counts"


def test_what_the_log_tells_of_earlier_is_known_too(tokens):
    tokens.add(300, NOW - 60, NOW - 30)
    assert tokens.seconds(NOW)[-60:-30] == pytest.approx([10] * 30)


def test_what_is_old_is_forgotten(tokens):
    tokens.add(10_000, NOW - 10_000, NOW)
    assert sum(speed or 0 for speed in tokens.seconds(NOW)) == pytest.approx(VALUES)
    assert sum(speed or 0 for speed in tokens.hour(NOW)[:-1]) == pytest.approx(VALUES - 1)
    assert not tokens.is_quiet(NOW + 1, within_s=2)
    assert tokens.is_quiet(NOW + 10_000, within_s=3600)
    assert set(tokens.hour(NOW + 10_000)) == {0}
    assert set(tokens.seconds(NOW + 10_000)) == {0}
