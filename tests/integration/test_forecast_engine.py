"""The memory forecast against what a real llama-server says that it has allocated."""

import re
import subprocess
from pathlib import Path

import pytest

from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.adapters.gguf.header import read_header
from gglib_desktop.domain.gguf.forecast import Serving, forecast
from tests.fakes.ports import some_base_port

pytestmark = pytest.mark.llama

_MIB = 2**20
_SIZE = re.compile(r"(KV|RS|compute|output) buffer size = +([0-9.]+) MiB")


def allocated(engine: Path, model: Path, *flags: str) -> dict[str, list[float]]:
    """The sizes of all buffers in MiB, by kind."""
    words = [str(engine), "-m", str(model), "--port", str(some_base_port()), "-lv", "4", "--no-warmup", *flags]
    said: list[str] = []
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                said.append(line)
                if "listening on" in line:
                    break
        finally:
            process.kill()
    found: dict[str, list[float]] = {"KV": [], "RS": [], "compute": [], "output": []}
    for kind, size in _SIZE.findall("".join(said)):
        found[kind].append(float(size))
    assert found["compute"], "".join(said)
    return found


@pytest.mark.parametrize(
    ("architecture", "serving", "flags"),
    [
        (DemoArchitecture.LLAMA, Serving(context=65536), ()),
        (DemoArchitecture.LLAMA, Serving(context=40000, key_type="q8_0", value_type="q5_1"),
         ("-ctk", "q8_0", "-ctv", "q5_1")),
        (DemoArchitecture.LLAMA, Serving(context=40000, slots=3, unified=False), ("-np", "3", "--no-kv-unified")),
        (DemoArchitecture.LLAMA, Serving(context=16384, batch=64), ("-ub", "64")),
        (DemoArchitecture.LLAMA, Serving(context=16384, flash_attention=False), ("-fa", "off")),
        (DemoArchitecture.QWEN35, Serving(context=16384), ()),
        (DemoArchitecture.QWEN35, Serving(context=16384, slots=64), ("-np", "64", "--kv-unified")),
        (DemoArchitecture.QWEN35_MTP, Serving(context=16384), ()),
        (DemoArchitecture.QWEN35_MTP, Serving(context=16384, draft_tokens=3),
         ("--spec-type", "draft-mtp", "--spec-draft-n-max", "3")),
    ],
)  # fmt: skip
def test_the_engine_allocates_what_was_forecast(engine_path, tmp_path, architecture, serving, flags):
    model = write_demo_model(tmp_path / "m.gguf", DemoSpec(architecture=architecture, layers=4, context=65536))
    expected = forecast(read_header(model).metadata, model.stat().st_size, serving)
    said = allocated(engine_path, model, "-c", str(serving.context), *flags)
    assert expected.cache is not None
    assert expected.buffers is not None
    cache = sum(said["KV"]) + sum(said["RS"])
    assert expected.cache.low == expected.cache.high
    assert expected.cache.low / _MIB == pytest.approx(cache, abs=0.02)
    # Reported anew whenever the engine sizes it again; the largest two are those of the model and of its draft.
    contexts = 2 if serving.draft_tokens else 1
    buffers = sum(sum(sorted(said[kind])[-contexts:]) for kind in ("compute", "output"))
    assert expected.buffers.low / _MIB <= buffers <= expected.buffers.high / _MIB
