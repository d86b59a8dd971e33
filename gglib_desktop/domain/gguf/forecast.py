"""How much memory serving a model will take, before it is started.

Not included: what llama-server collects while it works (prompt cache and checkpoints), and the drivers' own memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gglib_desktop.domain.gguf.cache_layout import (
    ArchitectureKeys,
    AttentionLayer,
    CacheLayout,
    HeaderGap,
    cache_layout,
)
from gglib_desktop.domain.gguf.header import GgufValue
from gglib_desktop.domain.options.cache_types import CACHE_TYPES

CONTEXT_STEP = 256
_FLOAT_BYTES = 4
_MASK_BYTES = 2
_SPARE_BUFFERS_BYTES = 2**20
# How far real intermediate results are from the calculated ones, measured with b10434 and b11549.
_RESULTS_SHARE = (0.95, 1.1)
# For the draft layers. They have fewer results than the whole model.
_DRAFT_SHARE = 0.5
# llama-server itself: its code and tables, and what it keeps for each token of the vocabulary.
_ENGINE_BYTES = (20 * 2**20, 45 * 2**20)
_ENGINE_TOKEN_BYTES = (100, 120)
# Only a range at most this wide is called good.
_GOOD_SPREAD = 1.15
# Other programs need memory too, and a system without free memory stalls.
_COMFORTABLE_SHARE = 0.9


class Confidence(StrEnum):
    """How far a forecast can be trusted."""

    GOOD = "good"
    ROUGH = "rough"
    UNKNOWN = "unknown"


class Fit(StrEnum):
    """Whether a model fits into memory."""

    FITS = "fits"
    TIGHT = "tight"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From ``low`` to ``high`` bytes."""

    low: int
    high: int

    def __add__(self, other: ByteRange) -> ByteRange:
        return ByteRange(self.low + other.low, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a computer or a card. ``free_bytes`` is available to programs now."""

    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class GraphicsCard:
    """A card with memory of its own."""

    name: str
    memory: Memory


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """How a model will be served. ``context`` is in tokens, 0 is the model's own; ``draft_tokens`` 0: no drafting.

    The defaults are llama-server's. With ``unified`` all slots share the context, else each has its own part.
    ``batch`` is the number of tokens computed at once. ``repacks``: the engine may reorder weights for the CPU.
    ``draft_bytes`` is the size of a file that drafts for the model; its cache is small, and not forecast.
    """

    context: int = 0
    slots: int = 4
    unified: bool = True
    key_type: str = "f16"
    value_type: str = "f16"
    batch: int = 512
    draft_tokens: int = 0
    flash_attention: bool = True
    maps_file: bool = True
    repacks: bool = True
    draft_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """The memory that a server will need, by part. None: unknown; ``gaps`` are the missing metadata keys."""

    weights_bytes: int | None
    cache: ByteRange | None
    buffers: ByteRange | None
    gaps: tuple[str, ...] = ()
    copies: ByteRange = ByteRange(0, 0)
    """Weights kept a second time, reordered for the CPU. How many depends on the processor."""
    engine: ByteRange = ByteRange(0, 0)

    @property
    def total(self) -> ByteRange | None:
        """The server's memory as the system will show it."""
        needed = self.needed
        return None if needed is None else needed + self.copies

    @property
    def needed(self) -> ByteRange | None:
        """What must be free: the system can drop pages of the file that were copied."""
        if self.weights_bytes is None or self.cache is None or self.buffers is None:
            return None
        return ByteRange(self.weights_bytes, self.weights_bytes) + self.cache + self.buffers + self.engine

    @property
    def confidence(self) -> Confidence:
        needed = self.needed
        if needed is None:
            return Confidence.UNKNOWN
        return Confidence.GOOD if needed.high <= needed.low * _GOOD_SPREAD else Confidence.ROUGH


def forecast(
    metadata: Mapping[str, GgufValue], weights_bytes: int | None, serving: Serving, repackable_bytes: int = 0
) -> Forecast:
    """``weights_bytes`` is the size of all shards together, None if one is missing.

    ``repackable_bytes`` of it may be kept a second time.
    """
    found = _forecast(_told_by(metadata), weights_bytes, serving)
    # Without a mapped file only the reordered weights are kept.
    may_copy = serving.repacks and serving.maps_file
    return replace(found, copies=ByteRange(0, repackable_bytes)) if may_copy else found


@dataclass(frozen=True, slots=True)
class _Widths:
    """What the size of the buffers depends on."""

    model: int
    inner: int
    vocabulary: int
    heads: int
    query: int
    """The floats of all heads of a token together."""
    state: int = 0


@dataclass(frozen=True, slots=True)
class _Told:
    """What the header says, independent of how the model is served."""

    context: int | None
    layout: CacheLayout | None
    widths: _Widths | None
    gaps: tuple[str, ...]


def _told_by(metadata: Mapping[str, GgufValue]) -> _Told:
    layout = widths = None
    gaps: list[str] = []
    try:
        layout = cache_layout(metadata)
    except HeaderGap as gap:
        gaps.append(gap.key)
    try:
        widths = _widths(ArchitectureKeys(metadata))
    except HeaderGap as gap:
        gaps.append(gap.key)
    return _Told(model_context(metadata), layout, widths, tuple(dict.fromkeys(gaps)))


def _forecast(told: _Told, weights_bytes: int | None, serving: Serving) -> Forecast:
    weights_bytes = None if weights_bytes is None else weights_bytes + serving.draft_bytes
    context = serving.context or told.context
    if context is None:
        return Forecast(weights_bytes, None, None, ("context_length",))
    serving = replace(serving, context=context, batch=min(serving.batch, _padded(context)))
    cache = None if told.layout is None else _cache(told.layout, serving)
    if told.widths is None:
        return Forecast(weights_bytes, cache, None, told.gaps)
    buffers = _buffers(told.widths, told.layout or CacheLayout(), serving)
    engine = ByteRange(
        *(fixed + told.widths.vocabulary * each for fixed, each in zip(_ENGINE_BYTES, _ENGINE_TOKEN_BYTES, strict=True))
    )
    return Forecast(weights_bytes, cache, buffers, told.gaps, engine=engine)


def model_context(metadata: Mapping[str, GgufValue]) -> int | None:
    """The longest context that the model was made for, in tokens."""
    try:
        return ArchitectureKeys(metadata).required("context_length")
    except HeaderGap:
        return None


def judge(needed: ByteRange | None, memory: Memory | None) -> Fit:
    """Compares the memory that a forecast asks for with what is free now."""
    if needed is None or memory is None:
        return Fit.UNKNOWN
    if needed.high <= memory.free_bytes * _COMFORTABLE_SHARE:
        return Fit.FITS
    return Fit.TIGHT if needed.low <= memory.free_bytes else Fit.DOES_NOT_FIT


def largest_context_that_fits(
    metadata: Mapping[str, GgufValue], weights_bytes: int | None, serving: Serving, memory: Memory | None
) -> int | None:
    """The longest context, up to the model's own, that fits comfortably for certain; 0: none, None: unknown."""
    told = _told_by(metadata)
    longest = told.context
    if longest is None or memory is None:
        return None

    def needed(context: int) -> ByteRange | None:
        return _forecast(told, weights_bytes, replace(serving, context=context)).needed

    def fits(context: int) -> bool:
        return judge(needed(context), memory) is Fit.FITS

    if needed(longest) is None:
        return None
    if fits(longest):
        return longest
    least, most = 0, longest // CONTEXT_STEP  # in steps; `least` fits, unless it is 0, and what follows `most` does not
    while least < most:
        middle = (least + most + 1) // 2
        if fits(middle * CONTEXT_STEP):
            least = middle
        else:
            most = middle - 1
    return least * CONTEXT_STEP


@dataclass(frozen=True, slots=True)
class TokenCost:
    """The cache for one token, in bytes: as long as it is in the context, and ``recent`` more while it
    is one of the last ``window`` tokens. ``slot_bytes`` is needed once for each slot."""

    whole: ByteRange
    recent: ByteRange
    window: int | None
    slot_bytes: int


def token_cost(layout: CacheLayout, cache_type: str) -> TokenCost:
    """With keys and values of one type. Layers with an unknown window count as either kind."""
    serving = Serving(key_type=cache_type, value_type=cache_type)
    whole = recent = ByteRange(0, 0)
    for layer in layout.layers:
        least, most = _cell_bytes(layer, layout, serving)
        if layer.windowed:
            recent += ByteRange(least, most)
        else:
            whole += ByteRange(least if layer.windowed is False else 0, most)
    window = layout.window if recent.high else None
    return TokenCost(whole, recent, window, layout.state_floats * _FLOAT_BYTES)


def _cache(layout: CacheLayout, serving: Serving) -> ByteRange:
    streams, cells = _streams(serving)
    window_cells = _window_cells(layout, serving, cells)
    layers = layout.layers + (layout.draft_layers if serving.draft_tokens else ())
    low = high = 0
    for layer in layers:
        least, most = _cell_bytes(layer, layout, serving)
        low += least * streams * (cells if layer.windowed is False else window_cells)
        high += most * streams * (window_cells if layer.windowed else cells)
    # A refused draft needs the states before it, one for each of its tokens.
    states = layout.state_floats * _FLOAT_BYTES * serving.slots * (1 + serving.draft_tokens)
    return ByteRange(low + states, high + states)


def _window_cells(layout: CacheLayout, serving: Serving, cells: int) -> int:
    """How many tokens a layer with a window keeps."""
    if layout.window is None:
        return cells
    seen_at_once = layout.window * (serving.slots if serving.unified else 1) + serving.batch
    return _padded(min(cells, seen_at_once))


def _cell_bytes(layer: AttentionLayer, layout: CacheLayout, serving: Serving) -> tuple[int, int]:
    """The bytes of one token in one layer: lower and upper bound."""
    key = _row_bytes(layer.key_width, serving.key_type)
    value = _row_bytes(layer.value_width, serving.value_type)
    return (key if layout.is_latent else key + value), key + value


def _row_bytes(width: int, cache_type: str) -> int:
    per_block, block_bytes = CACHE_TYPES[cache_type]
    return -(-width // per_block) * block_bytes


def _widths(keys: ArchitectureKeys) -> _Widths:
    """Raises: HeaderGap."""
    width, count = keys.required("embedding_length"), keys.layer_count()
    inner = 3 * max(keys.per_layer("feed_forward_length", count) or (4 * width,))
    used = keys.number("expert_used_count") or 0
    expert = (keys.number("expert_feed_forward_length") or 0) * used
    inner = max(inner, 3 * expert, expert + width * used)
    heads = max(keys.per_layer("attention.head_count", count) or (0,))
    query = heads * (keys.number("attention.key_length") or (width // heads if heads else 0))
    # Where layers with a state alternate with others, these have a gate as wide as their queries.
    gate = 2 * query if keys.number("full_attention_interval") else 0
    groups = keys.number("ssm.group_count") or 0
    state = (keys.number("ssm.inner_size") or 0) + 2 * groups * (keys.number("ssm.state_size") or 0)
    return _Widths(width, inner, keys.vocabulary(), heads, 3 * query + gate, state)


def _buffers(widths: _Widths, layout: CacheLayout, serving: Serving) -> ByteRange:
    """Room for intermediate results and answers.

    The masks stay until the end. Of the rest, the widest place counts, with everything alive there: in attention,
    behind it, or at the answers, one for each slot.
    """
    _count, cells = _streams(serving)
    window_cells = _window_cells(layout, serving, cells)
    # A layer with an unknown window needs either mask, at most the whole context's.
    whole = any(not layer.windowed for layer in layout.layers)
    part = any(layer.windowed for layer in layout.layers)
    mask_bytes = _MASK_BYTES if serving.flash_attention else _FLOAT_BYTES
    masks = mask_bytes * serving.batch * (cells * whole + window_cells * part)
    attention, scores = widths.query, 0
    if not serving.flash_attention:
        attention = widths.query * 4 // 3
        scores = widths.heads * (cells if whole else window_cells) * bool(layout.layers)
    answers = widths.vocabulary * serving.slots
    # How many rows of the model's width exist beside the widest results differs between versions.
    low = max(widths.inner + 3.8 * widths.model, attention + scores + 2.2 * widths.model)
    high = max(
        widths.inner + 5 * widths.model,
        max(attention + scores, attention + 4 * widths.state) + 3.5 * widths.model,
        answers / serving.batch + 5 * widths.model,
    )
    token_bytes = serving.batch * _FLOAT_BYTES
    # Answers may replace masks that are not needed any more.
    least = max(masks + round(low * token_bytes * _RESULTS_SHARE[0]), answers * _FLOAT_BYTES)
    most = masks + round(high * token_bytes * _RESULTS_SHARE[1]) + _SPARE_BUFFERS_BYTES
    if serving.draft_tokens:
        drafting = masks + round(low * token_bytes * _DRAFT_SHARE)
        least, most, answers = least + drafting, 2 * most, 2 * answers
    kept = answers * _FLOAT_BYTES
    return ByteRange(least + kept, most + kept)


def _streams(serving: Serving) -> tuple[int, int]:
    """How many separate parts the cache has, and how many tokens each part holds."""
    count = 1 if serving.unified else serving.slots
    return count, _padded(-(-_padded(serving.context) // count))


def _padded(cells: int) -> int:
    return -(-cells // CONTEXT_STEP) * CONTEXT_STEP
