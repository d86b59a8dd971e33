"""How much memory a server will take, against cases worked by hand."""

import pytest

from gglib_desktop.domain.gguf.cache_layout import AttentionLayer, CacheLayout, HeaderGap, cache_layout
from gglib_desktop.domain.gguf.forecast import (
    ByteRange,
    Confidence,
    Fit,
    Memory,
    Serving,
    TokenCost,
    forecast,
    judge,
    largest_context_that_fits,
    model_context,
    token_cost,
)
from gglib_desktop.domain.gguf.header import GgufValueType, SkippedArray

MIB = 2**20
GIB = 2**30


def header(architecture="llama", **keys):
    """Metadata of a small model; ``__`` stands for a dot, None takes a key away."""
    numbers = {
        "block_count": 4,
        "context_length": 8192,
        "embedding_length": 256,
        "feed_forward_length": 512,
        "attention__head_count": 4,
        "attention__head_count_kv": 2,
        "vocab_size": 1000,
    } | keys
    metadata = {f"{architecture}.{key.replace('__', '.')}": v for key, v in numbers.items() if v is not None}
    return {"general.architecture": architecture, **metadata}


QWEN3_30B_A3B = header(
    "qwen3moe",
    block_count=48,
    context_length=40960,
    embedding_length=2048,
    feed_forward_length=6144,
    attention__head_count=32,
    attention__head_count_kv=4,
    attention__key_length=128,
    attention__value_length=128,
    expert_feed_forward_length=768,
    expert_used_count=8,
    vocab_size=151_936,
)


def cache(metadata, **serving):
    found = forecast(metadata, 0, Serving(**serving)).cache
    assert found is not None
    return found


# -- the cache of tokens


@pytest.mark.parametrize(
    ("cache_type", "bytes_of_a_token"),
    [("f32", 196_608), ("f16", 98_304), ("bf16", 98_304), ("q8_0", 52_224), ("q4_0", 27_648), ("q5_1", 36_864)],
)
def test_the_worked_example(cache_type, bytes_of_a_token):
    # 48 layers of 4 heads of 128: 24,576 numbers of keys a token, and as many of values.
    expected = bytes_of_a_token * 32_768
    assert cache(QWEN3_30B_A3B, context=32_768, key_type=cache_type, value_type=cache_type) == ByteRange(
        expected, expected
    )


def test_the_worked_example_in_gib():
    assert cache(QWEN3_30B_A3B, context=32_768) == ByteRange(3 * GIB, 3 * GIB)
    assert round(cache(QWEN3_30B_A3B, context=32_768, key_type="q8_0", value_type="q8_0").low / GIB, 2) == 1.59


def test_keys_and_values_can_have_types_of_their_own():
    # 4 layers of 2 heads of 64: 128 numbers; f16 is 256 bytes, q8_0 4 blocks of 34.
    assert cache(header(), context=256, value_type="q8_0").low == 256 * 4 * (256 + 136)


def test_a_row_that_ends_inside_a_block_takes_the_whole_block():
    one = header(attention__head_count_kv=1, attention__key_length=40, attention__value_length=40)
    assert cache(one, context=256, key_type="q8_0", value_type="q8_0").low == 256 * 4 * 2 * (2 * 34)


def test_head_lengths_follow_from_the_width_where_they_are_not_stated():
    assert cache_layout(header()).layers == (AttentionLayer(128, 128),) * 4


def test_without_a_count_of_key_heads_every_head_has_its_own():
    assert cache_layout(header(attention__head_count_kv=None)).layers[0].key_width == 256


def test_the_context_is_rounded_up_as_the_engine_does():
    assert cache(header(), context=257).low == cache(header(), context=512).low
    # Two slots of their own: 4000 becomes 4096, half of it 2048.
    assert cache(header(), context=4000, slots=2, unified=False).low == 4096 * 4 * 2 * 256
    # Three: 4096 / 3 becomes 1536.
    assert cache(header(), context=4096, slots=3, unified=False).low == 3 * 1536 * 4 * 2 * 256


def test_without_a_context_the_models_own_is_meant():
    assert cache(header()).low == 8192 * 4 * 2 * 256


def test_heads_can_differ_by_layer():
    layered = header(attention__head_count_kv=(2, 1, 0, 2))
    assert [layer.key_width for layer in cache_layout(layered).layers] == [128, 64, 128]


def test_layers_that_share_the_cache_of_others_have_none():
    assert len(cache_layout(header(attention__shared_kv_layers=1)).layers) == 3


@pytest.mark.parametrize(
    ("layout", "whole", "recent", "window", "slot_bytes"),
    [
        (CacheLayout((AttentionLayer(64, 32),)), ByteRange(192, 192), ByteRange(0, 0), None, 0),
        (CacheLayout((AttentionLayer(64, 32), AttentionLayer(64, 32, windowed=True)), window=512, state_floats=3),
         ByteRange(192, 192), ByteRange(192, 192), 512, 12),
        # It may be one that looks back all the way.
        (CacheLayout((AttentionLayer(64, 32, windowed=None),), window=9), ByteRange(0, 192), ByteRange(0, 0), None, 0),
        # Of latents an engine may keep the keys alone.
        (CacheLayout((AttentionLayer(64, 32),), is_latent=True), ByteRange(128, 192), ByteRange(0, 0), None, 0),
        (CacheLayout(), ByteRange(0, 0), ByteRange(0, 0), None, 0),
    ],
)  # fmt: skip
def test_what_one_token_costs(layout, whole, recent, window, slot_bytes):
    assert token_cost(layout, "f16") == TokenCost(whole, recent, window, slot_bytes)


# -- sliding windows


def test_layers_with_a_window_keep_no_more_than_they_see():
    # Gemma 3's pattern: of six layers the last one sees all. Window 512 for each of 4 slots, and a batch of 512.
    gemma = header("gemma3", block_count=6, attention__sliding_window=512)
    row = 2 * 256
    assert cache(gemma, context=8192) == ByteRange(*[row * (8192 + 5 * 2560)] * 2)
    assert cache(gemma, context=8192, slots=1).low == row * (8192 + 5 * 1024)
    assert cache(gemma, context=1024).low == row * 6 * 1024
    # Each slot with its own part: 2 of 4096, and 1024 where there is a window.
    assert cache(gemma, context=8192, slots=2, unified=False).low == row * 2 * (4096 + 5 * 1024)


def test_the_pattern_may_be_stated_as_a_period_or_a_list():
    period = header("new", attention__sliding_window=512, attention__sliding_window_pattern=2)
    listed = header("new", attention__sliding_window=512, attention__sliding_window_pattern=(True, False, True, False))
    assert [layer.windowed for layer in cache_layout(period).layers] == [True, False, True, False]
    assert cache_layout(period) == cache_layout(listed)
    every = header("new", attention__sliding_window=512, attention__sliding_window_pattern=0)
    assert all(layer.windowed for layer in cache_layout(every).layers)


def test_an_unknown_pattern_gives_a_range():
    unknown = header("new", attention__sliding_window=512)
    row = 2 * 256
    assert cache(unknown, context=8192, slots=1) == ByteRange(4 * row * 1024, 4 * row * 8192)


def test_heads_of_layers_with_a_window_can_have_lengths_of_their_own():
    gemma = header(
        "gemma4",
        attention__sliding_window=512,
        attention__sliding_window_pattern=2,
        attention__key_length=512,
        attention__value_length=512,
        attention__key_length_swa=256,
        attention__value_length_swa=128,
    )
    assert cache_layout(gemma).layers[:2] == (AttentionLayer(512, 256, True), AttentionLayer(1024, 1024, False))


# -- latent attention (MLA)


def test_latent_attention_keeps_keys_and_perhaps_values():
    deepseek = header(
        "deepseek2",
        attention__head_count_kv=1,
        attention__key_length=576,
        attention__value_length=512,
        attention__key_length_mla=192,
        attention__value_length_mla=128,
        attention__kv_lora_rank=512,
    )
    assert cache(deepseek, context=256) == ByteRange(256 * 4 * 576 * 2, 256 * 4 * (576 + 512) * 2)


# -- hybrids


HYBRID = {
    "full_attention_interval": 4,
    "ssm__conv_kernel": 4,
    "ssm__inner_size": 64,
    "ssm__state_size": 32,
    "ssm__group_count": 2,
}
# 3 x (64 + 2 x 2 x 32) numbers of convolution and 32 x 64 of state.
STATE = 576 + 2048


def test_of_a_hybrid_every_so_many_layers_keep_tokens_and_the_others_a_state():
    hybrid = header("qwen35", block_count=8, **HYBRID)
    layout = cache_layout(hybrid)
    assert (len(layout.layers), layout.state_floats) == (2, 6 * STATE)
    assert cache(hybrid, context=256, slots=2).low == 256 * 2 * 512 + 6 * STATE * 4 * 2


def test_draft_layers_are_kept_only_for_drafting():
    hybrid = header("qwen35", block_count=9, nextn_predict_layers=1, **HYBRID)
    quiet, drafting = cache(hybrid, context=256, slots=1), cache(hybrid, context=256, slots=1, draft_tokens=2)
    states = 6 * STATE * 4
    assert quiet.low == 256 * 2 * 512 + states
    assert drafting.low == 256 * 3 * 512 + 3 * states


def test_a_list_of_heads_tells_which_layers_keep_a_state():
    jamba = header("jamba", attention__head_count_kv=(0, 2, 0, 0), **(HYBRID | {"full_attention_interval": None}))
    layout = cache_layout(jamba)
    assert (len(layout.layers), layout.state_floats) == (1, 3 * STATE)
    nemotron = header(
        "nemotron_h", attention__head_count_kv=(0, 2, 0, 0), feed_forward_length=(0, 0, 512, 0), **HYBRID
    ) | {"nemotron_h.full_attention_interval": 0}
    assert cache_layout(nemotron).state_floats == 2 * STATE


def test_other_kinds_of_state():
    short = header("lfm2", attention__head_count_kv=(0, 2, 0, 2), shortconv__l_cache=3)
    assert cache_layout(short).state_floats == 2 * 2 * 256
    skipping = header("deci", attention__head_count_kv=(0, 2, 2, 2))
    assert (len(cache_layout(skipping).layers), cache_layout(skipping).state_floats) == (3, 0)
    mamba = header("mamba", attention__head_count=None, attention__head_count_kv=None, ssm__group_count=None)
    mamba |= {"mamba.ssm.conv_kernel": 4, "mamba.ssm.inner_size": 512, "mamba.ssm.state_size": 16}
    assert cache_layout(mamba).layers == ()
    assert cache_layout(mamba).state_floats == 4 * (3 * 512 + 16 * 512)


def test_encoders_keep_nothing():
    assert cache(header("bert", attention__causal=False)) == ByteRange(0, 0)


# -- what the header does not say


@pytest.mark.parametrize(
    ("metadata", "key"),
    [
        ({}, "general.architecture"),
        (header() | {"general.architecture": 3}, "general.architecture"),
        (header(block_count=None), "llama.block_count"),
        (header(block_count=0), "llama.block_count"),
        (header(block_count=-1), "llama.block_count"),
        (header(block_count=True), "llama.block_count"),
        (header(block_count=10**9), "llama.block_count"),
        (header(nextn_predict_layers=4), "llama.block_count"),
        (header(embedding_length=None), "llama.embedding_length"),
        (header(attention__head_count=None), "llama.attention.key_length"),
        (header(attention__head_count=None, attention__head_count_kv=None), "llama.attention.head_count"),
        (header(attention__head_count_kv=(1, 2)), "llama.attention.head_count_kv"),
        (header(attention__head_count_kv=(1, 2, "3", 4)), "llama.attention.head_count_kv"),
        (header(attention__head_count=SkippedArray(GgufValueType.INT32, 300)), "llama.attention.head_count"),
        (header(attention__sliding_window=9, attention__sliding_window_pattern=(True,)),
         "llama.attention.sliding_window_pattern"),
        (header(ssm__conv_kernel=4), "llama.full_attention_interval"),
        (header("rwkv7", wkv__head_size=64), "rwkv7.wkv.head_size"),
        (header(full_attention_interval=2, ssm__conv_kernel=4), "llama.ssm.inner_size"),
    ],
)  # fmt: skip
def test_what_the_header_does_not_tell_is_unknown_and_never_nothing(metadata, key):
    with pytest.raises(HeaderGap, match=key):
        cache_layout(metadata)
    found = forecast(metadata, 5, Serving(context=512))
    assert key in found.gaps
    assert (found.cache, found.total, found.confidence) == (None, None, Confidence.UNKNOWN)
    assert found.weights_bytes == 5


def test_without_any_context_nothing_is_known():
    found = forecast(header(context_length=None), 5, Serving())
    assert (found.cache, found.buffers, found.gaps) == (None, None, ("context_length",))
    assert model_context({}) is None


def test_without_all_shards_the_total_is_unknown():
    found = forecast(header(), None, Serving())
    assert found.cache is not None
    assert found.total is None


# -- buffers and the sum


def test_buffers_need_the_vocabulary():
    unknown = header(vocab_size=None)
    assert forecast(unknown, 5, Serving()).gaps == ("llama.vocab_size",)
    for tokens in (("a",) * 1000, SkippedArray(GgufValueType.STRING, 1000)):
        counted = forecast(unknown | {"tokenizer.ggml.tokens": tokens}, 5, Serving())
        assert counted.buffers == forecast(header(), 5, Serving()).buffers


GEMMA3_270M = header(
    "gemma3",
    block_count=18,
    context_length=32768,
    embedding_length=640,
    feed_forward_length=2048,
    attention__head_count=4,
    attention__head_count_kv=1,
    attention__key_length=256,
    attention__value_length=256,
    attention__sliding_window=512,
    vocab_size=262_144,
)


@pytest.mark.parametrize(
    ("serving", "cache_mib", "compute_mib", "output_mib"),
    [
        # What b10434 says of it.
        (Serving(context=32768), 96 + 37.5, 52.3, 4),
        # What b11549 says.
        (Serving(context=32768), 96 + 37.5, 52.78, 4),
        (Serving(context=8192), 24 + 37.5, 28.78, 4),
        (Serving(context=2048), 6 + 30, 22.28, 4),
        (Serving(context=32768, batch=64), 96 + 33.75, 6.57, 4),
        (Serving(context=32768, batch=128), 96 + 33.75, 13.13, 4),
        (Serving(context=32768, batch=256), 96 + 33.75, 26.26, 4),
        (Serving(context=32768, batch=1024), 96 + 45, 106.55, 4),
        (Serving(context=32768, batch=2048), 96 + 60, 217.11, 4),
        (Serving(context=32768, unified=False), 96 + 60, 27.28, 4),
        (Serving(context=32768, flash_attention=False), 96 + 37.5, 337.27, 4),
        (Serving(context=4096, flash_attention=False), 12 + 37.5, 57.27, 4),
        (Serving(context=4096, slots=1), 12 + 15, 23.28, 1),
        (Serving(context=4096, slots=16), 12 + 60, 30.28, 16),
        (Serving(context=4096, slots=64), 12 + 60, 78.28, 64),
        # And b10434 of the same.
        (Serving(context=2048), 6 + 30, 21.77, 4),
        (Serving(context=32768, batch=128), 96 + 33.75, 13.0, 4),
        (Serving(context=32768, batch=2048), 96 + 60, 215.08, 4),
        (Serving(context=32768, unified=False), 96 + 60, 26.77, 4),
        (Serving(context=32768, flash_attention=False), 96 + 37.5, 334.76, 4),
        (Serving(context=32768, key_type="q8_0", value_type="q8_0"), (96 + 37.5) * 34 / 64, 52.8, 4),
        (Serving(context=4096, slots=1), 12 + 15, 22.77, 1),
        (Serving(context=4096, slots=16), 12 + 60, 25.77, 16),
        (Serving(context=4096, slots=64), 12 + 60, 67.06, 64),
    ],
)
def test_the_buffers_of_a_real_model(serving, cache_mib, compute_mib, output_mib):
    found = forecast(GEMMA3_270M, 253_113_024, serving)
    assert found.cache == ByteRange(*[round(cache_mib * MIB)] * 2)
    assert found.buffers is not None
    said = compute_mib + output_mib
    assert found.buffers.low / MIB <= said <= found.buffers.high / MIB
    if serving.slots <= 4 and serving.batch >= 512:
        assert said * 0.9 <= found.buffers.low / MIB
        assert found.buffers.high / MIB <= said * 1.15


def test_the_sum_for_a_real_model_is_within_a_tenth():
    # b10434 with AMX: 235 MiB mapped, 214 ordered anew for the CPU, 133.5 of cache, 52.3 and 4 of buffers, and 50 to 70
    # of its own.
    found = forecast(GEMMA3_270M, 253_113_024, Serving(context=32768), 224_296_960)
    assert found.copies.high / MIB == pytest.approx(214, abs=1)
    assert found.total is not None
    assert found.needed is not None
    assert found.total.high / MIB == pytest.approx(235 + 214 + 133.5 + 56.3 + 70, rel=0.1)
    assert found.total.low / MIB == pytest.approx(235 + 133.5 + 56.3 + 50, rel=0.1)
    assert found.needed.high == found.total.high - 224_296_960


@pytest.mark.parametrize("serving", [Serving(repacks=False), Serving(maps_file=False)])
def test_nothing_is_kept_twice_where_the_engine_is_told_so(serving):
    assert forecast(GEMMA3_270M, 253_113_024, serving, 224_296_960).copies == ByteRange(0, 0)


def demo(architecture="llama", *, ffn=64, vocab_size=259, **keys):
    """The shapes of tiny models that were measured with b11549."""
    return header(
        architecture,
        context_length=65536,
        embedding_length=320,
        feed_forward_length=ffn,
        attention__key_length=64,
        attention__value_length=64,
        vocab_size=vocab_size,
        **keys,
    )


GATED = {
    "full_attention_interval": 2,
    "ssm__conv_kernel": 4,
    "ssm__inner_size": 64,
    "ssm__state_size": 32,
    "ssm__group_count": 2,
}


@pytest.mark.parametrize(
    ("metadata", "serving", "said_mib"),
    [
        (demo(), Serving(context=4096), 7.64),
        (demo(), Serving(context=65536), 67.64),
        (demo(), Serving(context=65536, flash_attention=False), 644.14),
        (demo(), Serving(context=16384, batch=64), 2.46),
        (demo(ffn=4096), Serving(context=4096), 31.14),
        (demo(ffn=4096), Serving(context=16384, batch=64), 5.39),
        (demo(vocab_size=50259), Serving(context=4096, slots=32), 13.28 + 6.14),
        (demo("qwen35", **GATED), Serving(context=4096), 8.65),
        (demo("qwen35", **GATED), Serving(context=65536, flash_attention=False), 644.64),
        (demo("qwen35", ffn=4096, **GATED), Serving(context=65536), 91.15),
        # b10434
        (demo(), Serving(context=4096), 6.89),
        (demo(), Serving(context=65536, flash_attention=False), 643.51),
        (demo(), Serving(context=16384, batch=64), 2.36),
        (demo(ffn=4096), Serving(context=65536), 90.39),
        (demo(vocab_size=50259), Serving(context=16384, slots=64), 18.89 + 12.27),
        (demo("qwen35", **GATED), Serving(context=65536), 68.02),
        (demo("qwen35", ffn=4096, **GATED), Serving(context=16384, batch=64), 5.24),
        (demo("qwen35", ffn=4096, **GATED), Serving(context=4096, slots=1, draft_tokens=3), 29.89 + 28.64),
        (demo("qwen35", **GATED), Serving(context=16384, draft_tokens=3), 20.65 + 19.27),
        (demo("qwen35", ffn=4096, **GATED), Serving(context=16384, draft_tokens=3), 43.15 + 32.64),
        (demo("qwen35", ffn=4096, **GATED), Serving(context=4096, slots=1, draft_tokens=3), 31.15 + 28.64),
        (demo("qwen35", vocab_size=50259, **GATED), Serving(context=16384, draft_tokens=3), 20.65 + 19.27 + 2 * 0.77),
    ],
)
def test_the_buffers_of_other_shapes(metadata, serving, said_mib):
    found = forecast(metadata, 5, serving).buffers
    assert found is not None
    assert found.low / MIB <= said_mib <= found.high / MIB
    assert found.high / MIB <= said_mib * 1.5 + 2


def test_experts_count_with_those_that_are_used_at_a_time():
    one, eight = (
        forecast(header(expert_used_count=used, expert_feed_forward_length=4096), 5, Serving()).buffers
        for used in (1, 8)
    )
    assert one is not None
    assert eight is not None
    assert one.high < eight.low


def test_a_model_without_attention_needs_no_masks():
    mamba = header("mamba", attention__head_count=None, attention__head_count_kv=None)
    mamba |= {"mamba.ssm.conv_kernel": 4, "mamba.ssm.inner_size": 512, "mamba.ssm.state_size": 16}
    short, long = (forecast(mamba, 5, Serving(context=context)).buffers for context in (4096, 65536))
    assert short == long


def test_a_short_context_is_computed_at_once():
    assert forecast(header(), 5, Serving(context=256)) == forecast(header(), 5, Serving(context=256, batch=256))


def test_feed_forward_widths_can_be_left_out_or_listed():
    listed = forecast(header(feed_forward_length=(1024, 512, 0, 0)), 5, Serving()).buffers
    assert listed == forecast(header(feed_forward_length=None), 5, Serving()).buffers


def test_the_sum_and_how_far_it_can_be_trusted():
    found = forecast(QWEN3_30B_A3B, 18_556_686_912, Serving(context=32_768))
    assert found.cache is not None
    assert found.buffers is not None
    assert found.total == ByteRange(18_556_686_912, 18_556_686_912) + found.cache + found.buffers + found.engine
    assert found.confidence is Confidence.GOOD
    assert forecast(header(), 5, Serving()).confidence is Confidence.ROUGH


# -- does it fit


@pytest.mark.parametrize(
    ("free", "expected"),
    [(200, Fit.FITS), (134, Fit.FITS), (130, Fit.TIGHT), (100, Fit.TIGHT), (99, Fit.DOES_NOT_FIT)],
)
def test_what_is_free_decides(free, expected):
    assert judge(ByteRange(100, 120), Memory(1000, free)) is expected


def test_what_is_unknown_is_not_judged():
    assert judge(None, Memory(1, 1)) is Fit.UNKNOWN
    assert judge(ByteRange(1, 1), None) is Fit.UNKNOWN


def test_the_largest_context_that_fits():
    weights = 18_556_686_912
    found = largest_context_that_fits(QWEN3_30B_A3B, weights, Serving(), Memory(64 * GIB, 22 * GIB))
    assert found is not None
    assert 0 < found < 40_960
    assert found % 256 == 0

    def total(context):
        return forecast(QWEN3_30B_A3B, weights, Serving(context=context)).needed

    assert judge(total(found), Memory(64 * GIB, 22 * GIB)) is Fit.FITS
    assert judge(total(found + 256), Memory(64 * GIB, 22 * GIB)) is not Fit.FITS


def test_the_largest_context_is_the_models_own_nothing_or_unknown():
    plenty = Memory(64 * GIB, 64 * GIB)
    assert largest_context_that_fits(header(context_length=1000), 5, Serving(), plenty) == 1000
    assert largest_context_that_fits(header(), 64 * GIB, Serving(), plenty) == 0
    assert largest_context_that_fits(header(context_length=None), 5, Serving(), plenty) is None
    assert largest_context_that_fits(header(), None, Serving(), plenty) is None
    assert largest_context_that_fits(header(), 5, Serving(), None) is None


def test_a_draft_model_is_loaded_too():
    alone = forecast(header(), 10 * GIB, Serving(context=256))
    together = forecast(header(), 10 * GIB, Serving(context=256, draft_bytes=GIB))
    assert together.weights_bytes == 11 * GIB
    assert together.cache == alone.cache
