"""Which vision projectors belong to a model, told by where they lie and what they are called."""

from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.models.companions import Companion, companions_of, download_place, sidecars_of

HF = "/h/hub/models--org--Model-GGUF/snapshots/abc"
LM = "/h/.lmstudio/models/org/Model-GGUF"


def companions(model: str, *candidates: str) -> list[str]:
    return [str(path) for path in companions_of(Path(model), map(Path, candidates))]


@pytest.mark.parametrize("root", [HF, LM])
@pytest.mark.parametrize("below", ["", "/UD-Q4_K_XL", "/a/b"])
def test_in_a_download_they_lie_beside_or_above_the_model(root, below):
    assert companions(f"{root}{below}/other-name-Q4_K_M.gguf", f"{root}/mmproj-F16.gguf") == [f"{root}/mmproj-F16.gguf"]


@pytest.mark.parametrize("root", [HF, LM])
def test_not_in_another_download_nor_in_a_folder_beside(root):
    model = f"{root}/m.gguf"
    assert companions(model, f"{root}/sub/mmproj-F16.gguf") == []
    assert companions(model, str(Path(root).parent / "other/mmproj-F16.gguf")) == []
    assert companions(model, str(Path(root).parent / "mmproj-F16.gguf")) == []


@pytest.mark.parametrize(
    ("model", "projector"),
    [
        ("gemma-3-4b-it-Q4_K_M", "mmproj-F16"),
        ("gemma-3-4b-it-Q4_K_M", "mmproj-model-f16"),
        ("gemma-3-4b-it-Q4_K_M", "mmproj-gemma-3-4b-it-BF16"),
        ("gemma-3-4b-it-Q4_K_M", "gemma-3-4b-it-mmproj-Q8_0"),
        ("Qwen2.5-VL-7B-Instruct-UD-Q4_K_XL", "Qwen2.5-VL-7B-Instruct.mmproj-fp16"),
    ],
)
def test_in_any_other_folder_the_name_must_not_speak_of_another_model(model, projector):
    assert companions(f"/m/{model}.gguf", f"/m/{projector}.gguf") == [f"/m/{projector}.gguf"]
    assert companions(f"/m/sub/{model}.gguf", f"/m/{projector}.gguf") == []


@pytest.mark.parametrize("projector", ["mmproj-gemma-3-12b-it-f16", "mmproj-Qwen2.5-VL-7B", "gemma-3-4b-it-v2-mmproj"])
def test_a_name_that_speaks_of_another_model(projector):
    assert companions("/m/gemma-3-4b-it-Q4_K_M.gguf", f"/m/{projector}.gguf") == []


def test_the_likeliest_comes_first():
    found = companions(
        f"{HF}/sub/gemma-3-4b-it-Q4_K_M.gguf",
        f"{HF}/mmproj-F16.gguf",
        f"{HF}/mmproj-BF16.gguf",
        f"{HF}/mmproj-gemma-3-4b-it-F16.gguf",
        f"{HF}/sub/mmproj.gguf",
    )
    names = ["sub/mmproj", "mmproj-gemma-3-4b-it-F16", "mmproj-BF16", "mmproj-F16"]
    assert found == [f"{HF}/{name}.gguf" for name in names]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"{HF}/sub/m.gguf", ("org/Model-GGUF", Path(HF))),
        (f"{LM}/m.gguf", ("org/Model-GGUF", Path(LM))),
        ("/h/hub/models--gpt2/snapshots/abc/m.gguf", ("gpt2", Path("/h/hub/models--gpt2/snapshots/abc"))),
        ("/h/hub/models--/snapshots/abc/m.gguf", None),
        ("/h/hub/models--a--b/snapshots/m.gguf", None),
        ("/h/hub/models--a--b/blobs/m.gguf", None),
        ("/h/lm-studio/models/org/m.gguf", None),
        ("/h/models/org/repo/m.gguf", None),
    ],
)
def test_where_a_download_lies(path, place):
    assert download_place(Path(path)) == place


HEAD, ADAPTER, VECTOR = Sidecar.DRAFT_HEAD, Sidecar.ADAPTER, Sidecar.CONTROL_VECTOR


@pytest.mark.parametrize(
    ("model", "architecture", "candidate", "expected"),
    [
        ("/m/gemma-4-E4B-it-Q4_K_M.gguf", "gemma4", ("/m/mtp-gemma-4-E4B-it.gguf", HEAD, "gemma4-assistant"), True),
        ("/m/gemma-4-E2B-it-Q4_K_M.gguf", "gemma4", ("/m/mtp-gemma-4-E4B-it.gguf", HEAD, "gemma4-assistant"), False),
        ("/m/gemma-4-E4B-it-Q4_K_M.gguf", "gemma3", ("/m/mtp-gemma-4-E4B-it.gguf", HEAD, "gemma4-assistant"), False),
        ("/m/Qwen3.5-4B-Q8_0.gguf", "qwen35", ("/m/mtp-Qwen3.5-4B-F16.gguf", HEAD, "qwen35"), True),
        ("/m/Qwen3.5-4B-Q8_0.gguf", "qwen35", ("/n/mtp-Qwen3.5-4B-F16.gguf", HEAD, "qwen35"), False),
        ("/m/Llama-8B-Q8_0.gguf", "llama", ("/m/Llama-8B-eagle3.gguf", HEAD, "eagle3"), True),
        (f"{HF}/a/x-Q4_0.gguf", "gemma4", (f"{HF}/mtp-other.gguf", HEAD, "gemma4-assistant"), True),
        ("/m/Llama-8B-Q8_0.gguf", "llama", ("/m/pirate-lora.gguf", ADAPTER, "llama"), True),
        ("/m/Llama-8B-Q8_0.gguf", "llama", ("/m/pirate-lora.gguf", ADAPTER, "qwen3"), False),
        ("/m/Llama-8B-Q8_0.gguf", "llama", ("/n/pirate-lora.gguf", ADAPTER, "llama"), False),
        ("/m/Llama-8B-Q8_0.gguf", "llama", ("/m/llama-8b-control-vector.gguf", VECTOR, "controlvector"), True),
        ("/m/Llama-8B-Q8_0.gguf", "llama", ("/m/qwen-control-vector.gguf", VECTOR, "controlvector"), False),
        ("/m/Llama-8B-Q8_0.gguf", "llama", ("/m/Llama-8B-imatrix.gguf", Sidecar.IMATRIX, "llama"), False),
        ("/m/Llama-8B-Q8_0.gguf", None, ("/m/mtp-Llama-8B.gguf", HEAD, None), False),
    ],
)
def test_what_fits_a_model_is_offered_with_it(model, architecture, candidate, expected):
    path, kind, own = candidate
    found = sidecars_of(Path(model), architecture, [Companion(Path(path), kind, own)])
    assert bool(found) is expected
