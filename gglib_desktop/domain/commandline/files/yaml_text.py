"""The YAML that people keep commands in: compose files, llama-swap, Kubernetes.

PyYAML's parser does the reading. Its loaders are not used: every scalar is text here, and a tag means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Larger than real files. The parser's time grows with depth and length.
_LONGEST = 250_000
_DEEPEST = 50
# Merge keys copy entries: a chain of them grows with its square.
_MOST_MERGED = 100_000


class NotYaml(ValueError):  # noqa: N818  # a state of the text, not an error of ours
    """A text is not YAML, or is larger or deeper than a file with a command."""


def documents(text: str) -> Iterator[Any]:
    """Each document as mappings, lists and strings. An alias is the same object as the node that it names.

    Raises: NotYaml, only when it reaches the mistake: the documents before it have been yielded by then.
    """
    import yaml

    if len(text) > _LONGEST:
        raise NotYaml
    # The same parser in C takes a tenth of the time. PyYAML may have been built without it.
    events = yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    tree = _Tree()
    try:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                # The line break that ends a block is not part of its last word.
                is_block = event.style in {"|", ">"}
                tree.add(event.value.rstrip("\n") if is_block else event.value, event.anchor)
            elif isinstance(event, yaml.AliasEvent):
                tree.add_alias(event.anchor or "")
            elif isinstance(event, yaml.CollectionStartEvent):
                tree.open(event.anchor)
            elif isinstance(event, yaml.SequenceEndEvent):
                tree.close_list()
            elif isinstance(event, yaml.MappingEndEvent):
                tree.close_mapping()
            elif isinstance(event, yaml.DocumentEndEvent):
                yield tree.document()
    # The last two: a code in the text that is not a character.
    except (yaml.YAMLError, ValueError, OverflowError) as exc:
        raise NotYaml from exc


class _Tree:
    """Builds one document. No method calls itself, and an alias copies nothing."""

    def __init__(self) -> None:
        self._open: list[tuple[str | None, list[Any]]] = [(None, [])]
        self._anchors: dict[str, Any] = {}
        self._merged = 0

    def document(self) -> Any:
        """The document that has ended."""
        self._anchors.clear()
        return self._open[0][1].pop()

    def open(self, anchor: str | None) -> None:
        if len(self._open) > _DEEPEST:
            raise NotYaml
        self._open.append((anchor, []))

    def add(self, value: Any, anchor: str | None = None) -> None:
        self._open[-1][1].append(value)
        if anchor:
            self._anchors[anchor] = value

    def add_alias(self, name: str) -> None:
        """The node with that name; the text itself if there is none, or if the node is still open."""
        self.add(self._anchors.get(name, f"*{name}"))

    def close_list(self) -> None:
        anchor, items = self._open.pop()
        self.add(items, anchor)

    def close_mapping(self) -> None:
        anchor, items = self._open.pop()
        entries: dict[str, Any] = {}
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key == "<<":
                entries = self._with_merged(value, entries)
            elif isinstance(key, str):
                entries[key] = value
        self.add(entries, anchor)

    def _with_merged(self, value: Any, entries: dict[str, Any]) -> dict[str, Any]:
        bases = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
        self._merged += sum(map(len, bases))
        if self._merged > _MOST_MERGED:
            raise NotYaml
        for base in bases:
            entries = {**base, **entries}
        return entries
