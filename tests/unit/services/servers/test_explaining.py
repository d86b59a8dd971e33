"""Which file is looked at to explain a failure."""

from pathlib import Path

import pytest

from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.supervision import Story
from tests.unit.services.conftest import QUICK

DRAFT = "E load_model: invalid magic characters; failed to load draft model, '/d/draft.gguf'"
SILENT = "E load_model: failed to load model"


@pytest.mark.parametrize(("log", "file"), [(DRAFT, "/d/draft.gguf"), (SILENT, "")])
async def test_the_file_that_the_engine_names_is_looked_at_and_else_the_model(data_dir, bugs, config, log, file):
    looked_at = []

    async def examine(path):
        looked_at.append(path)
        return ModelFile(path, problem="truncated: 10 bytes are missing")

    async with MockRunner(data_dir, timings=QUICK) as mock:
        supervisor = Supervisor(mock, mock, bugs, examine_model=examine)
        story = Story(supervisor)
        wanted = config(f"--mock-fail-load={log}")
        failed = await story.reaches(supervisor.start(wanted), "Failed")
        assert (failed.failure.cause, failed.failure.file) == (FailureCause.MODEL_CORRUPT, file)
        assert looked_at == [Path(file) if file else wanted.model_path]
        await supervisor.aclose()
