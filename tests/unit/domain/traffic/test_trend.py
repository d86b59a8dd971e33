"""A line of values rises, falls or is steady; with too few values that is not known."""

import pytest

from gglib_desktop.domain.traffic.trend import Trend, trend_of


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        ((), Trend.UNKNOWN),
        ((None, 5.0, None), Trend.UNKNOWN),
        ((1.0, 2.0, 3.0, 4.0), Trend.RISING),
        ((40.0,) * 6 + (10.0, 10.0), Trend.FALLING),
        ((40.0, 40.0, 40.0, 43.0), Trend.STEADY),
        ((0.0, 0.0, 0.0, 0.0), Trend.STEADY),
        ((1.0, None, 2.0, None, 3.0, None, 4.0, None), Trend.RISING),
    ],
)
def test_trend(values, trend):
    assert trend_of(values) is trend
