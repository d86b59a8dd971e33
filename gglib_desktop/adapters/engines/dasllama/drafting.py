"""Whether a build of dasllama lives when it drafts: it is started once, on a model of a few layers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gglib_desktop.adapters.engines.asking import CallOff
from gglib_desktop.adapters.engines.openai.control_start import why_it_fails
from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.domain.dasllama.dialect import MTP_FLAG, OWN_VARIABLES
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities
from gglib_desktop.domain.options.engine_options import DRAFT_MTP


def with_drafting(engine: Engine, environment: Mapping[str, str], call_off: CallOff) -> EngineCapabilities:
    """What it can do: MTP if it lives with it; if not, its last words stand as those about a flag that is gone."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        spec = DemoSpec(name="Control", architecture=DemoArchitecture.QWEN35_MTP)
        model = write_demo_model(Path(folder) / "control.gguf", spec)
        words = (*engine.command, "-m", model.name, "--gpu", "off", "--threads", "1", MTP_FLAG)
        why = why_it_fails(words, {**environment, **OWN_VARIABLES}, Path(folder), call_off)
    if why is None:
        return replace(engine.capabilities, spec_types=frozenset({DRAFT_MTP}))
    return replace(engine.capabilities, removed={MTP_FLAG: f"this build was tried with {MTP_FLAG}, and {why}"})
