"""How a configuration will be served, as far as memory is concerned."""

from __future__ import annotations

from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.domain.gguf.forecast import ByteRange, Serving, forecast
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.servers.server import ServerConfig

_USUAL_BATCH = 2048
_TEMPLATE_OR_NO_CHAT = frozenset(
    {"--chat-template", "--chat-template-file", "--embedding", "--embeddings", "--rerank", "--reranking"}
)
_NO_REPACK = frozenset({"-nr", "--no-repack"})


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
        batch=min(config.ubatch_size or usual.batch, config.batch_size or _USUAL_BATCH),
        draft_tokens=config.spec_draft_n_max or 0,
        flash_attention=config.flash_attn != "off",
        maps_file=config.mmap is not False,
        repacks=_NO_REPACK.isdisjoint(map(flag_of, config.extra_args)),
    )


def lacks_template(model: Model, config: ServerConfig | None = None) -> bool:
    """Whether the engine must take a template of its own for chats; never of models that are not for chats.

    Without ``config``: as far as the model itself goes.
    """
    facts = model.facts
    if facts is None or facts.has_chat_template or facts.sidecar or Capability.EMBEDDING in model.capabilities:
        return False
    if config is None:
        return True
    chosen = config.chat_template or config.chat_template_file or config.embeddings
    return not chosen and _TEMPLATE_OR_NO_CHAT.isdisjoint(map(flag_of, config.extra_args))


def memory_of(model: Model, header: GgufHeader, config: ServerConfig) -> ByteRange | None:
    """The memory that serving a model takes; None when that cannot be said."""
    if model.facts is None or model.problem is not None:
        return None
    facts = model.facts
    return forecast(header.metadata, facts.file_size_bytes, serving_of(config), facts.repackable_bytes).total
