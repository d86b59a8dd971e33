"""Model files on this computer's disks."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf import GgufHeader, ModelFacts, facts_from_header
from gglib_desktop.domain.model import ModelFile
from gglib_desktop.domain.scan import FoundModel, WalkRequest, WalkStep

_log = logging.getLogger(__name__)
DEMO_NAME = "Demo model"
# A model's header tells it from most others, its last tensors from those that were only trained further.
_HASHED_HEAD_BYTES = 2**18
_HASHED_TAIL_BYTES = 2**16


class DiskModelFiles:
    """Reads headers in place; makes the demo model in ``demo_folder``.

    What walks and reads is loaded by the thread that first does it, after the window is there.
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
        from gglib_desktop.adapters.model_walk import is_model_name  # noqa: PLC0415
        from gglib_desktop.adapters.ollama_store import store_of_manifest  # noqa: PLC0415

        folders: dict[Path, None] = {}
        files = []
        for path in sorted(changed):
            if os.path.isdir(path):
                folders[path] = None
            elif not os.path.lexists(path):
                # Another name of the file may lie near. But the rest of the disk is nobody's concern.
                near = next((parent for parent in path.parents if os.path.isdir(parent)), path)
                if is_model_name(path.name) and any(near.is_relative_to(place) for place in places):
                    folders[near] = None
            elif is_model_name(path.name):
                files.append(path)
            elif (store := store_of_manifest(path)) is not None:
                folders[store] = None
        return WalkRequest(tuple(folders), tuple(files))

    def walk(self, request: WalkRequest) -> Iterator[WalkStep]:
        from gglib_desktop.adapters.model_walk import ModelWalk  # noqa: PLC0415

        return ModelWalk(request).steps()

    def examine(self, found: FoundModel) -> ModelFile:
        file = _model_file(found)
        if not found.parts:
            return file
        try:
            file = replace(file, header_hash=_header_hash(found.parts))
            return replace(file, facts=_facts(found))
        except OSError as exc:
            return replace(file, problem=f"the file cannot be read: {exc.strerror or exc}")
        except InvalidModelFile as exc:
            _log.info("%s", exc)
            return replace(file, problem=found.problem or exc.reason)

    def exists(self, path: Path) -> bool:
        return os.path.exists(path)

    def write_demo(self) -> Path:
        from gglib_desktop.adapters.demo_model import DemoSpec, write_demo_model  # noqa: PLC0415  # most never need it

        path = self._demo_folder / "demo-model-F32.gguf"
        return path if path.exists() else write_demo_model(path, DemoSpec(name=DEMO_NAME))


def well_known_stores(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where Hugging Face's libraries, LM Studio, Ollama and llama.cpp keep what they download."""
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
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
    return tuple(dict.fromkeys(Path(each) for each in named))


def _model_file(found: FoundModel) -> ModelFile:
    size, mtime = found.stamp or (None, None)
    return ModelFile(
        found.path,
        problem=found.problem,
        size_bytes=size,
        mtime_ns=mtime,
        missing=not found.parts,
        parts=found.parts if len(found.parts) > 1 else (),
        label=found.label,
    )


def _facts(found: FoundModel) -> ModelFacts:
    headers = [_checked_header(part) for part in found.parts]
    several = len(headers) > 1
    return facts_from_header(
        headers[0],
        file_name=found.label or found.path.name,
        file_size_bytes=found.stamp[0] if found.stamp else 0,
        element_count=sum(header.element_count for header in headers) if several and not found.problem else None,
    )


def _checked_header(path: Path) -> GgufHeader:
    from gglib_desktop.adapters.gguf_header import check_tensor_data, read_header  # noqa: PLC0415

    header = read_header(path)
    check_tensor_data(path, header)
    return header


def _header_hash(parts: Sequence[Path]) -> str | None:
    """Nothing is read of what is no regular file: it might block."""
    if not parts[0].is_file() or not parts[-1].is_file():
        return None
    digest = hashlib.sha256()
    with parts[0].open("rb", buffering=0) as file:
        digest.update(file.read(_HASHED_HEAD_BYTES))
    with parts[-1].open("rb", buffering=0) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _HASHED_TAIL_BYTES))
        digest.update(file.read(_HASHED_TAIL_BYTES))
    return digest.hexdigest()
