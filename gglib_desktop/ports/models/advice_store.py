"""The port to what was measured of drafting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gglib_desktop.domain.advisor.advice import Advice, Conditions
from gglib_desktop.domain.advisor.samples import Sample


class AdviceStore(Protocol):
    """Keeps measurements over the end of the program. Methods raise LibraryError when its file cannot be used."""

    async def all(self) -> Sequence[Advice]:
        """The newest of each model under each conditions, the newest first."""

    async def keep(self, advice: Advice) -> None:
        """In place of an earlier one under the same conditions."""

    async def forget(self, conditions: Conditions) -> None: ...

    async def add_sample(self, conditions: Conditions, sample: Sample) -> None:
        """Keeps one answer of a measurement that goes on."""

    async def samples(self, conditions: Conditions, *, since: float) -> Sequence[Sample]:
        """Those of a measurement that did not come to its end, measured after the unix time ``since``."""

    async def clear_samples(self, conditions: Conditions) -> None: ...
