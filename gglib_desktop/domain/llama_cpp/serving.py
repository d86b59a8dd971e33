"""What a configuration means for memory and for chats, with llama-server's own choices for options that are not set."""

from __future__ import annotations

from gglib_desktop.domain.gguf.forecast import Serving
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.servers.server import ServerConfig

_USUAL_BATCH = 2048
_TEMPLATE_OR_NO_CHAT = frozenset(
    {"--chat-template", "--chat-template-file", "--embedding", "--embeddings", "--rerank", "--reranking"}
)
_NO_REPACK = frozenset({"-nr", "--no-repack"})


def serving_of(config: ServerConfig) -> Serving:
    """Slots share one context only if their number is automatic."""
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


def settles_template(config: ServerConfig) -> bool:
    """Whether a configuration chooses a chat template, or serves no chats."""
    chosen = config.chat_template or config.chat_template_file or config.embeddings
    return bool(chosen) or not _TEMPLATE_OR_NO_CHAT.isdisjoint(map(flag_of, config.extra_args))
