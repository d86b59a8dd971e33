"""Compares the vocabularies of two models, as an engine does before one drafts for the other."""

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


def vocabulary_difference(model: Path, draft: Path) -> str | None:
    """Why tokens of one mean nothing to the other; None if they are the same. Blocks: call it in a thread.

    Raises: InvalidModelFile.
    """
    (kind, tokens), (other_kind, others) = _vocabulary(model), _vocabulary(draft)
    if kind != other_kind:
        return f"its tokenizer is {other_kind or 'none'}, the model's {kind or 'none'}"
    if abs(len(tokens) - len(others)) > _MOST_APART:
        return f"its vocabulary has {len(others):,} tokens, the model's {len(tokens):,}"
    for number, (one, other) in enumerate(zip(tokens, others, strict=False)):
        if number >= _FIRST_COMPARED and one != other:
            return f"its vocabulary is another one: token {number} differs"
    return None


def _vocabulary(path: Path) -> tuple[str, list[bytes]]:
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
    return (kind if isinstance(kind, str) else "", tokens)
