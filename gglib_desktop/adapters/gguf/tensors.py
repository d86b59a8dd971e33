"""The sums over a GGUF file's list of tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass

# ggml's tensor types: number -> (elements in a block, bytes of a block).
BLOCKS = {
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    9: (32, 36),  # Q8_1
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    15: (256, 292),  # Q8_K
    16: (256, 66),  # IQ2_XXS
    17: (256, 74),  # IQ2_XS
    18: (256, 98),  # IQ3_XXS
    19: (256, 50),  # IQ1_S
    20: (32, 18),  # IQ4_NL
    21: (256, 110),  # IQ3_S
    22: (256, 82),  # IQ2_S
    23: (256, 136),  # IQ4_XS
    24: (1, 1),  # I8
    25: (1, 2),  # I16
    26: (1, 4),  # I32
    27: (1, 8),  # I64
    28: (1, 8),  # F64
    29: (256, 56),  # IQ1_M
    30: (1, 2),  # BF16
    34: (256, 54),  # TQ1_0
    35: (256, 66),  # TQ2_0
    39: (32, 17),  # MXFP4
    40: (64, 36),  # NVFP4
    41: (128, 18),  # Q1_0
}
# The types that engines may keep a second time, with the bytes of a reordered block; AMX needs somewhat more. Which of
# them an engine reorders depends on the processor's instructions.
REPACKED_BLOCKS = {2: 18, 3: 20, 8: 38, 10: 84, 12: 148, 13: 180, 14: 210, 20: 18, 23: 138, 39: 17}
_BLOCK_NAME = re.compile(rb"blk\.(\d{1,5})\.")


@dataclass
class Tensors:
    """Sums over a file's tensors; ``first_block`` None: there are no blocks."""

    elements: int = 0
    data_bytes: int = 0
    first_block: int | None = None
    has_output: bool = False
    _repackable: int = 0
    _embedding: int = 0

    def note_block(self, name: bytes) -> None:
        found = _BLOCK_NAME.match(name)
        if found is not None:
            number = int(found[1])
            self.first_block = number if self.first_block is None else min(self.first_block, number)

    def note_repackable(self, name: bytes, size: int) -> None:
        # Embeddings are looked up, not multiplied with, unless they are also the output's weights.
        if name == b"token_embd.weight":
            self._embedding = size
        else:
            self._repackable += size

    @property
    def repackable_bytes(self) -> int:
        return self._repackable + (0 if self.has_output else self._embedding)
