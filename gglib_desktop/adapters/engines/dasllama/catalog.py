"""Finds dasllama-server."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from gglib_desktop.adapters.engines.asking import CallOff
from gglib_desktop.adapters.engines.openai.catalog import ProgramKind
from gglib_desktop.domain.dasllama.dialect import MTP_FLAG, DasllamaDialect
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities

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
    from importlib.metadata import version

    return f"{_PACKAGE} {version(_PACKAGE)}" if path == _packaged() else None


def _try_out(engine: Engine, environment: Mapping[str, str], call_off: CallOff) -> EngineCapabilities:
    from gglib_desktop.adapters.engines.dasllama.drafting import with_drafting

    return with_drafting(engine, environment, call_off)


DASLLAMA_PROGRAM = ProgramKind(
    DasllamaDialect(),
    _PROGRAM,
    "GGLIB_DASLLAMA_SERVER_PATH",
    ("--model", "--port", "--host", MTP_FLAG),
    _version,
    _packaged,
    try_out=_try_out,
)
