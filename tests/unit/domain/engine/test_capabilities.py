"""What an engine is and can do."""

from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource, is_started_by


@pytest.mark.parametrize(
    ("line", "started"),
    [
        ("/opt/llama-server -m x.gguf", True),
        ("/opt/llama-server-2 -m x.gguf", False),
        ("'/opt/other engine' -m x.gguf", False),
        ("llama-server -m x.gguf", True),
    ],
)
def test_a_command_line_tells_whose_it_is(line, started):
    assert (
        is_started_by(line, Engine(Path("/opt/llama-server"), "1", EngineCapabilities(), EngineSource.PATH)) is started
    )
