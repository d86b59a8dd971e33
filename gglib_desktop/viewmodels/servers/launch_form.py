"""The launch settings of one model as a form: port, context, speculative decoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.launch.options import LaunchOptions, MtpDecision


class LaunchFormViewModel(QObject):
    """A draft that widgets edit. The decision tells whether drafting would be on, and why."""

    draftChanged = Signal(object)  # LaunchOptions
    edited = Signal(object)  # dict: the choices that a person changed, by name
    decisionChanged = Signal(object)  # MtpDecision

    def __init__(self, decide: Callable[[LaunchOptions], MtpDecision], draft: LaunchOptions) -> None:
        super().__init__()
        self._decide = decide
        self._draft = draft
        self._decision = decide(draft)

    @property
    def draft(self) -> LaunchOptions:
        return self._draft

    @property
    def decision(self) -> MtpDecision:
        return self._decision

    def edit(self, **changes: Any) -> None:
        """Takes what a widget holds; widgets offer only values within the fields' ranges."""
        draft = self._draft.replace(**changes)
        if draft != self._draft:
            self.show(draft)
            self.edited.emit(changes)

    def show(self, draft: LaunchOptions) -> None:
        if draft != self._draft:
            self._draft = draft
            self.draftChanged.emit(draft)
        self.decide_again()

    def decide_again(self) -> None:
        """To be called when the engine or the model is another."""
        decision = self._decide(self._draft)
        if decision != self._decision:
            self._decision = decision
            self.decisionChanged.emit(decision)
