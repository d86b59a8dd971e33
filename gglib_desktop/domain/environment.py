"""The environment variables of this program, as far as its core reads them."""

from __future__ import annotations

from collections.abc import Mapping

ENGINE_VARIABLE = "GGLIB_LLAMA_SERVER_PATH"
INSTANCE_VARIABLE = "GGLIB_INSTANCE"
DISABLE_MTP_VARIABLE = "GGLIB_DISABLE_MTP"
_OURS = frozenset({"VIRTUAL_ENV", INSTANCE_VARIABLE})
_TRUE_WORDS = frozenset({"1", "true", "yes", "on"})


def mtp_is_suppressed(environment: Mapping[str, str]) -> bool:
    """Whether GGLIB_DISABLE_MTP switches speculative decoding off for every server."""
    return environment.get(DISABLE_MTP_VARIABLE, "").strip().lower() in _TRUE_WORDS


def for_other_programs(
    environment: Mapping[str, str], *, frozen: bool, without: tuple[str, ...] = ()
) -> dict[str, str]:
    """Our variables without those that would silently change another program, as do those that begin ``without``.

    ``frozen``: we run from a bundle, whose library path must not reach other programs.
    """
    harmful = ("PYTHON", *without)
    kept = {name: value for name, value in environment.items() if not name.startswith(harmful) and name not in _OURS}
    if frozen:
        kept.pop("LD_LIBRARY_PATH", None)
        original = kept.pop("LD_LIBRARY_PATH_ORIG", None)
        if original is not None:
            kept["LD_LIBRARY_PATH"] = original
    return kept
