"""Places and endpoints as people add and test them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from gglib_desktop.domain.documents.settings import EndpointSettings, PlaceSettings

Entry: TypeAlias = PlaceSettings | EndpointSettings
_LONGEST_ID = 40


class KindName(StrEnum):
    """What a place is."""

    SSH = "ssh"
    CONTAINER = "container engine"
    ENDPOINT = "endpoint"


class PlaceField(StrEnum):
    """What a place may be given beside its address and its name."""

    ENGINE = "engine"
    FOLDERS = "folders"
    KEY = "key"


class Step(StrEnum):
    """What a test of a place looks at, one after the other."""

    SOCKET = "socket"
    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    KEY = "key"
    MODELS = "models"
    IMAGE = "image"
    ENGINE = "engine"
    HOST_KEY = "host key"
    LOGIN = "login"
    SHELL = "shell"
    RUN_FOLDER = "run folder"


class StepResult(StrEnum):
    """``SKIPPED``: an earlier step failed, or the place has nothing of the kind."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class TestStep:
    """``said``: what the place answered, or why the step failed, in English."""

    __test__ = False  # no class of tests

    step: Step
    result: StepResult
    said: str = ""


@dataclass(frozen=True)
class PlaceDraft:
    """What somebody typed about a place. ``engine`` is the path of a program there. ``key`` is a secret.

    ``folders`` are paths there, each in a line or separated by ``;``.
    """

    address: str = ""
    name: str = ""
    engine: str = ""
    folders: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class ListedPlace:
    """``name`` is its id where it has no other. ``kind`` None: this version cannot use it."""

    id: str
    name: str
    address: str
    kind: KindName | None


def new_id(wanted: str, taken: Collection[str]) -> str:
    """An id made of a name or an address, which no other place has."""
    slug = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")[:_LONGEST_ID].strip("-") or "place"
    if slug not in taken:
        return slug
    endings = (f"-{number}" for number in range(2, len(taken) + 3))
    numbered = (slug[: _LONGEST_ID - len(ending)] + ending for ending in endings)
    return next(each for each in numbered if each not in taken)
