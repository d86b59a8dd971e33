"""Model files on this computer's disks."""

from __future__ import annotations

from pathlib import Path

from gglib_desktop.adapters.gguf_header import check_tensor_data, read_header
from gglib_desktop.domain.gguf import ModelFacts, facts_from_header

DEMO_NAME = "Demo model"


class DiskModelFiles:
    """Reads headers in place; makes the demo model in ``demo_folder``."""

    def __init__(self, demo_folder: Path) -> None:
        self._demo_folder = demo_folder

    def read_facts(self, path: Path) -> ModelFacts:
        header = read_header(path)
        check_tensor_data(path, header)
        return facts_from_header(header, file_name=path.name, file_size_bytes=path.stat().st_size)

    def write_demo(self) -> Path:
        from gglib_desktop.adapters.demo_model import DemoSpec, write_demo_model  # noqa: PLC0415  # most never need it

        path = self._demo_folder / "demo-model-F32.gguf"
        return path if path.exists() else write_demo_model(path, DemoSpec(name=DEMO_NAME))
