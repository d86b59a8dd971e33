"""Other computers as places that people add and test."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

from gglib_desktop.adapters.places.ssh.runs import Runs
from gglib_desktop.adapters.places.ssh.told import text
from gglib_desktop.adapters.runner.machines import PROGRAMS, engine_catalog_of, ssh_machine
from gglib_desktop.adapters.ssh.asking import Asker
from gglib_desktop.adapters.ssh.refusals import Cause
from gglib_desktop.adapters.ssh.ssh_machine import SshMachine
from gglib_desktop.domain.documents.places import Entry, KindName, PlaceDraft, PlaceField, Step, StepResult, TestStep
from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.documents.ssh_address import SCHEME, ssh_address
from gglib_desktop.domain.errors import ConfigurationError, ProcessError, RunnerUnavailable

_STEPS = (Step.CONNECTION, Step.HOST_KEY, Step.LOGIN, Step.SHELL, Step.ENGINE, Step.RUN_FOLDER)
# How many steps went well when the connection was not made.
_BEFORE = {Cause.LOST: 0, Cause.UNKNOWN_HOST_KEY: 1, Cause.CHANGED_HOST_KEY: 1, Cause.NOT_AUTHORIZED: 2}


class SshKind:
    """The addresses ``ssh://[user@]host[:port]``. ``config_of`` gives the configuration of a place that is kept."""

    name = KindName.SSH
    fields = frozenset({PlaceField.ENGINE, PlaceField.FOLDERS})
    example = "ssh://user@host"

    def __init__(
        self,
        data_dir: Path,
        environment: Mapping[str, str],
        asker: Asker | None = None,
        config_of: Callable[[str], str | None] = lambda _place_id: None,
    ) -> None:
        self._data_dir = data_dir
        self._environment = environment
        self._asker = asker
        self._config_of = config_of

    def entry(self, draft: PlaceDraft) -> Entry:
        address, engine = draft.address.strip(), draft.engine.strip()
        try:
            ssh_address(address)
        except ValueError as exc:
            raise ConfigurationError("address", address, str(exc)) from exc
        if engine and not (engine.startswith("/") and engine.isprintable()):
            raise ConfigurationError("engine", engine, "must be the whole path of a program on that computer")
        folders = _folders(draft.folders)
        return PlaceSettings(url=address, name=draft.name.strip() or None, engine=engine or None, folders=folders)

    def owns(self, entry: Entry) -> bool:
        return isinstance(entry, PlaceSettings) and entry.url.startswith(SCHEME)

    async def test(self, draft: PlaceDraft, place_id: str | None) -> AsyncGenerator[TestStep, None]:
        entry = self.entry(draft)
        assert isinstance(entry, PlaceSettings)
        config = self._config_of(place_id) if place_id is not None else None
        machine = ssh_machine(entry.url, entry.name or "", config, self._environment, self._asker)
        taken = 0
        try:
            async for said in self._told(machine, entry):
                yield TestStep(_STEPS[taken], StepResult.OK, said)
                taken += 1
        except ProcessError as exc:
            if machine.cause is not None:
                for step in _STEPS[taken : _BEFORE[machine.cause]]:
                    yield TestStep(step, StepResult.OK)
                taken = max(taken, _BEFORE[machine.cause])
            reason = exc.reason if isinstance(exc, ConfigurationError) else machine.reason or str(exc)
            yield TestStep(_STEPS[taken], StepResult.FAILED, reason)
            for step in _STEPS[taken + 1 :]:
                yield TestStep(step, StepResult.SKIPPED)
        finally:
            await machine.aclose()

    async def _told(self, machine: SshMachine, entry: PlaceSettings) -> AsyncGenerator[str, None]:
        """What each step says, once it went well."""
        runs = Runs(machine, self._data_dir, PROGRAMS)
        await machine.run("exit 0")
        yield machine.address
        yield "it is the known one"
        computer = await runs.greeted()
        user = computer.environment.get("USER") or computer.environment.get("LOGNAME") or ""
        yield user
        yield computer.environment.get("SHELL", "")
        catalog = engine_catalog_of(runs, Path(entry.engine) if entry.engine else None)
        program = await catalog.find(Path(entry.engine) if entry.engine else None)
        devices = [device.name for device in await catalog.devices(program)]
        yield f"{program.path}, {program.version}; graphics: {', '.join(devices) or 'none'}"
        answer = await runs.told("root", computer.root)
        if answer.status:
            raise RunnerUnavailable(text(answer.output).strip())
        yield computer.root

    async def keep(self, place_id: str, draft: PlaceDraft) -> None:
        """All of it lies in the settings."""

    async def forget(self, place_id: str) -> None:
        """Nothing else was kept."""


def _folders(typed: str) -> tuple[str, ...]:
    """Raises: ConfigurationError for ``folders``."""
    folders = tuple(dict.fromkeys(filter(None, (each.strip() for each in re.split(r"[;\n]", typed)))))
    for folder in folders:
        if not folder.isprintable() or not (folder == "~" or folder.startswith(("/", "~/"))):
            reason = "must be whole paths of folders on that computer, such as /srv/models or ~/models"
            raise ConfigurationError("folders", folder, reason)
    return folders
