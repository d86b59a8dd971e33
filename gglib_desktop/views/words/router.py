"""The texts about servers of several models, and about models on several computers."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.servers.router.models import RoutedModel, RoutedState
from gglib_desktop.domain.servers.split.workers import Worker, WorkerState
from gglib_desktop.views.words.figures import percent_text

translate = QCoreApplication.translate


def routed_state_text(model: RoutedModel) -> str:
    """What is known of one of its models."""
    if model.state is RoutedState.LOADING and model.progress is not None:
        return translate("Router", "Loading, {share}").format(share=percent_text(round(model.progress * 100)))
    if model.state is RoutedState.FAILED and model.exit_status is not None:
        return translate("Router", "Failed, exit code {code}").format(code=model.exit_status)
    return {
        RoutedState.UNLOADED: translate("Router", "Unloaded"),
        RoutedState.LOADING: translate("Router", "Loading"),
        RoutedState.LOADED: translate("Router", "Loaded"),
        RoutedState.FAILED: translate("Router", "Failed"),
    }[model.state]


def long_state_text() -> str:
    """As long as they get."""
    return routed_state_text(RoutedModel("", RoutedState.FAILED, exit_status=-11))


def worker_text(worker: Worker) -> str:
    """Where a worker is, and how."""
    state = {
        WorkerState.RUNNING: translate("Workers", "running"),
        WorkerState.PAUSED: translate("Workers", "paused"),
        WorkerState.UNREACHABLE: translate("Workers", "unreachable"),
        WorkerState.ENDED: translate("Workers", "ended"),
    }[worker.state]
    return f"{worker.place}, {state}"
