"""A model in the library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gglib_desktop.domain.gguf import ModelFacts


@dataclass(frozen=True)
class Model:
    """A GGUF file in the library. ``facts`` None: never read. ``problem``: why it cannot be used now."""

    id: int
    path: Path
    facts: ModelFacts | None
    problem: str | None
    added_at: float
    name: str = ""

    @property
    def own_name(self) -> str:
        """``general.name``, else the file's stem."""
        return (self.facts.name if self.facts else None) or self.path.stem

    @property
    def mtp_layers(self) -> int:
        return self.facts.mtp_layers if self.facts else 0


def with_unique_names(models: Iterable[Model]) -> tuple[Model, ...]:
    """The models with ``name`` set so that no two are equal: by quantisation, then file name, then number."""
    named = [replace(model, name=model.own_name) for model in models]
    for suffix in (_quantisation, lambda model: model.path.name):
        named = _tell_apart(named, suffix)
    # More than once only where some model's own name ends in another's number.
    while len({model.name for model in named}) < len(named):
        named = _tell_apart(named, lambda model: str(model.id))
    return tuple(named)


def _quantisation(model: Model) -> str:
    return (model.facts.quantisation if model.facts else None) or ""


def _tell_apart(models: list[Model], suffix: Callable[[Model], str]) -> list[Model]:
    count = Counter(model.name for model in models)
    return [
        replace(model, name=f"{model.name} {suffix(model)}") if count[model.name] > 1 and suffix(model) else model
        for model in models
    ]
