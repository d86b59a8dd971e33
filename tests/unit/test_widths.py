"""Caps on how long and how wide things get. What grows past them is divided by subject."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE_LINES = 400
FUNCTION_LINES = 40
PUBLIC_METHODS = 15
ATTRIBUTES = 12
FILES_IN_A_FOLDER = 15
# Values and lists of names: as wide as what they describe.
_EXEMPT_BASES = frozenset({"Enum", "StrEnum", "IntEnum", "Flag", "NamedTuple", "Protocol"})

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def measured() -> Iterator[tuple[str, int, int]]:
    """Each measured thing: what it is called, how much it has, and how much it may have."""
    for path in sorted((ROOT / "gglib_desktop").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        source = path.read_text(encoding="utf-8")
        yield f"{name}: lines", source.count("\n"), FILE_LINES
        for scope, node in _definitions(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                yield from _class_widths(f"{name}: {scope}", node)
            else:
                yield f"{name}: {scope}: lines", _lines(node), FUNCTION_LINES
    for folder in sorted({path.parent for path in (ROOT / "gglib_desktop").rglob("*.py")}):
        yield (
            f"{folder.relative_to(ROOT).as_posix()}/: files",
            sum(map(Path.is_file, folder.iterdir())),
            FILES_IN_A_FOLDER,
        )


def _definitions(module: ast.Module) -> Iterator[tuple[str, ast.ClassDef | _Function]]:
    waiting: list[tuple[str, ast.AST]] = [("", module)]
    while waiting:
        scope, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, ast.ClassDef | _Function):
                inner = f"{scope}.{child.name}".lstrip(".")
                yield inner, child
            waiting.append((inner, child))


def _lines(function: _Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def _class_widths(name: str, node: ast.ClassDef) -> Iterator[tuple[str, int, int]]:
    if _is_exempt(node):
        return
    functions = {each.name for each in node.body if isinstance(each, _Function)}
    yield f"{name}: public methods", sum(not each.startswith("_") for each in functions), PUBLIC_METHODS
    yield f"{name}: attributes", len(set(_attributes(node))), ATTRIBUTES


def _is_exempt(node: ast.ClassDef) -> bool:
    frozen = any("frozen=True" in ast.unparse(decorator) for decorator in node.decorator_list)
    return frozen or any(ast.unparse(base).split("[")[0].split(".")[-1] in _EXEMPT_BASES for base in node.bases)


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    """What the class body assigns, such as signals, and what its methods set on ``self``."""
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
        yield from (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
    for inside in ast.walk(node):
        if (
            isinstance(inside, ast.Attribute)
            and isinstance(inside.ctx, ast.Store)
            and ast.unparse(inside.value) == "self"
        ):
            yield inside.attr


def test_nothing_is_too_wide():
    assert {name: (has, may_have) for name, has, may_have in measured() if has > may_have} == {}
