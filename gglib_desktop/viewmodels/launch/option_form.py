"""Launch options as a form: for one launch, for a model or for all models, or all of a server's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.launch.form import FormState, InvalidInput, changed, form_state
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.engine_options import engine_option
from gglib_desktop.domain.options.text import read_text, with_device
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.tasks import TaskScope


class OptionFormViewModel(QObject):
    """A draft that widgets edit, and the state of their form: see FormState.

    A text that cannot be a value is kept as typed until the user types or chooses something else.
    """

    draftChanged = Signal(object)  # LaunchOptions
    edited = Signal(object)  # frozenset[str]: what was chosen in the form, by name
    stateChanged = Signal(object)  # FormState
    devicesFound = Signal(object)  # Sequence[EngineDevice]

    def __init__(
        self,
        launcher: Launcher,
        layer: Source | None,
        model: Model | None = None,
        *,
        draft: LaunchOptions | None = None,
        model_options: LaunchOptions | None = None,
    ) -> None:
        """``layer`` None: all layers together. ``draft`` is the initial content; ``model_options`` are the model's, for
        the form of one launch.
        """
        super().__init__()
        self._launcher = launcher
        self._context = partial(launcher.form_context, layer, model_options=model_options or LaunchOptions())
        self.model = model
        self._draft = draft or LaunchOptions()
        self._unreadable: Mapping[str, InvalidInput] = {}
        self._finding: asyncio.Task[None] | None = None
        self._state = self._make_state()
        # The owner of a server's form then loads it again. All of them at once would take too long.
        self._unsubscribe = None if layer is None else launcher.engines.subscribe(self._on_engine)

    @property
    def draft(self) -> LaunchOptions:
        return self._draft

    @property
    def state(self) -> FormState:
        return self._state

    @property
    def serving(self) -> Serving:
        """What the options mean for memory; without a particular model, what any start means."""
        config = self._state.config
        return Serving() if config is None else self._launcher.engines.dialect.serving(config)

    def edit(self, **choices: Any) -> None:
        """Sets options by their bare names; None takes one back."""
        before = self._draft
        draft, unreadable = changed(before, choices)
        kept = {name: typed for name, typed in self._unreadable.items() if name not in choices}
        self._show(draft, kept | unreadable)
        if draft != before:
            self.edited.emit(frozenset(choices) - unreadable.keys())

    def type_text(self, name: str, text: str) -> None:
        """Takes the content of a text field."""
        try:
            value = read_text(engine_option(name), text)
        except ConfigurationError as exc:
            draft = self._draft.with_values(**{name: None})
            self._show(draft, {**self._unreadable, name: InvalidInput(text, exc.reason)})
        else:
            self.edit(**{name: value})

    def find_devices(self, scope: TaskScope) -> None:
        """Asks the engine in force for its devices besides the CPU; ``devicesFound`` reports them."""
        self._finding = scope.start(self._find_devices(), name="list devices")

    def use_device(self, name: str, used: bool) -> None:
        """Adds a device to the chosen ones in this layer, or removes it."""
        self.edit(device=with_device(self._draft.device, name, used=used))

    def load(self, options: LaunchOptions, model: Model | None = None) -> None:
        """Replaces the whole draft, and with ``model`` what is known about the model."""
        self.model = model or self.model
        self._show(options, {})

    def close(self) -> None:
        """Stops listening to what the engine can do."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._finding is not None:
            self._finding.cancel()

    async def _find_devices(self) -> None:
        self.devicesFound.emit(await self._launcher.engines.devices())

    def _on_engine(self, _news: None) -> None:
        self._show(self._draft, self._unreadable)

    def _show(self, draft: LaunchOptions, unreadable: Mapping[str, InvalidInput]) -> None:
        is_new = draft != self._draft
        self._draft, self._unreadable = draft, unreadable
        state = self._make_state()
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)
        if is_new:
            self.draftChanged.emit(draft)

    def _make_state(self) -> FormState:
        return form_state(self._draft, self._unreadable, self._context(model=self.model))
