"""What dasllama tells of itself and of its work in ``/v1/stats``. Any answer is read; none raises."""

from __future__ import annotations

from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.traffic.figures import Counters, SlotWork

STATS_PATH = "/v1/stats"
_ON_CPU = "CPU"


def facts_told(stats: object) -> ServerFacts | None:
    """None without a model."""
    if not isinstance(stats, dict) or stats.get("setup") is True or slots_told(stats) is None:
        return None
    model = next((each for each in stats.get("models") or () if isinstance(each, dict)), {})
    name = stats.get("model")
    return ServerFacts(
        context_size=_count(stats, "ctx"),
        slots=_count(stats, "max_streams"),
        alias=name if isinstance(name, str) else None,
        drafts=True if _count(stats, "mtp_drafted") else None,
        gpu_layers=0 if model.get("served") == _ON_CPU else None,
        takes_images=stats["vision"] if isinstance(stats.get("vision"), bool) else None,
    )


def slots_told(stats: object) -> tuple[SlotWork, ...] | None:
    """It tells how many of its streams are at work, not which ones, and not how far they are."""
    active, streams = _count(stats, "active"), _count(stats, "max_streams")
    if active is None or streams is None:
        return None
    return tuple(SlotWork(each, is_busy=each < active, gen_n=None if each < active else 0) for each in range(streams))


def counters_told(stats: object) -> Counters | None:
    """It counts while it works, and tells no times."""
    prompt_n, gen_n = _count(stats, "prefill_tokens"), _count(stats, "gen_tokens")
    if prompt_n is None or gen_n is None:
        return None
    return Counters(
        prompt_n,
        None,
        gen_n,
        None,
        cached_n=_count(stats, "cached_tokens"),
        draft_n=_count(stats, "mtp_drafted"),
        accepted_n=_count(stats, "mtp_accepted"),
        processing=_count(stats, "active"),
        deferred=_count(stats, "queued"),
    )


def _count(stats: object, name: str) -> int | None:
    value = stats.get(name) if isinstance(stats, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
