"""Which files belong together: a download's folder, and what is loaded together with a model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from gglib_desktop.domain.gguf.sidecars import Sidecar, is_head_for

_LM_STUDIO = ("lmstudio", ".lmstudio", "lm-studio")
_PRECISION = re.compile(r"i?q\d\w*|b?f\d+|fp\d+|mxfp\d\w*")
_SAYS_NOTHING = frozenset(
    {
        *("mmproj", "model", "gguf", "mtp", "draft", "drafter", "head", "assistant", "eagle3", "dflash", "dspark"),
        *("control", "vector", "controlvector", "cvector"),
    }
)


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that an engine loads together with a model."""

    path: Path
    kind: Sidecar = Sidecar.PROJECTOR
    architecture: str | None = None


@dataclass(frozen=True, slots=True)
class StoredAdapters:
    """The adapters that a store has for models of the same weights: ``always`` if each of these models has them."""

    some: tuple[Path, ...] = ()
    always: tuple[Path, ...] = ()


def download_place(path: PurePath) -> tuple[str, PurePath] | None:
    """The repository of a downloaded file and its folder, by the folder names of Hugging Face's cache
    and LM Studio; None elsewhere.
    """
    folders = path.parts[:-1]
    for index, folder in enumerate(folders):
        below = folders[index + 1 :]
        if folder.startswith("models--") and below[:1] == ("snapshots",) and len(below) >= 2:
            name = "/".join(part for part in folder.split("--")[1:] if part)
            return (name, PurePath(*folders[: index + 3])) if name else None
        if folder in _LM_STUDIO and below[:1] == ("models",) and len(below) >= 3:
            return f"{below[1]}/{below[2]}", PurePath(*folders[: index + 4])
    return None


def companions_of(model: Path, candidates: Iterable[Path]) -> tuple[Path, ...]:
    """The projectors among ``candidates`` that belong to the model, the likeliest first.

    In a download: all in the model's folder or above it. Elsewhere: those beside it whose name does not name another
    model.
    """
    place = download_place(model)
    found = [candidate for candidate in candidates if _belongs(model, candidate, place)]
    # The more of the model's name a file name contains, the better the match.
    wanted = _words(model)
    return tuple(sorted(found, key=lambda path: (-len(path.parts), -len(_words(path) & wanted), path)))


def sidecars_of(model: Path, architecture: str | None, candidates: Iterable[Companion]) -> tuple[Companion, ...]:
    """The draft heads, adapters and control vectors among ``candidates`` that fit the model, by name.

    They lie where projectors would; an adapter may have the name of the data that it was made with.
    """
    place = download_place(model)
    found = []
    for each in candidates:
        match each.kind:
            case Sidecar.DRAFT_HEAD:
                fits = is_head_for(each.architecture, architecture) and _belongs(model, each.path, place)
            case Sidecar.ADAPTER:
                fits = each.architecture == architecture and _belongs(model, each.path, place, named_after_it=False)
            case Sidecar.CONTROL_VECTOR:
                fits = _belongs(model, each.path, place)
            case _:
                fits = False
        if fits:
            found.append(each)
    return tuple(sorted(found, key=lambda each: (list(Sidecar).index(each.kind), each.path)))


def _belongs(model: Path, candidate: Path, place: tuple[str, PurePath] | None, *, named_after_it: bool = True) -> bool:
    folder = candidate.parent
    if place is not None:
        return model.is_relative_to(folder) and folder.is_relative_to(place[1])
    return folder == model.parent and (not named_after_it or _words(candidate) <= _words(model))


def _words(path: Path) -> set[str]:
    """What a name says about a model besides its precision."""
    words = re.split(r"[-. ]", path.stem.lower())
    return {word for word in words if word and word not in _SAYS_NOTHING and not _PRECISION.fullmatch(word)}
