"""Model files whose headers a test decides."""

import itertools
import os
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self

from gglib_desktop.adapters.library.model_files import DiskModelFiles
from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.models.model import Model, ModelFile
from gglib_desktop.domain.models.scan import FoundModel, WalkRequest

_DATES = itertools.count(1_700_000_000)


class NoModels:
    """In place of a library: nothing is in it."""

    models: tuple[Model, ...] = ()

    @property
    def companions(self) -> Self:
        return self

    def offered_with(self, _model: Model, _models: tuple[Model, ...]) -> tuple[Companion, ...]:
        return ()


def some_facts(name: str | None = "Tiny", *, mtp_layers: int = 0, quantisation: str = "F32") -> ModelFacts:
    return ModelFacts(
        name=name,
        architecture="llama",
        size_label=None,
        parameter_count=1_200_000,
        quantisation=quantisation,
        context_length=2048,
        mtp_layers=mtp_layers,
        block_count=2,
        expert_count=None,
        has_chat_template=True,
        file_size_bytes=3 * 2**20,
    )


class FakeModelFiles:
    """Knows the facts of the given paths; every other file is not a model. Folders are the disk's own."""

    def __init__(self, folder: Path, stores: Sequence[Path] = ()) -> None:
        self._disk = DiskModelFiles(folder, stores)
        self._folder = folder
        self._facts: dict[Path, ModelFacts] = {}
        self.examined: list[Path] = []
        self.go_on = threading.Event()
        """While it is clear, no file is read to its end."""
        self.go_on.set()
        self.is_reading = threading.Event()
        """Set once a file is being read."""
        self.looks = 0
        """How often ``touched`` was called."""
        self.stores = self._disk.stores
        self.split = self._disk.split
        self.walk = self._disk.walk
        self.exists = self._disk.exists
        self.find = self._disk.find
        self.adapters = self._disk.adapters

    def touched(self, changed: Collection[Path], places: Sequence[Path]) -> WalkRequest:
        self.looks += 1
        return self._disk.touched(changed, places)

    def make(self, name: str, facts: ModelFacts | None = None) -> Path:
        """A file in the folder, with facts if it is a model. No two of them have the same date."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"GGUF and so on")
        os.utime(path, (time.time(), next(_DATES)))
        if facts is not None:
            self.know(path, facts)
        return path

    def link(self, name: str, target: Path, facts: ModelFacts) -> Path:
        """A link that gives a file its name, as in Hugging Face's cache."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
        self.know(path, facts)
        return path

    def know(self, path: Path, facts: ModelFacts) -> None:
        """Changes the facts of the file at ``path``."""
        self._facts[path.parent.resolve() / path.name] = facts

    def examine(self, found: FoundModel) -> ModelFile:
        self.is_reading.set()
        self.go_on.wait(30)
        self.examined.append(found.path)
        if not found.parts:
            return ModelFile(found.path, problem=found.problem, missing=True)
        facts = self._facts.get(found.path)
        size, mtime = found.stamp or (None, None)
        return ModelFile(
            found.path,
            facts,
            found.problem or (None if facts else "this is not a GGUF file"),
            size,
            mtime,
            header_hash=f"hash of {facts}" if facts else None,
            parts=found.parts if len(found.parts) > 1 else (),
            label=found.label,
        )

    def write_demo(self) -> Path:
        path = self._folder / "demo.gguf"
        return path if path.exists() else self.make("demo.gguf", some_facts("Demo model", mtp_layers=1))
