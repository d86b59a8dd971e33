"""vLLM's words: its command line, and what it cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from typing_extensions import override

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.openai.flag_dialect import FlagDialect
from gglib_desktop.domain.openai.flag_reader import FlagReader
from gglib_desktop.domain.options.client_names import names_in
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.server import ServerConfig

KEY_VARIABLE, NAME_FLAG = "VLLM_API_KEY", "--served-model-name"
_NO_LOADER = "vLLM has no loader for GGUF files, so it cannot serve this model"
_IN_A_FIELD = "is decided by the field "


class VllmReader(FlagReader):
    """Its program is a script that a Python runs, and its model stands without a flag.

    So those that others started are not looked for, which would mean to look at every Python of the computer.
    """

    @override
    def is_server(self, program: str, argv: Sequence[str]) -> bool:
        return any(word.rpartition("/")[2] == self.program_name and "serve" in argv for word in argv[:2])


READER = VllmReader(
    names_begin="vllm",
    program_name="vllm",
    port_flags={"--port"},
    model_flags={"serve", "--model"},
    context_flag="--max-model-len",
    alias_flag=NAME_FLAG,
    key_flag="--api-key",
)


class VllmDialect(FlagDialect):
    """It serves folders of safetensors."""

    program = "vLLM"
    key_variable = KEY_VARIABLE
    flags: ClassVar[Mapping[str, str]] = {"context_size": "--max-model-len", "parallel": "--max-num-seqs"}
    decided: ClassVar[Mapping[str, str]] = {
        "--model": "is decided by the model that is started",
        "--host": _IN_A_FIELD + "Host",
        "--port": _IN_A_FIELD + "Server port",
        "--api-key": "cannot be used: a key in a command line is no secret; choose it in the field API key",
        NAME_FLAG: _IN_A_FIELD + "Name for clients",
    }
    levels: ClassVar[Mapping[str, LogLevel]] = {
        "INFO": LogLevel.INFO,
        "WARNING": LogLevel.WARNING,
        "ERROR": LogLevel.ERROR,
    }

    @override
    def own_words(self, config: ServerConfig, capabilities: EngineCapabilities) -> Sequence[str]:
        names = names_in(config.alias)
        return [str(config.model_path.absolute()), *((NAME_FLAG, *names) if names else ())]

    @override
    def complaint(self, name: str, value: object, capabilities: EngineCapabilities) -> str | None:
        return None

    @override
    def complaint_about_model(self, config: ServerConfig) -> str | None:
        return _NO_LOADER if config.model_path.suffix.lower() == ".gguf" else None

    @override
    def level_of(self, line: str) -> LogLevel | None:
        # A process of several says first which one it is: "(APIServer pid=7) INFO 08-26 09:12:01 [utils.py:326] …".
        return super().level_of(line.rpartition(") ")[2] if line.startswith("(") else line)
