"""The settings of drafting that are compared with each other."""

from __future__ import annotations

from dataclasses import dataclass

from gglib_desktop.domain.values import Value

HIGHEST_N_MAX = 8
"""More draft tokens than this never paid in any measurement."""
_MANY = 3
PROBABILITIES = (0.0, 0.5, 0.75, 0.9)
"""The minimum probabilities that are tried."""


@dataclass(frozen=True, order=True)
class DraftSetting(Value):
    """So many draft tokens at most, each at least so probable. Smaller is simpler."""

    n_max: int
    p_min: float = 0.0

    @property
    def drafts(self) -> bool:
        return self.n_max > 0

    def fewer(self) -> DraftSetting | None:
        """One draft token less."""
        return DraftSetting(self.n_max - 1, self.p_min) if self.n_max > 1 else None

    def more(self) -> DraftSetting | None:
        """One draft token more, or two where one makes little difference."""
        more = min(self.n_max + (1 if self.n_max < _MANY else 2), HIGHEST_N_MAX)
        return DraftSetting(more, self.p_min) if more > self.n_max else None

    def stricter(self) -> DraftSetting | None:
        """With the next higher minimum probability."""
        higher = [each for each in PROBABILITIES if each > self.p_min]
        return DraftSetting(self.n_max, higher[0]) if higher else None

    def laxer(self) -> DraftSetting | None:
        """With the next lower minimum probability."""
        lower = [each for each in PROBABILITIES if each < self.p_min]
        return DraftSetting(self.n_max, lower[-1]) if lower else None


OFF = DraftSetting(0)
"""Without drafting."""
