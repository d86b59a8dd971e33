"""What a server does now, and what it has done so far, as it tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SlotWork:
    """What a slot does. ``task`` None: it was never used. ``prompt_n`` None: the length of the prompt is not known.

    ``read_n`` tokens of the prompt have been read so far, and ``gen_n`` tokens generated; None: neither is
    told.
    """

    slot: int
    task: int | None = None
    is_busy: bool = False
    read_n: int = 0
    prompt_n: int | None = None
    gen_n: int | None = 0


@dataclass(frozen=True)
class Counters:
    """Sums since the server started. None: this engine does not tell. Times are in seconds.

    ``prompt_n`` leaves out ``cached_n``. ``gen_n`` includes what cancelled requests had generated; most
    engines count it only when a request ends. ``accepted_at[0]`` counts the drafts whose first token was accepted.
    """

    prompt_n: int
    prompt_s: float | None
    gen_n: int
    gen_s: float | None
    cached_n: int | None = None
    drafts: int | None = None
    draft_n: int | None = None
    accepted_n: int | None = None
    accepted_at: tuple[int, ...] = ()
    processing: int | None = None
    deferred: int | None = None


@dataclass(frozen=True)
class MemoryUse:
    """The memory of one process in bytes. None: not known.

    ``resident`` includes the pages of files, such as the model's, which several servers may share; ``anonymous`` does
    not. ``proportional`` (PSS) counts shared pages by their share, so only it may be added up.
    """

    resident: int
    anonymous: int | None = None
    proportional: int | None = None
    graphics: int | None = None


@dataclass(frozen=True)
class Drafting:
    """What drafting brings: over the last generated tokens, or so far.

    ``tokens_per_step`` is 1 without any accepted draft. ``accepted`` and ``accepted_at`` (by position) are shares from
    0 to 1. ``gain`` is the speed as a multiple of that without drafting; ``breaks_even_at`` is the number of tokens per
    step at which it would be 1. ``fewer``: so many draft tokens would probably be faster, ``fewer_gain`` times as fast
    as now. These are None where the speed without drafting was not measured, or it was and the gain ``is_uncertain``:
    there were too few requests, or they differed too much.
    """

    tokens_per_step: float
    accepted: float
    accepted_at: tuple[float, ...] = ()
    gain: float | None = None
    breaks_even_at: float | None = None
    fewer: int | None = None
    fewer_gain: float | None = None
    is_uncertain: bool = False


@dataclass(frozen=True)
class ServerFigures:
    """All that is shown of a server at work. None: not observed. Speeds are in tokens per second.

    ``generation`` is the speed of all slots together over the last seconds, 0 while none generates; ``prompt`` and
    ``first_token_ms`` are those of the last requests. ``waiting`` requests have no slot yet. ``cpu`` is in percent of
    one core. ``seconds`` are the speeds of the last two minutes, one each second, and ``hour`` those of the last hour,
    one each 30 seconds; the newest is last, and None where none was observed.
    """

    generation: float | None = None
    prompt: float | None = None
    first_token_ms: float | None = None
    waiting: int | None = None
    busy_slots: int | None = None
    slots: tuple[SlotWork, ...] = ()
    memory: MemoryUse | None = None
    cpu: float | None = None
    drafting: Drafting | None = None
    seconds: tuple[float | None, ...] = ()
    hour: tuple[float | None, ...] = ()
