"""What a server does now and has done: its answers about slots and counters. Any answer is read; none raises."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from gglib_desktop.domain.traffic.figures import Counters, SlotWork

_COUNTER = re.compile(r'llamacpp:(\w+)(?:\{position="(\d{1,3})"\})? (\S+)', re.ASCII)
_AT_POSITION = "spec_decode_num_accepted_tokens_per_pos_total"


def slots_told(slots: object) -> tuple[SlotWork, ...] | None:
    """What each of /slots does; None if it is no list of slots.

    The length of a prompt is not told: ``n_prompt_tokens`` counts what has been submitted so far.
    """
    if not isinstance(slots, list):
        return None
    return tuple(_work_of(slot) for slot in slots if isinstance(slot, dict) and _whole(slot.get("id")) is not None)


def _work_of(slot: Mapping[object, object]) -> SlotWork:
    task = _whole(slot.get("id_task"))
    following = slot.get("next_token")
    # Builds of 2025 have no list here.
    first = following[0] if isinstance(following, list) and following else following
    generated = first.get("n_decoded") if isinstance(first, dict) else None
    read = (_whole(slot.get(f"n_prompt_tokens_{name}")) or 0 for name in ("processed", "cache"))
    return SlotWork(
        slot=_whole(slot.get("id")) or 0,
        task=task if task is not None and task >= 0 else None,
        is_busy=slot.get("is_processing") is True,
        read_n=sum(read),
        gen_n=_whole(generated) or 0,
    )


def counters_told(metrics: str) -> Counters | None:
    """The counters in /metrics; None if one of the first four is missing.

    The gauges of speeds are left out: each reader, whoever it is, starts them again.
    """
    told: dict[str, float] = {}
    positions: dict[int, int] = {}
    for line in metrics.splitlines():
        found = _COUNTER.fullmatch(line.rstrip())
        number = _number(found[3]) if found else None
        if found is None or number is None:
            continue
        if found[2] is None:
            told[found[1]] = number
        elif found[1] == _AT_POSITION:
            positions[int(found[2])] = int(number)
    return _counters(told, positions)


def _counters(told: Mapping[str, float], positions: Mapping[int, int]) -> Counters | None:
    def whole(name: str) -> int | None:
        return int(told[name]) if name in told else None

    prompt_n, gen_n = whole("prompt_tokens_total"), whole("tokens_predicted_total")
    prompt_s, gen_s = told.get("prompt_seconds_total"), told.get("tokens_predicted_seconds_total")
    if prompt_n is None or prompt_s is None or gen_n is None or gen_s is None:
        return None
    unbroken = [positions[at] for at in range(len(positions)) if at in positions]
    return Counters(
        prompt_n,
        prompt_s,
        gen_n,
        gen_s,
        cached_n=whole("prompt_tokens_cached_total"),
        drafts=whole("spec_decode_num_drafts_total"),
        draft_n=whole("spec_decode_num_draft_tokens_total"),
        accepted_n=whole("spec_decode_num_accepted_tokens_total"),
        accepted_at=tuple(unbroken) if len(unbroken) == len(positions) else (),
        processing=whole("requests_processing"),
        deferred=whole("requests_deferred"),
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
