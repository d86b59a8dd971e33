"""Which files belong together: a download's folder, and the vision projectors of a model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePath

_LM_STUDIO = ("lmstudio", ".lmstudio", "lm-studio")
_PRECISION = re.compile(r"i?q\d\w*|b?f\d+|fp\d+|mxfp\d\w*")
_SAYS_NOTHING = frozenset({"mmproj", "model", "gguf"})


def download_place(path: PurePath) -> tuple[str, PurePath] | None:
    """The repository that a file was fetched from and the folder that stands for it, by how Hugging Face's cache and
    LM Studio name folders; None elsewhere.
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

    In a download, all that lie in its folder or above it there. Elsewhere those beside it whose name speaks of no other
    model.
    """
    place = download_place(model)
    found = []
    for candidate in candidates:
        folder = candidate.parent
        if place is not None:
            belongs = model.is_relative_to(folder) and folder.is_relative_to(place[1])
        else:
            belongs = folder == model.parent and _words(candidate) <= _words(model)
        if belongs:
            found.append(candidate)
    # A name that says more of what the model's says is the better match.
    wanted = _words(model)
    return tuple(sorted(found, key=lambda path: (-len(path.parts), -len(_words(path) & wanted), path)))


def _words(path: Path) -> set[str]:
    """What a name says of a model beside its precision."""
    words = re.split(r"[-. ]", path.stem.lower())
    return {word for word in words if word and word not in _SAYS_NOTHING and not _PRECISION.fullmatch(word)}
