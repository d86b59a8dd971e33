"""A short walk of the fuzz target; the long ones are for people: ``python -m tests.fuzz_gguf``."""

import math
import random

import pytest

from tests.fuzz_gguf import Fuzzer


@pytest.mark.no_cover  # what happened to be tried is no proof
def test_damaged_headers_are_read_or_refused(tmp_path):
    fuzzer = Fuzzer(random.Random(1), tmp_path, most_s=math.inf)
    fuzzer.run(500)
    assert fuzzer.failures == []
    assert fuzzer.outcomes["read"] > 10
    assert fuzzer.outcomes["refused"] > 100
