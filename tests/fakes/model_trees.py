"""The folders where other programs keep models, built like these programs do and without our code.

``python -m tests.fakes.model_trees HOME`` makes them all, to look at with the program.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
from pathlib import Path


def gguf(name: str, architecture: str = "llama", **texts: str) -> bytes:
    """A small file that is a model."""
    entries = {"general.architecture": architecture, "general.name": name, **texts}
    data = b"GGUF" + struct.pack("<IQQ", 3, 1, len(entries))
    for key, text in entries.items():
        data += _string(key) + struct.pack("<I", 8) + _string(text)
    data += _string("token_embd.weight") + struct.pack("<IQIQ", 1, 8, 0, 0)
    data += bytes(-len(data) % 32)
    return data + hashlib.sha256(name.encode()).digest()


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


class HuggingFaceCache:
    """``hub`` as huggingface_hub fills it: blobs with their sums as names, and snapshots of links to them."""

    def __init__(self, hub: Path) -> None:
        self.hub = hub

    def download(self, repository: str, revision: str, files: dict[str, bytes]) -> Path:
        """Returns the snapshot."""
        folder = self.hub / f"models--{repository.replace('/', '--')}"
        snapshot = folder / "snapshots" / revision
        for name, data in files.items():
            blob = folder / "blobs" / hashlib.sha256(data).hexdigest()
            if not blob.exists():
                _write(blob, data)
            link = snapshot / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(blob, link.parent))
        _write(folder / "refs" / "main", revision.encode())
        _write(self.hub / ".locks" / folder.name / "x.lock", b"")
        return snapshot


class OllamaStore:
    """``models`` as ollama pull fills it: manifests that name blobs by their sums."""

    def __init__(self, models: Path) -> None:
        self.models = models

    def pull(self, name: str, tag: str, layers: dict[str, bytes], *, host: str = "registry.ollama.ai") -> list[Path]:
        """Returns the blobs."""
        blobs, entries = [], []
        for kind, data in layers.items():
            digest = hashlib.sha256(data).hexdigest()
            blobs.append(_write(self.models / "blobs" / f"sha256-{digest}", data))
            media = f"application/vnd.ollama.image.{kind}"
            entries.append({"mediaType": media, "digest": f"sha256:{digest}", "size": len(data)})
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:" + "0" * 64}
        manifest = {"schemaVersion": 2, "config": config, "layers": entries}
        _write(self.models / "manifests" / host / name / tag, json.dumps(manifest).encode())
        return blobs


def hugging_face(home: Path) -> list[Path]:
    """A repository in two revisions, one in parts with a projector above them, and an unfinished file."""
    cache = HuggingFaceCache(home / ".cache/huggingface/hub")
    small = gguf("Small")
    first = cache.download("org/Small-GGUF", "a" * 40, {"small-Q4_K_M.gguf": small, "README.md": b"# Small"})
    cache.download("org/Small-GGUF", "b" * 40, {"small-Q4_K_M.gguf": small, "README.md": b"# Small, better"})
    parts = {f"UD-Q4_K_XL/large-0000{n}-of-00002.gguf": gguf("Large", part=str(n)) for n in (1, 2)}
    projector = gguf("Large projector", "clip", **{"general.type": "mmproj"})
    large = cache.download("org/Large-GGUF", "c" * 40, parts | {"mmproj-F16.gguf": projector})
    _write(cache.hub / "models--org--Small-GGUF/blobs/0123.incomplete", small[:50])
    return [first / "small-Q4_K_M.gguf", large / "UD-Q4_K_XL/large-00001-of-00002.gguf"]


def lm_studio(home: Path) -> list[Path]:
    """Publisher, repository, file; one with a projector, and an unfinished download."""
    models = home / ".lmstudio/models"
    seeing = _write(models / "org/Seeing-GGUF/Seeing-Q8_0.gguf", gguf("Seeing"))
    _write(models / "org/Seeing-GGUF/mmproj-Seeing-F16.gguf", gguf("Seeing projector", "clip"))
    plain = _write(models / "other/Plain-GGUF/Plain-Q4_0.gguf", gguf("Plain"))
    _write(models / "other/Plain-GGUF/downloading_Plain-Q8_0.gguf.part", b"GGUF")
    return [seeing, plain]


def ollama(home: Path) -> list[Path]:
    """One blob with two tags, one model with a projector that another shares, one of another host."""
    store = OllamaStore(home / ".ollama/models")
    extras = {"template": b"{{ .Prompt }}", "license": b"MIT", "params": b"{}"}
    words, eyes = gguf("Words"), gguf("Eyes", "clip")
    (blob, *_) = store.pull("library/words", "3b", {"model": words, **extras})
    store.pull("library/words", "latest", {"model": words, **extras})
    (seven, *_) = store.pull("library/llava", "7b", {"model": gguf("Llava 7B"), "projector": eyes, **extras})
    (thirteen, *_) = store.pull("library/llava", "13b", {"model": gguf("Llava 13B"), "projector": eyes, **extras})
    (other, *_) = store.pull("org/repo", "Q8_0", {"model": gguf("Other"), **extras}, host="hf.co")
    return [blob, seven, thirteen, other]


def listing(folder: Path) -> dict[str, tuple[int, ...]]:
    """Everything below a folder with its status, except for the time of the last access."""
    found: dict[str, tuple[int, ...]] = {}
    for path in (folder, *folder.rglob("*")):
        state = path.lstat()
        found[str(path)] = (state.st_ino, state.st_mode, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return found


if __name__ == "__main__":
    for make in (hugging_face, lm_studio, ollama):
        make(Path(sys.argv[1]))
