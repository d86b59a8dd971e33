"""Counts the statements of the program, and by how much they became more or fewer.

    .venv/bin/python -m tests.statements [revision [revision]]

Without a revision it counts the working tree. One revision is compared with the working tree, two with each other.
Docstrings, comments and blank lines are no statements. A statement counts once, however many lines it has.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

PACKAGE = "gglib_desktop"
_ROOT = Path(__file__).parents[1]


def statements(source: str) -> int:
    """How many statements a module has, those inside others included."""
    return sum(isinstance(node, ast.stmt) and not _is_docstring(node) for node in ast.walk(ast.parse(source)))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def by_package(sources: Iterator[tuple[str, str]]) -> Counter[str]:
    """Statements of each package directly below ours; modules beside the packages count as one."""
    found: Counter[str] = Counter()
    for path, source in sources:
        _ours, first, *inside = path.split("/")
        found[first if inside else "modules"] += statements(source)
    return found


def tree_sources() -> Iterator[tuple[str, str]]:
    """Path and text of each module in the working tree."""
    for path in sorted((_ROOT / PACKAGE).rglob("*.py")):
        yield path.relative_to(_ROOT).as_posix(), path.read_text(encoding="utf-8")


def revision_sources(revision: str) -> Iterator[tuple[str, str]]:
    """Path and text of each module in a revision. One process reads all of them."""
    command = ["git", "archive", "--format=tar", revision, PACKAGE]
    packed = subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".py") else None
            if content:
                yield member.name, content.read().decode()


def _more(before: int, after: int) -> str:
    return f"{(after / before - 1) * 100:+.2f} %" if before else "new"


def _arguments() -> list[str]:
    parser = argparse.ArgumentParser(prog="tests.statements")
    parser.add_argument("revisions", nargs="*", metavar="revision")
    revisions: list[str] = parser.parse_args().revisions
    if len(revisions) > 2:
        parser.error("two revisions at most")
    return revisions


def main() -> None:
    revisions = _arguments()
    counts = [by_package(revision_sources(revision)) for revision in revisions[:2]]
    if len(counts) < 2:
        counts.append(by_package(tree_sources()))
    for name in sorted(set().union(*counts)):
        print(_line(name, [count[name] for count in counts]))
    print(_line("total", [count.total() for count in counts]))


def _line(name: str, numbers: list[int]) -> str:
    columns = "".join(f"{number:8,}" for number in numbers)
    return f"{name:12}{columns}{_more(*numbers):>11}" if len(numbers) == 2 else f"{name:12}{columns}"


if __name__ == "__main__":
    main()
