"""Container engines as places that people add and test."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

from gglib_desktop.adapters.engines.llama_cpp.image_catalog import ImageCatalog
from gglib_desktop.adapters.places.container.addresses import DOCKER, PODMAN, socket_of, sockets_of
from gglib_desktop.adapters.places.container.image import Image
from gglib_desktop.domain.documents.places import Entry, KindName, PlaceDraft, PlaceField, Step, StepResult, TestStep
from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.errors import ConfigurationError, ProcessError

_SCHEMES = (f"{PODMAN}:", f"{DOCKER}:")
_STEPS = (Step.SOCKET, Step.CONNECTION, Step.IMAGE, Step.ENGINE)


class ContainerKind:
    """The addresses ``podman:IMAGE`` and ``docker:IMAGE``. ``environment`` says where those engines listen."""

    name = KindName.CONTAINER
    fields = frozenset({PlaceField.ENGINE})
    example = "podman:IMAGE"

    def __init__(self, data_dir: Path, environment: Mapping[str, str]) -> None:
        self._data_dir = data_dir
        self._environment = environment

    def entry(self, draft: PlaceDraft) -> Entry:
        address, engine = draft.address.strip(), draft.engine.strip()
        scheme, _colon, image = address.partition(":")
        if f"{scheme}:" not in _SCHEMES or not image or image.startswith(("-", "/")) or " " in image:
            raise ConfigurationError("address", address, "must be podman:IMAGE or docker:IMAGE")
        if engine and not engine.startswith("/"):
            raise ConfigurationError("engine", engine, "must be the path of a program in the image, such as /app/name")
        return PlaceSettings(url=address, name=draft.name.strip() or None, engine=engine or None)

    def owns(self, entry: Entry) -> bool:
        return isinstance(entry, PlaceSettings) and entry.url.startswith(_SCHEMES)

    async def test(self, draft: PlaceDraft, place_id: str | None) -> AsyncGenerator[TestStep, None]:  # noqa: ARG002
        taken = 0
        image: Image | None = None
        try:
            entry = self.entry(draft)
            assert isinstance(entry, PlaceSettings)
            engine, _colon, name = entry.url.partition(":")
            socket = socket_of(engine, sockets_of(engine, self._environment))
            yield _ok(taken := 1, str(socket))
            image = Image(engine, name, self._environment, self._data_dir)
            _api, told = await image.greeted()
            yield _ok(taken := 2, f"{engine} {told.get('ServerVersion', '')}")
            found, _program = await image.found()
            yield _ok(taken := 3, found)
            catalog = ImageCatalog(image.found, image.answer)
            program = await catalog.find(Path(entry.engine) if entry.engine else None)
            devices = [device.name for device in await catalog.devices(program)]
            yield _ok(taken := 4, f"{program.path}, {program.version}; graphics: {', '.join(devices) or 'none'}")
        except ProcessError as exc:
            reason = exc.reason if isinstance(exc, ConfigurationError) else str(exc)
            yield TestStep(_STEPS[taken], StepResult.FAILED, reason)
            for step in _STEPS[taken + 1 :]:
                yield TestStep(step, StepResult.SKIPPED)
        finally:
            if image is not None:
                await image.aclose()

    async def keep(self, place_id: str, draft: PlaceDraft) -> None:
        """All of it lies in the settings."""

    async def forget(self, place_id: str) -> None:
        """Nothing else was kept."""


def _ok(number: int, said: str) -> TestStep:
    return TestStep(_STEPS[number - 1], StepResult.OK, said)
