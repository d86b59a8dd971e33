"""Sampling parameters of a server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from gglib_desktop.domain.options.definition import OptionGroup, option
from gglib_desktop.domain.values import Limits, Value

_sampling = partial(option, group=OptionGroup.SAMPLING)


@dataclass(frozen=True, kw_only=True)
class InferenceConfig(Value):
    """Sampling parameters; None leaves each to the engine. The ranges are gglib's: the engine checks none.

    A top-k of 0 is out of range: it switches top-k off, as is often recommended.
    """

    temperature: float | None = _sampling(
        "--temp",
        "--temperature",
        limits=Limits(0, 2),
        label="Temperature",
        help="0 always takes the most probable token; higher values vary more.",
        default="0.8",
        step=0.05,
    )
    top_p: float | None = _sampling(
        "--top-p",
        limits=Limits(0, 1),
        label="Top-p",
        help="Chooses among the most probable tokens whose probabilities add up to this.",
        default="0.95",
        step=0.05,
        environment="LLAMA_ARG_TOP_P",
    )
    top_k: int | None = _sampling(
        "--top-k",
        limits=Limits(0),
        label="Top-k",
        help="Chooses among this many of the most probable tokens; 0 is all of them.",
        default="40",
        highest=1000,
        environment="LLAMA_ARG_TOP_K",
    )
    max_tokens: int | None = _sampling(
        "-n",
        "--predict",
        "--n-predict",
        limits=Limits(above=0),
        label="Maximum answer length",
        help="Answers end after this many tokens, whatever a client asks for.",
        default="unlimited",
        unit="tokens",
        lowest=1,
        step=256,
        environment="LLAMA_ARG_N_PREDICT",
    )
    repeat_penalty: float | None = _sampling(
        "--repeat-penalty",
        limits=Limits(above=0),
        label="Repeat penalty",
        help="Above 1, tokens that occurred lately become less probable.",
        default="1",
        lowest=0.05,
        highest=2,
        step=0.05,
    )
    presence_penalty: float | None = _sampling(
        "--presence-penalty",
        limits=Limits(0, 2),
        label="Presence penalty",
        help="Above 0, tokens that occurred at all become less probable.",
        default="0",
        step=0.05,
    )
    min_p: float | None = _sampling(
        "--min-p",
        limits=Limits(0, 1),
        label="Min-p",
        help="Passes over tokens less probable than this share of the most probable one.",
        default="0.05",
        step=0.01,
    )
    frequency_penalty: float | None = _sampling(
        "--frequency-penalty",
        limits=Limits(-2, 2),
        label="Frequency penalty",
        help="Above 0, tokens become less probable each time they occur.",
        default="0",
        step=0.05,
    )
    repeat_last_n: int | None = _sampling(
        "--repeat-last-n",
        limits=Limits(-1),
        label="Penalised tokens",
        help="How far back the penalties look; 0 switches them off, −1 looks at the whole context.",
        default="64",
        unit="tokens",
    )
