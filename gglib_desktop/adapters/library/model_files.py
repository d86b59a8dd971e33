"""Model files on this computer's disks."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from gglib_desktop.adapters.files.home import home_folder
from gglib_desktop.domain.models.companions import StoredAdapters
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.models.scan import FoundModel, WalkRequest, WalkStep

DEMO_NAME = "Demo model"


class DiskModelFiles:
    """Reads headers in place; makes the demo model in ``demo_folder``.

    The thread that first walks or reads loads the code for it, after the window is there.
    """

    def __init__(self, demo_folder: Path, stores: Sequence[Path] = ()) -> None:
        self._demo_folder = demo_folder
        self._stores = tuple(stores)

    def stores(self) -> Sequence[Path]:
        return [Path(os.path.realpath(store)) for store in self._stores if os.path.isdir(store)]

    def split(self, paths: Sequence[Path]) -> tuple[Sequence[Path], Sequence[Path]]:
        folders, others = [], []
        for path in paths:
            real = os.path.realpath(os.path.expanduser(path))
            if os.path.isdir(real):
                folders.append(Path(real))
            else:
                others.append(path)
        return folders, others

    def touched(self, changed: Collection[Path], places: Sequence[Path]) -> WalkRequest:
        from gglib_desktop.adapters.library.model_group import is_model_name
        from gglib_desktop.adapters.library.ollama_store import store_of_manifest

        folders: dict[Path, None] = {}
        files = []
        for path in sorted(changed):
            if os.path.isdir(path):
                folders[path] = None
            elif not os.path.lexists(path):
                # Another name of the file may be near. The rest of the disk is not searched.
                near = next((parent for parent in path.parents if os.path.isdir(parent)), path)
                if is_model_name(path.name) and any(near.is_relative_to(place) for place in places):
                    folders[near] = None
            elif is_model_name(path.name):
                files.append(path)
            elif (store := store_of_manifest(path)) is not None:
                folders[store] = None
        return WalkRequest(tuple(folders), tuple(files))

    def walk(self, request: WalkRequest) -> Iterator[WalkStep]:
        from gglib_desktop.adapters.library.model_walk import ModelWalk

        return ModelWalk(request).steps()

    def find(self, path: Path, label: str | None = None) -> FoundModel:
        from gglib_desktop.adapters.library.model_walk import model_at

        return model_at(path, label)

    def examine(self, found: FoundModel) -> ModelFile:
        from gglib_desktop.adapters.library.model_reading import read_model

        return read_model(found)

    def adapters(self, path: Path) -> StoredAdapters:
        from gglib_desktop.adapters.library.ollama_store import adapters_of_blob

        return adapters_of_blob(path)

    def exists(self, path: Path) -> bool:
        return os.path.exists(path)

    def write_demo(self) -> Path:
        from gglib_desktop.adapters.gguf.demo_model import DemoSpec, write_demo_model

        path = self._demo_folder / "demo-model-F32.gguf"
        return path if os.path.exists(path) else write_demo_model(path, DemoSpec(name=DEMO_NAME))


def well_known_stores(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders where Hugging Face's libraries, LM Studio, Ollama and llama.cpp keep their downloads."""
    home = Path(environment.get("HOME") or home_folder() or "~")
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    hugging_face = Path(environment.get("HF_HOME") or cache / "huggingface")
    named = (
        environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE") or hugging_face / "hub",
        home / ".lmstudio" / "models",
        cache / "lm-studio" / "models",
        environment.get("OLLAMA_MODELS") or home / ".ollama" / "models",
        "/usr/share/ollama/.ollama/models",
        environment.get("LLAMA_CACHE") or cache / "llama.cpp",
    )
    expanded = dict.fromkeys(Path(os.path.expanduser(each)) for each in named)
    # Without a home folder, a folder called ~ is none of these.
    return tuple(each for each in expanded if each.parts[:1] != ("~",))
