"""What serving a model needs: memory, and a chat template if the model has none."""

from __future__ import annotations

from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.domain.gguf.forecast import ByteRange, Serving, forecast
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.models.model import Model


def lacks_template(model: Model) -> bool:
    """Whether the engine must use its own template for chats; never for models that are not for chats."""
    facts = model.facts
    if facts is None or facts.has_chat_template or facts.sidecar:
        return False
    return Capability.EMBEDDING not in model.capabilities


def memory_of(model: Model, header: GgufHeader, serving: Serving) -> ByteRange | None:
    """The memory for serving a model; None if unknown."""
    if model.facts is None or model.problem is not None:
        return None
    facts = model.facts
    return forecast(header.metadata, facts.file_size_bytes, serving, facts.repackable_bytes).total
