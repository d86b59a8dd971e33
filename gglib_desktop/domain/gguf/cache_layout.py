"""What a served model keeps in memory for each token and each slot, as far as its header tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gglib_desktop.domain.gguf.header import GgufValue, SkippedArray

_MOST_LAYERS = 4096
# Which layers look back only so far. Engines know it by the architecture, the header does not say it:
# the last layer of each group of this size sees everything.
_KNOWN_WINDOW_PERIODS = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "cohere2": 4}
_WITHOUT_ATTENTION = frozenset({"mamba", "mamba2"})
# Each of these means a kind of cache that we do not calculate. No forecast is better than one that is too low.
_UNFAMILIAR = ("attention.indexer.key_length", "wkv.head_size", "kda.head_dim")


class HeaderGap(Exception):  # noqa: N818 - not an error: the header simply does not say
    """The header lacks what a forecast needs. ``key`` is the missing or unknown metadata key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class AttentionLayer:
    """What one layer keeps for each token, in numbers. ``windowed`` None: unknown whether it looks back all the way."""

    key_width: int
    value_width: int
    windowed: bool | None = False


@dataclass(frozen=True, slots=True)
class CacheLayout:
    """What is kept: by token in ``layers``, by slot in ``state_floats``, and in ``draft_layers`` only when drafting.

    ``window`` is in tokens. With ``is_latent`` (MLA) older engines keep the values too, newer ones the keys alone.
    """

    layers: tuple[AttentionLayer, ...] = ()
    draft_layers: tuple[AttentionLayer, ...] = ()
    window: int | None = None
    state_floats: int = 0
    is_latent: bool = False


class ArchitectureKeys:
    """Reads the metadata keys that begin with the architecture's name; wrong types count as absent."""

    def __init__(self, metadata: Mapping[str, GgufValue]) -> None:
        self._metadata = metadata
        architecture = metadata.get("general.architecture")
        if not isinstance(architecture, str) or not architecture:
            raise HeaderGap("general.architecture")
        self.architecture = architecture

    def name(self, key: str) -> str:
        return f"{self.architecture}.{key}"

    def value(self, key: str) -> GgufValue | None:
        return self._metadata.get(self.name(key))

    def number(self, key: str) -> int | None:
        return _whole(self.value(key))

    def required(self, key: str) -> int:
        """Raises: HeaderGap, also for 0."""
        number = self.number(key)
        if not number:
            raise HeaderGap(self.name(key))
        return number

    def layer_count(self) -> int:
        """All layers, including those for drafting. Raises: HeaderGap, also for an absurd number."""
        count = self.required("block_count")
        if count > _MOST_LAYERS:
            raise HeaderGap(self.name("block_count"))
        return count

    def per_layer(self, key: str, count: int) -> tuple[int, ...] | None:
        """One number for each layer, from a single one or from a list. Raises: HeaderGap if the list is too short."""
        value = self.value(key)
        if isinstance(value, tuple):
            numbers = tuple(number for item in value if (number := _whole(item)) is not None)
            if len(numbers) != len(value) or len(numbers) < count:
                raise HeaderGap(self.name(key))
            return numbers[:count]
        if isinstance(value, SkippedArray):
            raise HeaderGap(self.name(key))
        number = _whole(value)
        return None if number is None else (number,) * count

    def is_list(self, key: str) -> bool:
        return isinstance(self.value(key), tuple)

    def vocabulary(self) -> int:
        """The size of the vocabulary. Raises: HeaderGap."""
        stated = self.number("vocab_size")
        if stated:
            return stated
        tokens = self._metadata.get("tokenizer.ggml.tokens")
        count = tokens.length if isinstance(tokens, SkippedArray) else len(tokens) if isinstance(tokens, tuple) else 0
        if not count:
            raise HeaderGap(self.name("vocab_size"))
        return count


def cache_layout(metadata: Mapping[str, GgufValue]) -> CacheLayout:
    """Calculates what is kept. Raises: HeaderGap if the header does not say it, or says it in an unknown way."""
    keys = ArchitectureKeys(metadata)
    if keys.value("attention.causal") is False:
        return CacheLayout()  # reads all tokens at once and keeps nothing
    for unfamiliar in _UNFAMILIAR:
        if keys.value(unfamiliar) is not None:
            raise HeaderGap(keys.name(unfamiliar))
    total = keys.layer_count()
    drafting = keys.number("nextn_predict_layers") or 0
    own = total - drafting
    if own < 1:
        raise HeaderGap(keys.name("block_count"))
    attends = _attending(keys, total, own)
    latent = keys.number("attention.key_length_mla") is not None
    window = keys.number("attention.sliding_window") or None
    layers = _layers(keys, total, _windowed(keys, total, window)) if any(attends) else ()
    kept = own - (keys.number("attention.shared_kv_layers") or 0)
    return CacheLayout(
        layers=tuple(layer for layer, attending in zip(layers[:kept], attends, strict=False) if attending),
        draft_layers=layers[own:],
        window=window,
        state_floats=_state_floats(keys, attends[:own]),
        is_latent=latent,
    )


def _attending(keys: ArchitectureKeys, total: int, own: int) -> tuple[bool, ...]:
    """Which layers keep something for each token. The others keep one state, or nothing. Draft layers all do."""
    interval = keys.number("full_attention_interval") or 0
    if interval > 1:
        return tuple(index >= own or (index + 1) % interval == 0 for index in range(total))
    if keys.is_list("attention.head_count_kv"):
        return tuple(heads > 0 for heads in keys.per_layer("attention.head_count_kv", total) or ())
    if keys.architecture in _WITHOUT_ATTENTION:
        return (False,) * total
    if keys.number("ssm.conv_kernel") is not None:
        raise HeaderGap(keys.name("full_attention_interval"))
    return (True,) * total


def _windowed(keys: ArchitectureKeys, total: int, window: int | None) -> tuple[bool | None, ...]:
    if window is None:
        return (False,) * total
    pattern = keys.value("attention.sliding_window_pattern")
    if isinstance(pattern, tuple):
        if len(pattern) < total:
            raise HeaderGap(keys.name("attention.sliding_window_pattern"))
        return tuple(bool(item) for item in pattern[:total])
    period = keys.number("attention.sliding_window_pattern")
    if period is None:
        period = _KNOWN_WINDOW_PERIODS.get(keys.architecture)
    if period is None:
        return (None,) * total
    return tuple(period == 0 or index % period < period - 1 for index in range(total))


def _layers(keys: ArchitectureKeys, total: int, windowed: tuple[bool | None, ...]) -> tuple[AttentionLayer, ...]:
    heads = keys.per_layer("attention.head_count", total)
    key_heads = keys.per_layer("attention.head_count_kv", total) or heads
    if key_heads is None:
        raise HeaderGap(keys.name("attention.head_count"))
    key_length = _head_length(keys, "attention.key_length", heads)
    value_length = _head_length(keys, "attention.value_length", heads)
    narrow_key = keys.number("attention.key_length_swa") or key_length
    narrow_value = keys.number("attention.value_length_swa") or value_length
    return tuple(
        AttentionLayer(count * narrow_key, count * narrow_value, inside)
        if inside
        else AttentionLayer(count * key_length, count * value_length, inside)
        for count, inside in zip(key_heads, windowed, strict=True)
    )


def _head_length(keys: ArchitectureKeys, key: str, heads: tuple[int, ...] | None) -> int:
    stated = keys.number(key)
    if stated:
        return stated
    if not heads or not heads[0]:
        raise HeaderGap(keys.name(key))
    return keys.required("embedding_length") // heads[0]


def _state_floats(keys: ArchitectureKeys, attends: tuple[bool, ...]) -> int:
    """The state of all layers without attention, for one slot."""
    layers = attends.count(False)
    if keys.architecture.startswith("nemotron_h"):
        widths = keys.per_layer("feed_forward_length", len(attends)) or (0,) * len(attends)
        layers = sum(not attending and not width for attending, width in zip(attends, widths, strict=True))
    if not layers:
        return 0
    reach = keys.number("shortconv.l_cache")
    if reach:
        return layers * (reach - 1) * keys.required("embedding_length")
    kernel = keys.number("ssm.conv_kernel")
    if kernel is None:
        return 0  # such layers only pass their input on
    inner, state = keys.required("ssm.inner_size"), keys.required("ssm.state_size")
    groups = keys.number("ssm.group_count") or 0
    return layers * (max(kernel - 1, 0) * (inner + 2 * groups * state) + state * inner)


def _whole(value: GgufValue | None) -> int | None:
    # bool is an int to Python, not to a file.
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
