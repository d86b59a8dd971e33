"""How a configuration will be served, as far as memory is concerned."""

from __future__ import annotations

from gglib_desktop.domain.forecast import ByteRange, Serving, forecast
from gglib_desktop.domain.gguf import GgufHeader
from gglib_desktop.domain.model import Model
from gglib_desktop.domain.server import ServerConfig


def serving_of(config: ServerConfig) -> Serving:
    """What is not chosen is as llama-server does it. Only slots of its own number share one context."""
    usual = Serving()
    slots = config.parallel if config.parallel is not None and config.parallel > 0 else None
    return Serving(
        context=config.context_size or 0,
        slots=slots or usual.slots,
        unified=slots is None,
        key_type=config.cache_type_k or usual.key_type,
        value_type=config.cache_type_v or usual.value_type,
        batch=config.ubatch_size or usual.batch,
        draft_tokens=config.spec_draft_n_max or 0,
    )


def memory_of(model: Model, header: GgufHeader, config: ServerConfig) -> ByteRange | None:
    """The memory that serving a model takes; None when that cannot be said."""
    if model.facts is None or model.problem is not None:
        return None
    return forecast(header.metadata, model.facts.file_size_bytes, serving_of(config)).total
