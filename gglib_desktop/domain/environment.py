"""The environment variables of this program, as far as its core reads them."""

from __future__ import annotations

from collections.abc import Mapping

ENGINE_VARIABLE = "GGLIB_LLAMA_SERVER_PATH"
INSTANCE_VARIABLE = "GGLIB_INSTANCE"
DISABLE_MTP_VARIABLE = "GGLIB_DISABLE_MTP"
_TRUE_WORDS = frozenset({"1", "true", "yes", "on"})


def mtp_is_suppressed(environment: Mapping[str, str]) -> bool:
    """Whether GGLIB_DISABLE_MTP switches speculative decoding off for every server."""
    return environment.get(DISABLE_MTP_VARIABLE, "").strip().lower() in _TRUE_WORDS
