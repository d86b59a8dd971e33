"""Whether one model can draft for another, as an engine finds out."""

from __future__ import annotations

import struct
from pathlib import Path

from gglib_desktop.adapters.files.regular_file import open_regular, why_unreadable
from gglib_desktop.adapters.gguf.header import read_header
from gglib_desktop.domain.errors import InvalidModelFile

_KIND = "tokenizer.ggml.model"
_TOKENS = "tokenizer.ggml.tokens"
# llama.cpp takes no notice of the first tokens, which are often special, and of a few more at the end.
_FIRST_COMPARED = 5
_MOST_APART = 128
# What only models have that keep a state beside their cache.
_STATE = ".ssm.state_size"


def drafting_obstacle(model: Path, draft: Path) -> str | None:
    """Why not: tokens that mean something else, or a state. None if it can. Blocks: call it in a thread.

    Raises: InvalidModelFile.
    """
    (kind, tokens, has_state), (other_kind, others, keeps_state) = _read(model), _read(draft)
    if keeps_state and not has_state:
        # llama-server aborts at the first draft token that is not accepted.
        return "it keeps a state beside its cache, which this model does not, so its drafts cannot be taken back"
    if kind != other_kind:
        return f"its tokenizer is {other_kind or 'none'}, the model's {kind or 'none'}"
    if abs(len(tokens) - len(others)) > _MOST_APART:
        return f"its vocabulary has {len(others):,} tokens, the model's {len(tokens):,}"
    for number, (one, other) in enumerate(zip(tokens, others, strict=False)):
        if number >= _FIRST_COMPARED and one != other:
            return f"its vocabulary is another one: token {number} differs"
    return None


def _read(path: Path) -> tuple[str, list[bytes], bool]:
    """The kind of its vocabulary, its tokens, and whether it keeps a state."""
    arrays: dict[str, tuple[int, int]] = {}
    header = read_header(path, arrays)
    kind = header.metadata.get(_KIND)
    begin, end = arrays.get(_TOKENS, (0, 0))
    try:
        with open_regular(path) as file:
            file.seek(begin)
            data = file.read(end - begin) or b""
    except OSError as exc:
        raise InvalidModelFile(path, why_unreadable(exc)) from exc
    length = struct.Struct("<Q" if header.byte_order == "little" else ">Q")
    tokens, at = [], 0
    while at + length.size <= len(data):
        start = at + length.size
        at = start + length.unpack_from(data, at)[0]
        tokens.append(data[start:at])
    return kind if isinstance(kind, str) else "", tokens, any(key.endswith(_STATE) for key in header.metadata)
