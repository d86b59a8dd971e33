"""A server's command line for a container: as ``docker run``, which podman reads too, and as a compose file."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from gglib_desktop.domain.commandline.exports.shells import handed_on, lines_of, sh_quoted
from gglib_desktop.domain.commandline.exports.yaml_writing import Tree, yaml_text
from gglib_desktop.domain.commandline.vocabulary import Argument, Vocabulary
from gglib_desktop.domain.commandline.words import Word
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.help import MODEL_FLAGS
from gglib_desktop.domain.options.host import LOOPBACK

CONTAINER_IMAGE = "ghcr.io/ggml-org/llama.cpp:server"
ABOUT_IMAGE = (
    "This image computes on the CPU. Those for GPUs, as :server-cuda and :server-vulkan, need the devices too."
)
NAME = "llama-server"
_PORT = "8080"
# What the server reads: where the folder of such a file is inside the container.
_FOLDERS = {
    **dict.fromkeys(MODEL_FLAGS, "/models"),
    "--chat-template-file": "/templates",
    **dict.fromkeys(
        (
            *("-mm", "--mmproj", "-md", "--model-draft", "--spec-draft-model", "--lora", "--control-vector"),
            *("--grammar-file", "-jf", "--json-schema-file", "-lcs", "--lookup-cache-static", "-mv", "--model-vocoder"),
        ),
        "/files",
    ),
}


@dataclass(frozen=True)
class Contained:
    """What runs inside a container, and what it gets from outside.

    ``folders`` are mounted read-only: each with its name inside. ``address`` and ``port`` are the host's, and the port
    is the same inside.
    """

    arguments: tuple[str, ...]
    folders: Mapping[str, str]
    address: str
    port: int


def contained(words: Sequence[str]) -> Contained:
    """A command line moved into a container. Raises: ConfigurationError for a host that is a name."""
    # The image starts the server itself, so a "serve" before the flags would be one too many.
    arguments = parsed(list(itertools.dropwhile(lambda word: not word.startswith("-"), words)))
    said = {argument.flag: argument.value for argument in arguments}
    folders: dict[str, str] = {}
    inside = [word for argument in arguments for word in _inside(argument, folders)]
    return Contained(tuple(inside), folders, _address(said.get("--host", LOOPBACK)), int(said.get("--port", _PORT)))


def parsed(arguments: Sequence[str]) -> list[Argument]:
    """Each flag with its values."""
    return Vocabulary(None).arguments([Word(word) for word in arguments])


def _inside(argument: Argument, folders: dict[str, str]) -> list[str]:
    """The words of an argument inside; the folders of its files are added."""
    flag, *values = argument.written
    if argument.flag == "--host":
        # Inside, loopback is the container's own; the published port decides what the host sees.
        return [flag, "0.0.0.0"]
    target = _FOLDERS.get(argument.flag)
    if target is None or not argument.value:
        return [flag, *values]
    # Containers know no folder that we are in.
    path = Path(argument.value).absolute()
    folder = str(path.parent)
    if folder not in folders:
        taken = folders.values()
        names = itertools.chain([target], (f"{target}{number}" for number in itertools.count(2)))
        folders[folder] = next(name for name in names if name not in taken)
    moved = f"{folders[folder]}/{path.name}"
    return [flag, moved] if values else [f"{flag.partition('=')[0]}={moved}"]


def _address(host: str) -> str:
    if host.lower() == "localhost":
        return LOOPBACK
    try:
        return str(ip_address(host))
    except ValueError as exc:
        raise ConfigurationError("host", host, "is a name, and a container's port is published at an address") from exc


def docker_run(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """One command over several lines."""
    run = contained(words)
    lines = ["docker run --rm --init", f"--publish {sh_quoted(published(run))}"]
    lines += [f"--mount {sh_quoted(_mount(source, target))}" for source, target in run.folders.items()]
    lines += [f"--env {sh_quoted(f'{name}={value}')}" for name, value in settings.items()]
    lines += [f"--env {name}" for name in keys]
    lines += [CONTAINER_IMAGE, *lines_of(run.arguments, sh_quoted)]
    return " ".join((*handed_on(keys), " \\\n  ".join(lines))) + "\n"


def published(run: Contained) -> str:
    """The host's address and port with the port inside, as engines read them."""
    address = f"[{run.address}]" if ":" in run.address else run.address
    return f"{address}:{run.port}:{run.port}"


def _mount(source: str, target: str) -> str:
    """Unlike ``--volume``, it takes a colon in a path, and makes no folder of one that is missing."""
    return ",".join(map(_csv_field, ("type=bind", f"source={source}", f"target={target}", "readonly")))


def _csv_field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def compose(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """A file for ``docker compose``, which replaces variables behind dollar signs."""
    run = contained(words)
    service: dict[str, Tree] = {
        "image": CONTAINER_IMAGE,
        "ports": [published(run)],
        "volumes": [
            {"type": "bind", "source": _plain(source), "target": target, "read_only": True}
            for source, target in run.folders.items()
        ],
    }
    if settings or keys:
        service["environment"] = [*(_plain(f"{name}={value}") for name, value in settings.items()), *keys]
    service["command"] = [_plain(word) for word in run.arguments]
    comments = [ABOUT_IMAGE, *(f"{name} comes from the environment of docker compose." for name in keys)]
    return yaml_text({"services": {NAME: service}}, comments=comments)


def _plain(text: str) -> str:
    return text.replace("$", "$$")
