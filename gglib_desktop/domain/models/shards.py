"""Models in several files, ``name-00001-of-00003.gguf`` and so on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

_PATTERN = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE | re.ASCII | re.DOTALL)
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ShardName:
    """A file name with the number of a part and the number of parts. Numbers begin at 1."""

    prefix: str
    number: int
    total: int
    suffix: str = ".gguf"

    def part(self, number: int) -> str:
        """The file name of another part."""
        return f"{self.prefix}-{number:05}-of-{self.total:05}{self.suffix}"


def shard_name(file_name: str) -> ShardName | None:
    """The part in a file name, None if the name has no valid one."""
    match = _PATTERN.fullmatch(file_name)
    if match is None:
        return None
    number, total = int(match[2]), int(match[3])
    return ShardName(match[1], number, total, match[4]) if 0 < number <= total else None


def split_problem(path: PurePath, metadata: Mapping[str, object]) -> str | None:
    """Why an engine finds no model in a part of several, if its header and its name disagree.

    Engines find the other parts by the first part's name.
    """
    total, number = metadata.get("split.count"), metadata.get("split.no")
    if not isinstance(total, int) or isinstance(total, bool) or total < 2:
        return None
    place = number + 1 if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < total else None
    said = f"part {place} of {total}" if place is not None else f"one of {total} parts"
    shard = shard_name(path.name)
    if shard is None:
        return f"this is {said}, but its name does not end in -{place or 1:05}-of-{total:05}.gguf"
    if shard.total != total or (place is not None and shard.number != place):
        return f"{path.name} is really {said}"
    return None


def missing_parts_text(absent: Sequence[int], shard: ShardName) -> str:
    """The missing parts as text; ``absent`` is not empty."""
    if len(absent) == 1:
        return f"part {absent[0]} of {shard.total} is missing: {shard.part(absent[0])}"
    named = [str(number) for number in absent[:_MOST_NAMED]]
    left = len(absent) - len(named)
    if left:
        named.append(f"{left} more")
    return f"parts {', '.join(named[:-1])} and {named[-1]} of {shard.total} are missing"
