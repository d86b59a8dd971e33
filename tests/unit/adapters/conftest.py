"""What tests of adapters share."""

from collections.abc import Iterator

import pytest

from tests.fakes.opened_files import OpenedFiles


@pytest.fixture
def opened_files() -> Iterator[OpenedFiles]:
    files = OpenedFiles()
    yield files
    files.counts = False
