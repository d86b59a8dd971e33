"""Failures that the system causes, staged for a real engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gglib_desktop.adapters.library.model_reading import read_model
from gglib_desktop.api import create_runner
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.models.scan import FoundModel
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ModelPart, ServerExit
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.states import Failed
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import LogReporter
from tests.fakes.waiting import poll, reasons_told

pytestmark = pytest.mark.llama


@pytest.fixture
def engine_with_little_memory(engine_path: Path, tmp_path: Path) -> Path:
    """The real engine in an address space that holds the program and the model but no large context."""
    script = tmp_path / "llama-server"
    script.write_text(f'#!/bin/sh\nulimit -v 900000\nexec "{engine_path}" "$@"\n')
    script.chmod(0o755)
    return script


async def test_too_little_memory_at_load_is_named(engine_with_little_memory, plain_model, data_dir):
    async with create_runner("local", data_dir=data_dir, engine=engine_with_little_memory) as runner:
        supervisor = Supervisor(runner, runner, LogReporter())
        server = supervisor.start(ServerConfig(1, "Plain", plain_model, 19300, context_size=4_000_000))
        await poll(lambda: isinstance(supervisor.server(server).state, Failed))
        await reasons_told()
        state = supervisor.server(server).state
        assert isinstance(state, Failed)
        assert state.failure.cause is FailureCause.OUT_OF_MEMORY
        # Where in the load it fails, and so in which words, depends on the moment.
        assert diagnose(ServerExit(1), state.failure.evidence).cause is FailureCause.OUT_OF_MEMORY
        assert state.failure.cause.will_repeat
        await supervisor.aclose()


@pytest.fixture
def failing(engine_path: Path, data_dir: Path) -> Callable[[ServerConfig], Awaitable[Failure]]:
    """Why a start fails."""

    async def failing(config: ServerConfig) -> Failure:
        async with create_runner("local", data_dir=data_dir, engine=engine_path) as runner:
            supervisor = Supervisor(runner, runner, LogReporter(), examine_model=examine)
            server = supervisor.start(config)
            await poll(lambda: isinstance(supervisor.server(server).state, Failed))
            await reasons_told()
            state = supervisor.server(server).state
            await supervisor.aclose()
        assert isinstance(state, Failed)
        return state.failure

    return failing


def patched(model: Path, target: Path, old: bytes, new: bytes) -> Path:
    """A copy of a model with another word of the same length in its header."""
    data = model.read_bytes()
    assert old in data
    target.write_bytes(data.replace(old, new, 1))
    return target


@pytest.mark.parametrize(
    ("extra", "blamed"),
    [
        (("-md", "/nowhere/draft.gguf"), (FailureCause.MODEL_MISSING, "/nowhere/draft.gguf")),
        (("--lora", "/nowhere/lora.gguf"), (FailureCause.MODEL_MISSING, "/nowhere/lora.gguf")),
        (("--mmproj", "{text}"), (FailureCause.MODEL_CORRUPT, "{text}")),
        (("-ctv", "q4_0", "-fa", "off"), (FailureCause.BAD_VALUE, "")),
        (("-b", "0", "-ub", "0"), (FailureCause.BAD_VALUE, "")),
    ],
)
async def test_what_stands_beside_a_sound_model_is_blamed(plain_model, failing, tmp_path, extra, blamed):
    text = tmp_path / "letter.gguf"
    text.write_text("Dear reader, I am no projector. " * 100)
    words = tuple(word.format(text=text) for word in extra)
    failure = await failing(ServerConfig(1, "Plain", plain_model, 19310, extra_args=words))
    assert (failure.cause, failure.file) == (blamed[0], blamed[1].format(text=text))


@pytest.mark.parametrize(("known", "new"), [(b"qwen2", b"xyz12"), (b"gpt2", b"xyz2")])
async def test_a_tokenizer_that_the_engine_does_not_know_is_no_damage(plain_model, failing, tmp_path, known, new):
    model = patched(plain_model, tmp_path / "new.gguf", known, new)
    failure = await failing(ServerConfig(1, "New", model, 19320))
    assert (failure.cause, failure.file) == (FailureCause.MODEL_UNSUPPORTED, "")
    assert failure.unknown_part == (ModelPart.TOKENIZER, new.decode())


async def examine(path: Path) -> ModelFile:
    return read_model(FoundModel(path, (path,)))
