"""An image of the engine and of the stub, made without a registry, a build tool or a network."""

import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

IMAGE = "localhost/gglib-test-engine:1"
ENGINE = "/opt/engine/llama-server"
STUB = "/opt/stub/llama-server"
# What the stub imports, now or later, as files of this very Python.
_ASK_MODULES = """
import ctypes, os, signal, socket, subprocess, sys
print(*(module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)), sep="\\n")
"""


def write_image(archive: Path, engine: Path, stub: Path) -> None:
    """An archive as ``docker load`` takes it: one layer with both programs and what they load. There is no shell."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for source, target in _files(engine.resolve()):
            _put(tar, target, Path(source).read_bytes(), mode=0o755)
        _put(tar, STUB, f"#!{sys.executable} -IS\n".encode() + stub.read_bytes(), mode=0o755)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
    data = layer.getvalue()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": [ENGINE], "Env": ["PATH=/opt/engine", f"LD_LIBRARY_PATH={Path(ENGINE).parent}"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        _put(tar, "manifest.json", json.dumps(manifest).encode())
        _put(tar, "config.json", json.dumps(config).encode())
        _put(tar, "layer.tar", data)


def _put(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name.lstrip("/"))
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))


def _files(engine: Path) -> Iterator[tuple[str, str]]:
    """Where each file is here, and in the image."""
    modules = _modules()
    libraries = _libraries([str(engine), sys.executable, *(each for each in modules if each.endswith(".so"))])
    inside = {
        path: f"{Path(ENGINE).parent}/{Path(path).name}" for path in libraries if Path(path).parent == engine.parent
    }
    yield str(engine), ENGINE
    for path in dict.fromkeys((*libraries, sys.executable, *modules)):
        yield path, inside.get(path, path)


def _libraries(programs: Iterable[str]) -> list[str]:
    said = subprocess.run(("ldd", *programs), capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/\S+) \(0x", said)


def _modules() -> list[str]:
    asked = (sys.executable, "-IS", "-c", _ASK_MODULES)
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
