"""The containers of Kubernetes' pods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag
from gglib_desktop.domain.commandline.shell import chosen_command
from gglib_desktop.domain.commandline.words import Word

_REFERENCE = re.compile(r"\$(?:(\$)|\(([\w.-]+)\))")


def pod_of(container: Mapping[str, Any], mappings: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The pod that has this container; None if it is no container of a pod, or has commands that none could have."""
    if any(isinstance(container.get(key), str) for key in ("command", "args")):
        return None
    return next((node for node in mappings if any(each is container for each in _items(node, "containers"))), None)


def pod_invocation(
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    said: Iterable[tuple[str, Word]],
    variables: Mapping[str, str],
    knows: KnownFlag,
) -> Invocation:
    """What a container starts. ``said`` are its variables; a dollar sign that refers to none of them is plain text."""
    own: dict[str, str] = {}
    environment: list[tuple[str, Word]] = []
    for name, word in said:
        value = word if word.unresolved else _word(word.text, own)
        environment.append((name, value))
        own.update({} if value.unresolved else {name: value.text})
    texts = [text for key in ("command", "args") for text in _items(container, key)]
    words = [_word(text, own) for text in texts if isinstance(text, str)]
    found = chosen_command(words, {**variables, **own}, knows) if words else Invocation(())
    mounts = tuple(_mounts(pod, container))
    return replace(found, environment=(*environment, *found.environment), mounts=mounts, contained=True)


def _word(text: str, own: Mapping[str, str]) -> Word:
    unknown = [name for _dollar, name in _REFERENCE.findall(text) if name and name not in own]
    return Word(_REFERENCE.sub(lambda found: found[1] or own.get(found[2], found[0]), text), bool(unknown))


def _mounts(pod: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of a folder of the node and its name inside."""
    folders: dict[str, str] = {}
    for volume in _items(pod, "volumes"):
        host = volume.get("hostPath") if isinstance(volume, dict) else None
        path = host.get("path") if isinstance(host, dict) else None
        if isinstance(path, str):
            folders[str(volume.get("name"))] = path
    for mount in _items(container, "volumeMounts"):
        inside = mount.get("mountPath") if isinstance(mount, dict) else None
        if isinstance(inside, str) and str(mount.get("name")) in folders:
            yield folders[str(mount.get("name"))], inside


def _items(node: Mapping[str, Any], key: str) -> list[Any]:
    items = node.get(key)
    return items if isinstance(items, list) else []
