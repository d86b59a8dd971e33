"""Where tests ran, and why not elsewhere."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

# Those that must not be skipped, by their names with commas between.
_REQUIRED = "GGLIB_REQUIRE"


def skip_place(name: str, why: str) -> NoReturn:
    """``why`` is the tool's own refusal. A required place that refuses is a failure."""
    if name in os.environ.get(_REQUIRED, "").split(","):
        pytest.fail(f"{name} does not run here: {why}")
    pytest.skip(f"{name} does not run here: {why}")
