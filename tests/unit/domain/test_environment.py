"""The program's own environment variables."""

import pytest

from gglib_desktop.domain.environment import mtp_is_suppressed


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "yes", " on "])
def test_what_suppresses_mtp(text):
    assert mtp_is_suppressed({"GGLIB_DISABLE_MTP": text})


@pytest.mark.parametrize("environment", [{}, {"GGLIB_DISABLE_MTP": ""}, {"GGLIB_DISABLE_MTP": "0"}, {"X": "1"}])
def test_what_does_not(environment):
    assert not mtp_is_suppressed(environment)
