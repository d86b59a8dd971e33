"""What vLLM tells of itself and of its work: its lists of models and of metrics. Any answer is read; none raises."""

from __future__ import annotations

import math
import re

from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.traffic.figures import Counters

METRICS_PATH, VERSION_PATH = "/metrics", "/version"
_METRIC = re.compile(r"vllm:(\w+)(?:\{[^}]*\})? (\S+)", re.ASCII)
_OWNER = "vllm"


def facts_told(models: object, version: object) -> ServerFacts | None:
    """None if it is another server's list."""
    listed = models.get("data") if isinstance(models, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(first, dict) or first.get("owned_by") != _OWNER:
        return None
    length, name, root = first.get("max_model_len"), first.get("id"), first.get("root")
    build = version.get("version") if isinstance(version, dict) else None
    return ServerFacts(
        context_size=length if isinstance(length, int) else None,
        model_path=root if isinstance(root, str) else None,
        alias=name if isinstance(name, str) else None,
        build=build if isinstance(build, str) else None,
    )


def counters_told(metrics: str) -> Counters | None:
    """The sums over all of its engines; its times overlap where it works on several requests, so none are told."""
    told: dict[str, int] = {}
    for line in metrics.splitlines():
        found = _METRIC.fullmatch(line.rstrip())
        number = _number(found[2]) if found else None
        if found is not None and number is not None:
            told[found[1]] = told.get(found[1], 0) + int(number)
    if "prompt_tokens_total" not in told or "generation_tokens_total" not in told:
        return None
    return Counters(
        told["prompt_tokens_total"],
        None,
        told["generation_tokens_total"],
        None,
        drafts=told.get("spec_decode_num_drafts_total"),
        draft_n=told.get("spec_decode_num_draft_tokens_total"),
        accepted_n=told.get("spec_decode_num_accepted_tokens_total"),
        processing=told.get("num_requests_running"),
        deferred=told.get("num_requests_waiting"),
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
