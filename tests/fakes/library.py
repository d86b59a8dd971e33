"""Model files whose headers say what a test says."""

from pathlib import Path

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf import ModelFacts


def some_facts(name: str | None = "Tiny", *, mtp_layers: int = 0, quantisation: str = "F32") -> ModelFacts:
    return ModelFacts(
        name=name,
        architecture="llama",
        size_label=None,
        parameter_count=1_200_000,
        quantisation=quantisation,
        context_length=2048,
        mtp_layers=mtp_layers,
        block_count=2,
        expert_count=None,
        has_chat_template=True,
        file_size_bytes=3 * 2**20,
    )


class FakeModelFiles:
    """Knows the facts of paths it was told of; every other file is no model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._facts: dict[Path, ModelFacts] = {}

    def make(self, name: str, facts: ModelFacts | None = None) -> Path:
        """A file in the folder, with facts if it is to be a model."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"GGUF and so on")
        if facts is not None:
            self._facts[path.resolve()] = facts
        return path

    def read_facts(self, path: Path) -> ModelFacts:
        if not path.exists():
            raise InvalidModelFile(path, "there is no such file")
        if path not in self._facts:
            raise InvalidModelFile(path, "this is not a GGUF file", offset=0)
        return self._facts[path]

    def write_demo(self) -> Path:
        return self.make("demo.gguf", some_facts("Demo model", mtp_layers=1))
