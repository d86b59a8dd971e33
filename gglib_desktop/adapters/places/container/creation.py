"""What a container engine is asked for: the server, its files, and nothing else of this computer."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gglib_desktop.domain.models.shards import shard_name
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.ports.servers.place import Command

DATA, RUN, IDENTITY = "org.gglib.desktop.data", "org.gglib.desktop.run", "org.gglib.desktop.identity"
# Of this run of the program.
OWN = uuid.uuid4().hex
# The devices of AMD and Intel. Which engine gives those of NVIDIA, and how, it tells itself.
_GRAPHICS = ("/dev/kfd", "/dev/dri")
_SELINUX = Path("/sys/fs/selinux/enforce")
_LOCAL_HOST = "127.0.0.1"
# Podman cannot read such characters in the name of a file.
_UNREADABLE = re.compile(r'[",\x00-\x1f\ud800-\udfff]')
# With this many characters no name that stands for another is too long, and it keeps which part of a model it is.
_NAME_END = 50


def labels(data_dir: Path, run: str = "") -> dict[str, str]:
    """As ``Image.labels``."""
    return {DATA: os.path.abspath(data_dir), RUN: run, IDENTITY: OWN}


def own_label(data_dir: Path) -> str:
    """What all containers of this data directory have."""
    return f"{DATA}={os.path.abspath(data_dir)}"


def program(image: str, argv: Sequence[str]) -> dict[str, Any]:
    """A container that runs one program of an image, and may do nothing else."""
    host = {
        "Init": True,
        "AutoRemove": False,
        "RestartPolicy": {"Name": "no"},
        "CapDrop": ["ALL"],
        # SELinux closes files to containers; the other way out, a new label on them, would change the user's files.
        "SecurityOpt": ["no-new-privileges", *(["label=disable"] if _SELINUX.exists() else ())],
        "LogConfig": {"Type": "json-file"},
    }
    return {"Image": image, "Entrypoint": [argv[0]], "Cmd": list(argv[1:]), "HostConfig": host}


def server(
    image: str, record: ServerRecord, command: Command, files: Collection[str], engine: Mapping[str, Any]
) -> dict[str, Any]:
    """One that serves a model. ``engine`` is what the container engine tells of itself."""
    asked, port = program(image, command.argv), f"{record.port}/tcp"
    asked["Env"] = [f"{name}={value}" for name, value in command.environment.items()]
    asked["ExposedPorts"] = {port: {}}
    asked["User"] = _user(engine)
    # An engine is told addresses, no names.
    host = record.config.host if record.config.host not in {None, "localhost"} else _LOCAL_HOST
    published = {"HostIp": host, "HostPort": str(record.port)}
    asked["HostConfig"] |= {
        "PortBindings": {port: [published]},
        "Mounts": [{"Type": "bind", "Source": file, "Target": file, "ReadOnly": True} for file in sorted(files)],
        "GroupAdd": [str(group) for group in os.getgroups()],
        **(graphics(engine) if record.config.gpu_layers != 0 else {}),
    }
    return asked


def named_files(argv: Sequence[str]) -> set[str]:
    """The files that a command line names, with all parts of models in several. Blocks."""
    return {part for word in argv[1:] for file in _files(word) for part in _parts(file)}


def with_links(argv: Sequence[str], folder: Path) -> tuple[list[str], dict[str, Path]]:
    """The command line as a container can be told it, and the links that are to be made in ``folder`` for that.

    They stand for files whose names Podman cannot read or, with ``..``, lead through folders that are not in the
    container. Blocks.
    """
    words, links = list(argv), dict[str, Path]()
    for number, word in enumerate(argv[1:], 1):
        for file in sorted(_files(word), key=len, reverse=True):
            if not _UNREADABLE.search(file) and os.path.normpath(file) == file:
                continue
            prefix = f"{number}-{len(links)}-"
            links |= {prefix + _readable_name(part): Path(part) for part in _parts(file)}
            words[number] = words[number].replace(file, str(folder / (prefix + _readable_name(file))))
    return words, links


def _readable_name(file: str) -> str:
    return _UNREADABLE.sub("_", os.path.basename(file)[-_NAME_END:])


def _files(word: str) -> set[str]:
    return {word} if _is_file(word) else set(filter(_is_file, _candidates(word)))


def _is_file(text: str) -> bool:
    return text.startswith("/") and os.path.isfile(text)


def _candidates(word: str) -> Iterator[str]:
    """What may be a file: what follows ``=``, each of a list, and what stands before a number."""
    value = word.partition("=")[2]
    for text in (word, value, *word.split(","), *value.split(",")):
        yield from (text, text.rpartition(":")[0])


def _parts(file: str) -> list[str]:
    path = Path(file)
    shard = shard_name(path.name)
    if shard is None:
        return [file]
    parts = (str(path.with_name(shard.part(number))) for number in range(1, shard.total + 1))
    return [part for part in parts if os.path.isfile(part)]


def _user(engine: Mapping[str, Any]) -> str:
    """Who may read the model: this user, who is root inside where the container engine is this user's own.

    Without its capabilities root itself reads no more than others may.
    """
    is_own = any("rootless" in option for option in engine.get("SecurityOptions") or ())
    return "0:0" if is_own else f"{os.getuid()}:{os.getgid()}"


def graphics(engine: Mapping[str, Any]) -> dict[str, Any]:
    """Access to all graphics cards, as far as the engine is known to give it. The engine in it says what it uses."""
    devices = [path for path in _GRAPHICS if os.path.exists(path)]
    asked: dict[str, Any] = {
        "Devices": [{"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"} for path in devices]
    }
    if "nvidia" in (engine.get("Runtimes") or {}):
        asked["DeviceRequests"] = [{"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}]
    elif any(os.path.exists(f"{folder}/nvidia.yaml") for folder in ("/etc/cdi", "/var/run/cdi")):
        asked["Devices"].append({"PathOnHost": "nvidia.com/gpu=all"})
    return asked
