"""Makes a tiny model that a real engine can load, serve and draft from, to try everything without a download.

The model only knows which byte tends to follow which. That table is stored in a transformer's shape: embeddings
are one-hot and every block adds zero, so the current byte reaches the output matrix, which holds the logarithms of the
table. Its text is babble; its behavior (chat, slots, metrics, drafting) is real.
"""

from __future__ import annotations

import math
import random
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, pairwise
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.files.whole_file import whole_file
from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.gguf.header import GgufValueType

# Few letters with one clear successor each: only predictable text can be drafted well.
_TEXT = (
    b"the weather there is rather wet, so the others gather in the theatre.\n"
    b"there the mother tells them the theme of the thing, and then they all go.\n"
)
_SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
_END_OF_TEXT, _END_OF_TURN = 256, 258
_TOKEN_NORMAL, _TOKEN_CONTROL = 1, 3
_VOCABULARY = 256 + len(_SPECIAL_TOKENS)

# Heads of 64 are the smallest for which engines have fast paths; the width must hold one place per real token.
_WIDTH = 320
_HEADS, _KV_HEADS, _HEAD_WIDTH = 4, 2, 64
_STATE, _STATE_GROUPS, _STATE_RANK, _STATE_KERNEL = 32, 2, 2, 4
_FULL_ATTENTION_INTERVAL = 2
_RARE = 1e-4
_NEVER = -1e3
_PIECE_BYTES = 2**20
_F32_BYTES = 4


class DemoArchitecture(StrEnum):
    """The model's claimed shape: a plain decoder, a hybrid, or a hybrid with a block that drafts tokens ahead."""

    LLAMA = "llama"
    QWEN35 = "qwen35"
    QWEN35_MTP = "qwen35-mtp"


@dataclass(frozen=True, slots=True)
class DemoSpec:
    """What to make; the defaults give 5 MiB.

    ``sharpness`` above 1 makes likely tokens likelier. ``draft_noise`` (in nats, before sharpening) spoils the drafts:
    at 0 nearly all are accepted, at 3 few. ``extra_vocab`` adds tokens that never come, ``layers`` and ``ffn`` add
    bytes to load.

    Raises: ValueError for sizes that no model can have; a hybrid needs two layers, one of each kind.
    """

    name: str = "Tiny demo"
    architecture: DemoArchitecture = DemoArchitecture.QWEN35_MTP
    context: int = 8192
    sharpness: float = 3.0
    draft_noise: float = 0.0
    seed: int = 7
    extra_vocab: int = 0
    layers: int = 2
    ffn: int = 64

    def __post_init__(self) -> None:
        # llama-server aborts on a hybrid without full attention.
        fewest_layers = 1 if self.architecture == DemoArchitecture.LLAMA else _FULL_ATTENTION_INTERVAL
        if min(self.context, self.ffn) < 1 or self.layers < fewest_layers or self.extra_vocab < 0:
            raise ValueError(f"context and ffn start at 1, extra_vocab at 0, layers at {fewest_layers} here")


def write_demo_model(path: Path, spec: DemoSpec = DemoSpec()) -> Path:
    """Writes the model and returns its path. Other programs see the complete file or what was there before.

    Raises: LibraryError.
    """
    writer = _DemoModel(spec).build()
    try:
        private.make_folder(path.parent)
        with whole_file(path, mode=0o600) as file:
            writer.write(file)
    except OSError as exc:
        raise LibraryError(f"the demo model cannot be written to {path}: {exc.strerror or exc}") from exc
    return path


class _DemoModel:
    def __init__(self, spec: DemoSpec) -> None:
        self._spec = spec
        self._random = random.Random(spec.seed)  # noqa: S311 - weights, not secrets
        self._writer = GgufWriter(byte_order=sys.byteorder)
        self._hybrid = spec.architecture != DemoArchitecture.LLAMA
        self._drafts = spec.architecture == DemoArchitecture.QWEN35_MTP
        self._vocabulary = _VOCABULARY + spec.extra_vocab
        # Weights that no output depends on. A length prime to every row keeps the rows different.
        self._noise = array("f", (self._random.gauss(0, 0.02) for _ in range(8191))).tobytes()

    def build(self) -> GgufWriter:
        self._metadata()
        self._tokenizer()
        output = _output_matrix(self._spec.sharpness)
        self._tensor("token_embd.weight", (_WIDTH, self._vocabulary), [_identity(_VOCABULARY, _WIDTH)])
        self._ones("output_norm.weight", _WIDTH)
        self._head("output.weight", output)
        for index in range(self._spec.layers):
            self._block(index)
        if self._drafts:
            self._drafting_block(self._spec.layers, output)
        return self._writer

    def _metadata(self) -> None:
        spec = self._spec
        family = "qwen35" if self._hybrid else "llama"
        self._writer.add("general.architecture", GgufValueType.STRING, family)
        self._writer.add("general.name", GgufValueType.STRING, spec.name)
        self._writer.add("general.file_type", GgufValueType.UINT32, 0)
        numbers = {
            "block_count": spec.layers + int(self._drafts),
            "context_length": spec.context,
            "embedding_length": _WIDTH,
            "feed_forward_length": spec.ffn,
            "attention.head_count": _HEADS,
            "attention.head_count_kv": _KV_HEADS,
            "attention.key_length": _HEAD_WIDTH,
            "attention.value_length": _HEAD_WIDTH,
            "rope.dimension_count": _HEAD_WIDTH,
            "vocab_size": self._vocabulary,
        }
        if self._hybrid:
            numbers |= {
                "ssm.conv_kernel": _STATE_KERNEL,
                "ssm.inner_size": _STATE * _STATE_RANK,
                "ssm.state_size": _STATE,
                "ssm.time_step_rank": _STATE_RANK,
                "ssm.group_count": _STATE_GROUPS,
                "full_attention_interval": _FULL_ATTENTION_INTERVAL,
            }
            sections = [11, 11, 10, 0]  # half a head's width, split into time, height, width and nothing
            self._writer.add_array(f"{family}.rope.dimension_sections", GgufValueType.INT32, sections)
        if self._drafts:
            numbers["nextn_predict_layers"] = 1
        for key, number in numbers.items():
            self._writer.add(f"{family}.{key}", GgufValueType.UINT32, number)
        self._writer.add(f"{family}.attention.layer_norm_rms_epsilon", GgufValueType.FLOAT32, 1e-6)
        self._writer.add(f"{family}.rope.freq_base", GgufValueType.FLOAT32, 10_000.0)

    def _tokenizer(self) -> None:
        writer, extra = self._writer, self._spec.extra_vocab
        tokens = [*_byte_tokens(), *_SPECIAL_TOKENS, *(f"<extra_{number}>" for number in range(extra))]
        kinds = [_TOKEN_NORMAL] * 256 + [_TOKEN_CONTROL] * len(_SPECIAL_TOKENS) + [_TOKEN_NORMAL] * extra
        writer.add("tokenizer.ggml.model", GgufValueType.STRING, "gpt2")
        writer.add("tokenizer.ggml.pre", GgufValueType.STRING, "qwen2")
        writer.add_array("tokenizer.ggml.tokens", GgufValueType.STRING, tokens)
        writer.add_array("tokenizer.ggml.token_type", GgufValueType.INT32, kinds)
        # Engines refuse a vocabulary without merges; this one makes no token that exists, so it never applies.
        writer.add_array("tokenizer.ggml.merges", GgufValueType.STRING, ["a b"])
        writer.add("tokenizer.ggml.bos_token_id", GgufValueType.UINT32, _END_OF_TEXT)
        writer.add("tokenizer.ggml.eos_token_id", GgufValueType.UINT32, _END_OF_TURN)
        writer.add("tokenizer.ggml.add_bos_token", GgufValueType.BOOL, False)
        writer.add("tokenizer.chat_template", GgufValueType.STRING, _CHAT_TEMPLATE)

    def _block(self, index: int) -> None:
        prefix = f"blk.{index}"
        self._ones(f"{prefix}.attn_norm.weight", _WIDTH)
        if not self._hybrid:
            self._attention(prefix)
        elif (index + 1) % _FULL_ATTENTION_INTERVAL == 0:
            self._gated_attention(prefix)
        else:
            self._recurrence(prefix)
        self._ones(f"{prefix}.{'post_attention_norm' if self._hybrid else 'ffn_norm'}.weight", _WIDTH)
        self._feed_forward(prefix)

    def _drafting_block(self, index: int, output: array[float]) -> None:
        prefix = f"blk.{index}"
        self._ones(f"{prefix}.attn_norm.weight", _WIDTH)
        self._gated_attention(prefix)
        self._ones(f"{prefix}.post_attention_norm.weight", _WIDTH)
        self._feed_forward(prefix)
        # It sees the last token's embedding beside the main model's state; it needs only the first half.
        self._tensor(f"{prefix}.nextn.eh_proj.weight", (2 * _WIDTH, _WIDTH), [_identity(_WIDTH, 2 * _WIDTH)])
        for norm in ("enorm", "hnorm", "shared_head_norm"):
            self._ones(f"{prefix}.nextn.{norm}.weight", _WIDTH)
        if self._spec.draft_noise:
            self._head(f"{prefix}.nextn.shared_head_head.weight", self._spoilt(output))

    def _spoilt(self, output: array[float]) -> array[float]:
        gauss, deviation = self._random.gauss, self._spec.draft_noise * _scale(self._spec.sharpness)
        places = range(_VOCABULARY * _WIDTH)
        return array("f", (output[at] + (gauss(0, deviation) if at % _WIDTH < _VOCABULARY else 0) for at in places))

    def _attention(self, prefix: str, *, query_width: int = _HEADS * _HEAD_WIDTH) -> None:
        self._noisy(f"{prefix}.attn_q.weight", _WIDTH, query_width)
        self._noisy(f"{prefix}.attn_k.weight", _WIDTH, _KV_HEADS * _HEAD_WIDTH)
        self._noisy(f"{prefix}.attn_v.weight", _WIDTH, _KV_HEADS * _HEAD_WIDTH)
        self._zeros(f"{prefix}.attn_output.weight", _HEADS * _HEAD_WIDTH, _WIDTH)

    def _gated_attention(self, prefix: str) -> None:
        self._attention(prefix, query_width=2 * _HEADS * _HEAD_WIDTH)
        self._ones(f"{prefix}.attn_q_norm.weight", _HEAD_WIDTH)
        self._ones(f"{prefix}.attn_k_norm.weight", _HEAD_WIDTH)

    def _recurrence(self, prefix: str) -> None:
        values = _STATE * _STATE_RANK
        mixed = 2 * _STATE * _STATE_GROUPS + values
        self._noisy(f"{prefix}.attn_qkv.weight", _WIDTH, mixed)
        self._noisy(f"{prefix}.attn_gate.weight", _WIDTH, values)
        self._noisy(f"{prefix}.ssm_conv1d.weight", _STATE_KERNEL, mixed)
        self._noisy(f"{prefix}.ssm_dt.bias", _STATE_RANK)
        self._tensor(f"{prefix}.ssm_a", (_STATE_RANK,), [_floats([-1.0]) * _STATE_RANK])
        self._noisy(f"{prefix}.ssm_beta.weight", _WIDTH, _STATE_RANK)
        self._noisy(f"{prefix}.ssm_alpha.weight", _WIDTH, _STATE_RANK)
        self._ones(f"{prefix}.ssm_norm.weight", _STATE)
        self._zeros(f"{prefix}.ssm_out.weight", values, _WIDTH)

    def _feed_forward(self, prefix: str) -> None:
        self._noisy(f"{prefix}.ffn_gate.weight", _WIDTH, self._spec.ffn)
        self._noisy(f"{prefix}.ffn_up.weight", _WIDTH, self._spec.ffn)
        self._zeros(f"{prefix}.ffn_down.weight", self._spec.ffn, _WIDTH)

    def _head(self, name: str, rows: array[float]) -> None:
        never = _floats([_NEVER] * _VOCABULARY + [0.0] * (_WIDTH - _VOCABULARY))
        extra = (never for _ in range(self._spec.extra_vocab))
        self._writer.add_tensor(name, (_WIDTH, self._vocabulary), chain([rows.tobytes()], extra))

    def _ones(self, name: str, width: int) -> None:
        self._tensor(name, (width,), [_floats([1.0]) * width])

    def _zeros(self, name: str, *shape: int) -> None:
        self._tensor(name, shape, [])

    def _noisy(self, name: str, *shape: int) -> None:
        count, rest = divmod(math.prod(shape) * _F32_BYTES, len(self._noise))
        self._tensor(name, shape, chain((self._noise for _ in range(count)), [self._noise[:rest]]))

    def _tensor(self, name: str, shape: tuple[int, ...], pieces: Iterable[bytes]) -> None:
        self._writer.add_tensor(name, shape, _padded(pieces, math.prod(shape) * _F32_BYTES))


def _padded(pieces: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    for piece in pieces:
        size_bytes -= len(piece)
        yield piece
    while size_bytes > 0:
        yield bytes(min(size_bytes, _PIECE_BYTES))
        size_bytes -= _PIECE_BYTES


def _floats(values: Iterable[float]) -> bytes:
    return array("f", values).tobytes()


def _identity(rows: int, width: int) -> bytes:
    matrix = array("f", bytes(rows * width * _F32_BYTES))
    for row in range(rows):
        matrix[row * width + row] = 1.0
    return matrix.tobytes()


def _output_matrix(sharpness: float) -> array[float]:
    """One row per next token, one column per current token, so that a one-hot state picks its own logarithms."""
    followers: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for current, following in pairwise(_TEXT + _TEXT[:1]):
        followers[current][following] += 1
    totals = [_VOCABULARY * _RARE + followers[token].total() for token in range(_VOCABULARY)]
    scale = _scale(sharpness)
    row = [scale * math.log(_RARE / total) for total in totals] + [0.0] * (_WIDTH - _VOCABULARY)
    matrix = array("f", row) * _VOCABULARY
    for current, counts in followers.items():
        for following, count in counts.items():
            matrix[following * _WIDTH + current] = scale * math.log((_RARE + count) / totals[current])
    return matrix


def _scale(sharpness: float) -> float:
    # Normalization turns a one-hot row into sqrt(width) times that; dividing undoes it.
    return sharpness / math.sqrt(_WIDTH)


def _byte_tokens() -> list[str]:
    """Names every byte by the printable character that byte-level tokenizers (GPT-2's scheme) agree on."""
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    stand_ins = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(stand_ins)) for byte in range(256)]
