"""Launch options as a form, for one launch, for a model or for all models, or all of a server's; and their forecast."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from gglib_desktop.domain.errors import ConfigurationError, InvalidModelFile
from gglib_desktop.domain.gguf.forecast import (
    Fit,
    Forecast,
    Memory,
    Serving,
    forecast,
    judge,
    largest_context_that_fits,
    model_context,
)
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.launch.form import FormState, InvalidInput, changed, form_state
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.models.draft_files import DraftFile
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.drafting import usual_method
from gglib_desktop.domain.options.engine_options import engine_option
from gglib_desktop.domain.options.text import read_text, with_device
from gglib_desktop.domain.servers.server import OWN_PLACE, OWN_PLACES
from gglib_desktop.ports.machine.memory_probe import MemoryProbe
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.tasks import TaskScope

_PAUSE_MS = 100


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
        self._asking: _Asking | None = None
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
    def places(self) -> Mapping[str, str]:
        """The names of the places besides this computer that can serve the model, by their ids."""
        return self._context(model=self.model).places

    @property
    def worker_places(self) -> Mapping[str, str]:
        """The names of the places whose computers can take a part of the model, by their ids."""
        return self._context(model=self.model).worker_places

    @property
    def serving(self) -> Serving | None:
        """What the options mean for memory, if that is known; without a particular model, what any start means."""
        config, file = self._state.config, self._state.drafting.file
        if config is None:
            return Serving()
        found = self._launcher.engines.choice(config.engine).dialect.serving(config)
        drafts = file is not None and config.spec_draft_n_max
        return replace(found, draft_bytes=file.size_bytes or 0) if found and file and drafts else found

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
        self._asking = _Asking(scope)
        self._asking.start(self._find_devices(), "list devices")
        self._asking.start(self._find_draft_files(), "find draft files")
        self._look_for_engine()
        self._look_at_draft_file()

    def use_device(self, name: str, used: bool) -> None:
        """Adds a device to the chosen ones in this layer, or removes it."""
        self.edit(device=with_device(self._draft.device, name, used=used))

    def load(
        self, options: LaunchOptions, model: Model | None = None, *, in_force: LaunchOptions | None = None
    ) -> None:
        """Replaces the whole draft, and with ``model`` what is known about the model.

        ``in_force`` is what the form's server runs with.
        """
        self.model = model or self.model
        self._context = partial(self._context, in_force=in_force)
        self._show(options, {})

    def close(self) -> None:
        """Stops listening to what the engine can do."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._asking is not None:
            self._asking.cancel()

    def use_draft_file(self, file: DraftFile | None) -> None:
        """Drafts with this file, by its own method; None: with none."""
        method = file.methods[0] if file is not None else None
        named = method if file is not None and method != usual_method(with_file=True) else None
        self.edit(spec_draft_model=file.path if file is not None else None, spec_type=named)

    async def _find_draft_files(self) -> None:
        if self.model is not None and self.model.is_here:
            await self._launcher.draft_files.find(self.model)
            self._show(self._draft, self._unreadable)

    def _look_at_draft_file(self) -> None:
        """Once another one is chosen, the form needs to know what it is."""
        path, model = self._state.resolved.options.spec_draft_model, self.model
        if self._asking is None or path is None or model is None or not model.is_here:
            return
        if self._launcher.draft_files.known(model, path) is None:
            self._asking.start(self._read_draft_file(model, path), "read draft file")

    async def _read_draft_file(self, model: Model, path: Path) -> None:
        await self._launcher.draft_files.look_at(model, path)
        self._show(self._draft, self._unreadable)

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
            self._look_for_engine()
            self._look_at_draft_file()
        if is_new:
            self.draftChanged.emit(draft)

    def _look_for_engine(self) -> None:
        """Once another engine is chosen, the form needs to know what it can do."""
        engines, options = self._launcher.engines, self._state.resolved.options
        chosen, here = options.engine, self.model.place if self.model is not None else OWN_PLACE
        place = options.place or here
        if self._asking is not None and place not in OWN_PLACES:
            self._asking.start(engines.find_at(place, chosen), "ask place")
        elif self._asking is not None and chosen is not None and not engines.is_known(chosen):
            self._asking.start(engines.find_chosen(chosen), "find engine")

    def _make_state(self) -> FormState:
        return form_state(self._draft, self._unreadable, self._context(model=self.model))


class _Asking:
    """The questions of a form to engines, in a scope that is not its own."""

    def __init__(self, scope: TaskScope) -> None:
        self._scope = scope
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, question: Coroutine[Any, Any, None], name: str) -> None:
        """One with the same name goes before."""
        if name in self._tasks:
            self._tasks[name].cancel()
        self._tasks[name] = self._scope.start(question, name=name)

    def cancel(self) -> None:
        for task in self._tasks.values():
            task.cancel()


@dataclass(frozen=True)
class MemoryOutlook:
    """What is known about the memory for a start. ``loading``: the model's header is being read.

    ``is_foreign``: how much the chosen engine takes is not known.
    """

    loading: bool = True
    is_foreign: bool = False
    forecast: Forecast | None = None
    memory: Memory | None = None
    longest_context: int | None = None
    fitting_context: int | None = None

    @property
    def fit(self) -> Fit:
        return judge(self.forecast.needed if self.forecast else None, self.memory)


class OptionForecastViewModel(QObject):
    """Forecasts again whenever the form changes, shortly after the last change. ``read_header`` blocks."""

    stateChanged = Signal(object)  # MemoryOutlook

    def __init__(
        self,
        model: Model,
        form: OptionFormViewModel,
        read_header: Callable[[Path], GgufHeader],
        memory: MemoryProbe,
        scope: TaskScope,
    ) -> None:
        super().__init__()
        self._model, self._form, self._scope = model, form, scope
        self._read_header, self._memory = read_header, memory
        self._header: GgufHeader | None = None
        self._asked: Serving | None = None
        self._state = MemoryOutlook()
        self._is_closed = False
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._look)
        form.stateChanged.connect(self._on_form)
        self._task = scope.start(self._load(), name="read header")

    @property
    def state(self) -> MemoryOutlook:
        return self._state

    def close(self) -> None:
        """Stops forecasting."""
        self._is_closed = True
        self._pause.stop()
        self._task.cancel()

    async def _load(self) -> None:
        try:
            self._header = await asyncio.to_thread(self._read_header, self._model.path)
        except InvalidModelFile:
            self._set_state(MemoryOutlook(loading=False))
            return
        await self._forecast()

    def _on_form(self, _state: object) -> None:
        if not self._is_closed:
            self._pause.start()

    def _look(self) -> None:
        if self._header is None:
            return
        if not self._task.done():
            # The running forecast began with options that have changed.
            self._pause.start()
        elif self._form.serving != self._asked:
            self._task = self._scope.start(self._forecast(), name="forecast")

    async def _forecast(self) -> None:
        assert self._header is not None
        facts = self._model.facts
        # With a part missing, the size of the others says nothing.
        weights = facts.file_size_bytes if facts is not None and self._model.problem is None else None
        self._asked = self._form.serving
        if self._asked is None:
            self._set_state(MemoryOutlook(loading=False, is_foreign=True))
            return
        # In a thread: for a large vocabulary it takes longer than the event loop can wait.
        repackable = facts.repackable_bytes if facts is not None else 0
        outlook = await asyncio.to_thread(_outlook, self._header, weights, self._asked, self._memory.read(), repackable)
        self._set_state(outlook)

    def _set_state(self, state: MemoryOutlook) -> None:
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)


def _outlook(
    header: GgufHeader, weights_bytes: int | None, serving: Serving, memory: Memory | None, repackable_bytes: int
) -> MemoryOutlook:
    metadata = header.metadata
    return MemoryOutlook(
        loading=False,
        forecast=forecast(metadata, weights_bytes, serving, repackable_bytes),
        memory=memory,
        longest_context=model_context(metadata),
        fitting_context=largest_context_that_fits(metadata, weights_bytes, serving, memory),
    )
