"""Finds dasllama-server."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from gglib_desktop.adapters.engines.dasllama.drafting import with_drafting
from gglib_desktop.adapters.engines.openai.catalog import ProgramKind
from gglib_desktop.domain.dasllama.dialect import MTP_FLAG, DasllamaDialect

_PACKAGE, _PROGRAM = "dasllama", "dasllama-server"


def _packaged() -> Path | None:
    # The console script of the package would start it by way of Python.
    spec = importlib.util.find_spec(_PACKAGE)
    programs = (
        Path(folder) / "_sdk" / f"{_PROGRAM}.exe" for folder in (spec and spec.submodule_search_locations) or ()
    )
    return next(filter(Path.is_file, programs), None)


def _version(path: Path) -> str | None:
    """Asked for its version, it would start to serve."""
    return f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)}" if path == _packaged() else None


DASLLAMA_PROGRAM = ProgramKind(
    DasllamaDialect(),
    _PROGRAM,
    "GGLIB_DASLLAMA_SERVER_PATH",
    ("--model", "--port", "--host", MTP_FLAG),
    _version,
    _packaged,
    try_out=with_drafting,
)
