"""How llama-server is told of files that belong to a model."""

from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.llama_cpp.companions import companion_arguments
from gglib_desktop.domain.models.companions import Companion


@pytest.mark.parametrize(
    ("kind", "architecture", "expected"),
    [
        (Sidecar.PROJECTOR, "clip", ("--mmproj", "/x.gguf")),
        (Sidecar.DRAFT_HEAD, "gemma4-assistant", ("--spec-draft-model", "/x.gguf", "--spec-type", "draft-mtp")),
        (Sidecar.DRAFT_HEAD, "qwen35", ("--spec-draft-model", "/x.gguf", "--spec-type", "draft-mtp")),
        (Sidecar.DRAFT_HEAD, "eagle3", ("--spec-draft-model", "/x.gguf", "--spec-type", "draft-eagle3")),
        (Sidecar.DRAFT_HEAD, None, ("--spec-draft-model", "/x.gguf", "--spec-type", "draft-mtp")),
        (Sidecar.ADAPTER, None, ("--lora", "/x.gguf")),
        (Sidecar.ADAPTER, "llama", ("--lora", "/x.gguf")),
        (Sidecar.CONTROL_VECTOR, "controlvector", ("--control-vector", "/x.gguf")),
        (Sidecar.IMATRIX, None, ()),
        (Sidecar.VOCABULARY, "llama", ()),
    ],
)
def test_an_engine_is_told_by_arguments(kind, architecture, expected):
    assert companion_arguments(Companion(Path("/x.gguf"), kind, architecture)) == expected
