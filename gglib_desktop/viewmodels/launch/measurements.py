"""Begins dialogs that measure drafting."""

from __future__ import annotations

from collections.abc import Mapping

from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.services.advisor.subject import Subject
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.launch.measuring import MeasuringAdvisor, MeasuringViewModel, Outcome, Room
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel


class Measurements:
    """Of models of the library."""

    def __init__(
        self, launcher: Launcher, advisor: MeasuringAdvisor, room: Room, presets: Presets, scope: TaskScope
    ) -> None:
        self._launcher, self._advisor, self._room = launcher, advisor, room
        self._presets, self._scope = presets, scope

    async def of(self, model_id: int, form: OptionFormViewModel | None = None) -> MeasuringViewModel | None:
        """Of a model as it would be started now, or as a form says; None if it is gone.

        The settings that come out go to the form, else they are saved for the model. Raises: LibraryError,
        ConfigurationError if no server could be started.
        """
        found = await self._launcher.to_measure(model_id, None if form is None else form.state.resolved.options)
        if found is None:
            return None
        subject = Subject(*found)

        async def use(choices: Mapping[str, object]) -> None:
            if form is None:
                await self._launcher.save_choices(subject.config, choices)
            else:
                form.edit(**choices)

        async def keep(name: str, options: LaunchOptions, for_all: bool) -> None:
            await self._presets.create(name, options, None if for_all else model_id)

        return MeasuringViewModel(
            subject, self._advisor, self._room, Outcome(use, keep, fills_form=form is not None), self._scope
        )
