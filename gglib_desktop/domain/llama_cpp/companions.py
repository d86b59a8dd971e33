"""The flags by which llama-server loads a file together with a model, and drafts with one."""

from __future__ import annotations

from collections.abc import Iterator

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.llama_cpp.flag_drift import spec_type_for, spelling_for, why_no_method
from gglib_desktop.domain.models.companions import Companion
from gglib_desktop.domain.models.draft_files import head_method
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.options.drafting import drafting_method, needs_file, takes_numbers
from gglib_desktop.domain.options.engine_options import DRAFT_MTP, DRAFT_NUMBERS, SPEC_TYPE, engine_option
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.units import shortest

_FILE = "spec_draft_model"
# In their words these name no file of this computer.
_FROM_THE_NETWORK = frozenset({"--spec-draft-hf", "--hf-repo-draft", "-hfd", "-hfrd"})


def companion_arguments(companion: Companion) -> tuple[str, ...]:
    """The extra arguments that load it, empty if there are none for its kind."""
    path = str(companion.path)
    match companion.kind:
        case Sidecar.PROJECTOR:
            return ("--mmproj", path)
        case Sidecar.DRAFT_HEAD:
            return ("--spec-draft-model", path, SPEC_TYPE, head_method(companion.architecture))
        case Sidecar.ADAPTER:
            return ("--lora", path)
        case Sidecar.CONTROL_VECTOR:
            return ("--control-vector", path)
        case _:
            return ()


def drafting_arguments(config: ServerConfig, capabilities: EngineCapabilities) -> Iterator[tuple[str, ...]]:
    """For a server that drafts: a field's name, its flag and the value, for each flag."""
    method = drafting_method(config)
    names = ",".join(spec_type_for(name, capabilities) for name in method.split(","))
    yield ("spec_type" if config.spec_type else "spec_draft_n_max", SPEC_TYPE, names)
    for name in sorted(DRAFT_NUMBERS) if takes_numbers(method) else ():
        if config.get(name) is not None:
            yield (name, _flag(name, capabilities), shortest(config.get(name)))
    if config.spec_draft_model is not None:
        yield (_FILE, _flag(_FILE, capabilities), str(config.spec_draft_model))


def drafting_objections(config: ServerConfig, capabilities: EngineCapabilities) -> Iterator[ConfigurationError]:
    """Why a server cannot draft as it is to."""
    method = drafting_method(config)
    names = [spec_type_for(name, capabilities) for name in method.split(",")]
    if method == DRAFT_MTP and not capabilities.has_mtp:
        reason = f"this engine does not list {DRAFT_MTP}, which MTP needs"
        yield ConfigurationError("spec_draft_n_max", config.spec_draft_n_max, reason)
    elif why := why_no_method(names, capabilities):
        yield ConfigurationError("spec_type" if config.spec_type else _FILE, method, why)
    named_otherwise = {*engine_option(_FILE).spec.flags, *_FROM_THE_NETWORK}
    if needs_file(method) and config.spec_draft_model is None and named_otherwise.isdisjoint(_flags(config)):
        yield ConfigurationError(_FILE, None, f"{method} needs a draft model")


def _flags(config: ServerConfig) -> list[str]:
    return [flag_of(word) for word in config.extra_args]


def _flag(name: str, capabilities: EngineCapabilities) -> str:
    return spelling_for(engine_option(name).spec.flags, capabilities)
