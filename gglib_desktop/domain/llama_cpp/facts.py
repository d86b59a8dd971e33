"""What a server reports: the answers of /props, /slots and /v1/models, and the beginning of its log."""

from __future__ import annotations

import re
from typing import Any

from gglib_desktop.domain.options.client_names import is_path, names_in
from gglib_desktop.domain.servers.effective import ServerFacts

_INITIALIZING = re.compile(r"initializing, n_slots = \d+, n_ctx_slot = \d+, kv_unified = '(true|false)'")
_OFFLOADED = re.compile(r"offloaded (\d+)/(\d+) layers to GPU")
_MODEL_BUFFER = re.compile(r"load_tensors:\s+(\S+) model buffer size")
_CAPPED = "exceeds the training context of the model"
_FITTED = "context size reduced from"
_PAGE = "/"
_LOADING = "Loading model"
_OWNER = "llamacpp"
_NO_GPU = "no usable GPU found"


def facts_from(props: object, slots: object, log: str) -> ServerFacts | None:
    """The facts in /props, /slots and the beginning of the log; None if /props has none."""
    if not isinstance(props, dict):
        return None
    generation = _mapping(props.get("default_generation_settings"))
    every_slot = [each for each in slots if isinstance(each, dict)] if isinstance(slots, list) else []
    drafting = {each["speculative"] for each in every_slot if isinstance(each.get("speculative"), bool)}
    types = (_text(_mapping(each.get("params")).get("speculative.types")) or "" for each in every_slot)
    shared = _INITIALIZING.search(log)
    gpu_layers, layers = _offloaded(log)
    return ServerFacts(
        context_size=_whole(generation.get("n_ctx")),
        slots=_whole(props.get("total_slots")),
        model_path=_text(props.get("model_path")),
        alias=_text(props.get("model_alias")),
        build=_text(props.get("build_info")),
        chat_template=_text(props.get("chat_template")),
        context_shared=None if shared is None else shared[1] == "true",
        context_capped=_CAPPED in log,
        context_fitted=_FITTED in log,
        drafts=any(drafting) if drafting else None,
        draft_types=frozenset(name for each in types for name in each.split(",")) - {"", "none"},
        gpu_layers=gpu_layers,
        layers=layers,
        may_sleep=is_asleep(props) is True,
        takes_images=_truth(_mapping(props.get("modalities")).get("vision")),
        page=_PAGE if _truth(props.get("ui")) else None,
    )


def is_asleep(props: object) -> bool | None:
    """Whether the server has let its model go until the next request; None if it does not say."""
    return _truth(props.get("is_sleeping")) if isinstance(props, dict) else None


def is_loading(told: object) -> bool:
    """Whether an answer says that the model is being loaded."""
    error = told.get("error") if isinstance(told, dict) else None
    return isinstance(error, dict) and error.get("message") == _LOADING


def lists_models(told: object) -> bool:
    """Whether a list of models is one of llama-server's."""
    listed = told.get("data") if isinstance(told, dict) else None
    owners = [each.get("owned_by") for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return _OWNER in owners


def names_told(models: object) -> tuple[str, ...]:
    """The names in an answer of ``/v1/models`` about one model. The path of a file is not a name."""
    listed = models.get("data") if isinstance(models, dict) else None
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        return ()
    aliases = listed[0].get("aliases")
    told = aliases if isinstance(aliases, list) and aliases else [listed[0].get("id")]
    return tuple(name for each in told if isinstance(each, str) and not is_path(each) for name in names_in(each))


def _offloaded(log: str) -> tuple[int | None, int | None]:
    said = _OFFLOADED.search(log)
    if said is None:
        return (0 if _NO_GPU in log else None), None
    buffers = _MODEL_BUFFER.findall(log)
    # Without any GPU, llama-server b10434 counts all layers as offloaded, and keeps them in main memory.
    on_cpu = bool(buffers) and all(name.startswith("CPU") for name in buffers)
    return (0 if on_cpu else int(said[1])), int(said[2])


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
