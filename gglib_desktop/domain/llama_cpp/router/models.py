"""The list of a router's models, and the news about them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gglib_desktop.domain.servers.router.models import RoutedModel, RoutedState

MODELS_PATH, LOAD_PATH, UNLOAD_PATH, NEWS_PATH = "/models", "/models/load", "/models/unload", "/models/sse"
# It may report more states in times to come.
_STATES = {state.value: state for state in RoutedState}
_NOTHING_TO_DO = frozenset({"model is already running", "model is not running", "model is not loaded"})
_LONGEST_LINE = 2**20


def models_told(content: object) -> tuple[RoutedModel, ...] | None:
    """The models in an answer; None if it is no list of a router."""
    listed = content.get("data") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        return None
    found = (_model(each) for each in listed if isinstance(each, dict))
    return tuple(model for model in found if model is not None)


def _model(told: Mapping[str, Any]) -> RoutedModel | None:
    name, status = told.get("id"), told.get("status")
    if not isinstance(name, str) or not isinstance(status, dict):
        return None
    state = _STATES.get(str(status.get("value")), RoutedState.UNLOADED)
    if status.get("failed") is not True or state is not RoutedState.UNLOADED:
        return RoutedModel(name, state)
    code = status.get("exit_code")
    return RoutedModel(name, RoutedState.FAILED, exit_status=code if isinstance(code, int) else None)


def reason_told(content: object) -> str:
    """Why an order was refused; empty where the answer does not say."""
    error = content.get("error") if isinstance(content, dict) else None
    reason = error.get("message") if isinstance(error, dict) else None
    return reason if isinstance(reason, str) else ""


def is_idle_order(content: object) -> bool:
    """Whether an order was refused because there was nothing to do."""
    return reason_told(content) in _NOTHING_TO_DO


@dataclass(frozen=True)
class Progress:
    """How far the loading of a model is, from 0 to 1."""

    model: str
    share: float


class NewsReader:
    """Reads the stream of events. What it does not understand is news all the same: the list may tell more."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Progress | None]:
        """For each event its progress, or None: something else has changed."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        for line in lines:
            field, _colon, value = line.partition(b":")
            if field == b"data":
                yield _progress(value)


def _progress(text: bytes) -> Progress | None:
    try:
        event = json.loads(text)
        model, told = event["model"], event["data"]["progress"]
        stages, share = told["stages"], float(told["value"])
        # A picture encoder or a draft model is loaded after the model itself.
        done = (stages.index(told["current"]) + min(max(share, 0.0), 1.0)) / len(stages)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Progress(model, done) if isinstance(model, str) else None


def with_progress(models: Collection[RoutedModel], news: Progress) -> tuple[RoutedModel, ...]:
    """The models, of which one is loading and so far."""
    return tuple(
        replace(each, state=RoutedState.LOADING, progress=news.share, exit_status=None)
        if each.name == news.model
        else each
        for each in models
    )
