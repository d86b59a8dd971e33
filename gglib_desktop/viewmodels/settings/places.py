"""The places of the settings, and the form of a new one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from PySide6.QtCore import Signal

from gglib_desktop.domain.documents.places import KindName, ListedPlace, PlaceDraft, PlaceField, StepResult, TestStep
from gglib_desktop.services.settings.places import PlacesKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import AsyncCommand, ViewModel

BeginTest: TypeAlias = Callable[[], AsyncGenerator[TestStep, None]]


@dataclass(frozen=True)
class TestState:
    """The steps of a test so far. ``running``: more will follow."""

    __test__ = False  # no class of tests

    steps: tuple[TestStep, ...] = ()
    running: bool = False

    @property
    def failed(self) -> TestStep | None:
        """The step that failed."""
        return next((each for each in self.steps if each.result is StepResult.FAILED), None)


class PlaceTester(ViewModel):
    """Runs one test at a time; a new one replaces the last."""

    stateChanged = Signal(object)  # TestState

    def __init__(self, scope: TaskScope) -> None:
        super().__init__(scope)
        self.state = TestState()
        self._running: AsyncCommand | None = None

    def test(self, begin: BeginTest) -> None:
        """``failed`` tells what ``begin`` raises."""
        self.forget()
        self._running = self.command(lambda: self._test(begin), "test place")
        self._running.trigger()

    def forget(self) -> None:
        """Ends the test, and shows none."""
        if self._running is not None:
            self._running.cancel()
            self._running = None
        self._show(TestState())

    async def _test(self, begin: BeginTest) -> None:
        steps: tuple[TestStep, ...] = ()
        async with aclosing(begin()) as found:
            self._show(TestState(running=True))
            async for step in found:
                steps = (*steps, step)
                self._show(TestState(steps, running=True))
        self._show(TestState(steps))

    def _show(self, state: TestState) -> None:
        if state != self.state:
            self.state = state
            self.stateChanged.emit(state)


class NewPlaceViewModel(ViewModel):
    """The form of a place that is to be added. ``failed`` tells which of its fields cannot be used, or why not."""

    draftChanged = Signal(object)  # PlaceDraft
    kindChanged = Signal(object)  # KindName
    added = Signal(str)  # its id

    def __init__(self, places: PlacesKeeper, scope: TaskScope) -> None:
        super().__init__(scope)
        self._places = places
        self.kinds = tuple(places.kinds)
        self.kind = self.kinds[0]
        self.draft = PlaceDraft()
        self.tester = PlaceTester(scope)
        self.tester.failed.connect(self.failed)
        self.add = self.command(self._add, "add place")

    @property
    def fields(self) -> frozenset[PlaceField]:
        """What the chosen kind takes beside an address and a name."""
        return frozenset(self._places.kinds[self.kind].fields)

    @property
    def example(self) -> str:
        """An address of the chosen kind as it may look."""
        return self._places.kinds[self.kind].example

    def choose(self, kind: KindName) -> None:
        """Another kind. What was typed stays."""
        if kind is not self.kind:
            self.kind = kind
            self.tester.forget()
            self.kindChanged.emit(kind)

    def edit(self, **changes: Any) -> None:
        draft = replace(self.draft, **changes)
        if draft != self.draft:
            self.draft = draft
            self.tester.forget()  # it was about another place
            self.draftChanged.emit(draft)

    def test(self) -> None:
        self.tester.test(lambda: self._places.test(self.kind, self._sent()))

    def close(self) -> None:
        """Ends what runs for this form alone."""
        self.tester.forget()
        self.add.cancel()

    def _sent(self) -> PlaceDraft:
        """Without what the chosen kind does not take."""
        draft = self.draft
        unused = {each.value: "" for each in PlaceField if each not in self.fields}
        return replace(draft, address=draft.address.strip(), name=draft.name.strip(), **unused)

    async def _add(self) -> None:
        self.added.emit(await self._places.add(self.kind, self._sent()))


class PlacesViewModel(ViewModel):
    """The places besides this computer. Every action takes effect at once."""

    listChanged = Signal(object)  # tuple[ListedPlace, ...]

    def __init__(self, places: PlacesKeeper, scope: TaskScope) -> None:
        super().__init__(scope)
        self._places = places
        self.listed = places.listed()
        self.tester = PlaceTester(scope)
        self.tester.failed.connect(self.failed)
        self._unsubscribe = places.subscribe(lambda _settings: self._look())

    def new_place(self) -> NewPlaceViewModel:
        """The form of another place."""
        return NewPlaceViewModel(self._places, self._scope)

    def test(self, place: ListedPlace) -> None:
        self.tester.test(lambda: self._places.test_kept(place.id))

    async def rename(self, place: ListedPlace, name: str) -> None:
        """Raises: SettingsError."""
        await self._places.rename(place.id, name)

    def takes_key(self, place: ListedPlace) -> bool:
        """Whether it may be shown a key."""
        return self._places.takes_key(place)

    async def change_key(self, place: ListedPlace, key: str) -> None:
        """Without a key, it has none. Raises: ConfigurationError, KeyStoreError."""
        await self._places.change_key(place.id, key)

    def remove(self, place: ListedPlace) -> None:
        self.run(self._places.remove(place.id), "remove place")

    def close(self) -> None:
        self._unsubscribe()
        self.tester.forget()

    def _look(self) -> None:
        listed = self._places.listed()
        if listed != self.listed:
            self.listed = listed
            self.listChanged.emit(listed)
