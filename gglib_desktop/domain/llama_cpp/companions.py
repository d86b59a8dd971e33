"""The flags by which llama-server loads a file together with a model."""

from __future__ import annotations

from gglib_desktop.domain.gguf.sidecars import DRAFT_METHODS, Sidecar
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.options.engine_options import DRAFT_MTP, SPEC_TYPE


def companion_arguments(companion: Companion) -> tuple[str, ...]:
    """The extra arguments that load it, empty if there are none for its kind."""
    path = str(companion.path)
    match companion.kind:
        case Sidecar.PROJECTOR:
            return ("--mmproj", path)
        case Sidecar.DRAFT_HEAD:
            return ("--spec-draft-model", path, SPEC_TYPE, _draft_method(companion.architecture))
        case Sidecar.ADAPTER:
            return ("--lora", path)
        case Sidecar.CONTROL_VECTOR:
            return ("--control-vector", path)
        case _:
            return ()


def _draft_method(architecture: str | None) -> str:
    name = (architecture or "").lower()
    return f"draft-{name}" if name in DRAFT_METHODS else DRAFT_MTP
