"""How long the answers of a measurement are to be, and how long the next ones will take."""

from __future__ import annotations

from collections.abc import Sequence

from gglib_desktop.domain.advisor.plan import REQUEST_S
from gglib_desktop.domain.advisor.samples import Length, Task
from gglib_desktop.domain.traffic.completion import Completion

WARM_UP_TOKENS = 8
TRIAL_TOKENS = 32
# Of fewer tokens the share that is accepted is no statistics; more do not fit into the context with a long prompt.
_LEAST_TOKENS, _MOST_TOKENS = 48, 1200
_CLIENT_TOKENS = 512
_LONG_TOKENS, _LEAST_LONG_TOKENS = 1500, 300
_LONG_PROMPT_S = 5.0
_CLIENTS_SLOWER, _DRAFTING_SLOWER = 3.0, 1.4


class Pace:
    """Learns from each answer. ``tokens`` is how many one answer has; 0 until the first one was seen."""

    def __init__(self, load_s: float, tokens: int = 0) -> None:
        self.load_s = load_s
        self.tokens = tokens
        self.long_characters = 0
        self._long_s = _LONG_PROMPT_S
        self._taken: dict[tuple[Length, int], float] = {}

    def learn(self, prompt: str, trial: Completion) -> None:
        """From the first answer of the first server."""
        token_s = trial.gen_ms / 1e3 / max(trial.tokens - 1, 1)
        if not self.tokens:
            wanted = REQUEST_S / token_s if token_s > 0 else _MOST_TOKENS
            self.tokens = int(min(max(wanted, _LEAST_TOKENS), _MOST_TOKENS))
        prompt_token_s = trial.prompt_ms / 1e3 / max(trial.prompt_n, 1)
        wanted = _LONG_PROMPT_S / prompt_token_s if prompt_token_s > 0 else _LONG_TOKENS
        long = min(max(wanted, _LEAST_LONG_TOKENS), _LONG_TOKENS)
        self.long_characters = int(long * len(prompt) / max(trial.prompt_n, 1))
        self._long_s = long * prompt_token_s * _DRAFTING_SLOWER

    def tokens_for(self, task: Task) -> int:
        """For each client."""
        return self.tokens if task.clients == 1 else min(self.tokens, _CLIENT_TOKENS)

    def took(self, task: Task, seconds: float) -> None:
        kind = (task.length, task.clients)
        self._taken[kind] = seconds if kind not in self._taken else (self._taken[kind] + seconds) / 2

    def visit_s(self, tasks: Sequence[Task]) -> float:
        """What a start with these questions will take, on the clock."""
        return self.load_s + sum(map(self._request_s, tasks))

    def _request_s(self, task: Task) -> float:
        known = self._taken.get((task.length, task.clients))
        if known is not None:
            return known
        short_s = self._taken.get((Length.SHORT, 1), REQUEST_S)
        return short_s * (_CLIENTS_SLOWER if task.clients > 1 else 1) + (
            self._long_s if task.length is Length.LONG else 0.0
        )
