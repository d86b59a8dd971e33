"""dasllama's words: its command line, and what it cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from typing_extensions import override

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.openai.flag_dialect import FlagDialect
from gglib_desktop.domain.openai.flag_reader import FlagReader
from gglib_desktop.domain.options.client_names import names_in
from gglib_desktop.domain.options.engine_options import ALL_GPU_LAYERS, DRAFT_NUMBERS
from gglib_desktop.domain.options.host import is_loopback
from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.domain.servers.server import ServerConfig

MTP_FLAG = "--mtp"
_LONGEST_NAME = 200
# It would keep its form of the weights, as large as the model, beside the link, and with it in the folder of one run.
# In its home it keeps logs and what it has tuned, and looks for settings.
OWN_VARIABLES = {"DASLLAMA_IMAGE_SAVE": "0", "HOME": "."}
_IN_THE_MODEL = "is decided by the model that is started"
_SERVES_ONE = "cannot be used: a server serves the one model that it is started with"
_WITHOUT_KEY = "dasllama asks for no key, and all who reach it can end it: it serves this computer alone"
_OWN_NUMBERS = "dasllama drafts by numbers of its own; MTP is on or off"
_NO_DRAFTING = "it is not known whether this build of dasllama lives when it drafts"

READER = FlagReader(
    names_begin="dasllama",
    program_name="dasllama-server",
    port_flags={"-p", "--port"},
    model_flags={"-m", "--model"},
    context_flag="--ctx",
)


class DasllamaDialect(FlagDialect):
    """It takes few options as flags, and passes over those that it does not know without a word."""

    program = "dasllama"
    flags: ClassVar[Mapping[str, str]] = {
        "context_size": "--ctx",
        "parallel": "--streams",
        "threads": "--threads",
        "max_tokens": "--max-tokens",
    }
    decided: ClassVar[Mapping[str, str]] = {
        "-m": _IN_THE_MODEL,
        "--model": _IN_THE_MODEL,
        "-p": "is decided by the field Server port",
        "--port": "is decided by the field Server port",
        "--host": "is decided by the field Host",
        "-s": "is decided by the field Parallel slots",
        "-t": "is decided by the field Threads",
        "--gpu": "is decided by the field GPU layers",
        MTP_FLAG: "is decided by the field MTP",
        "-c": _SERVES_ONE,
        "--config": _SERVES_ONE,
    }
    said_otherwise = DRAFT_NUMBERS | {"gpu_layers"}
    levels: ClassVar[Mapping[str, LogLevel]] = {
        "[W]": LogLevel.WARNING,
        "[E]": LogLevel.ERROR,
        "EXCEPTION": LogLevel.ERROR,
    }

    @override
    def own_words(self, config: ServerConfig, capabilities: EngineCapabilities) -> Sequence[str]:
        # Clients call the model by the name of its file.
        words = ["-m", f"./{link_name(config)}"]
        if config.gpu_layers == 0:
            words += ["--gpu", "off"]
        return [*words, MTP_FLAG] if config.spec_draft_n_max else words

    @override
    def complaint(self, name: str, value: object, capabilities: EngineCapabilities) -> str | None:
        if (name == "host" and not is_loopback(str(value))) or (name == "require_api_key" and value is True):
            return _WITHOUT_KEY
        if name == "alias" and len(names_in(str(value))) > 1:
            return "dasllama has one name for its model"
        if name == "gpu_layers" and value not in {-1, 0, ALL_GPU_LAYERS}:
            return "dasllama computes all layers on a GPU or none: auto, all or 0"
        if name == "spec_draft_n_max" and value and not capabilities.has_mtp:
            return capabilities.removed.get(MTP_FLAG, _NO_DRAFTING)
        return None

    @override
    def missing_options(self, capabilities: EngineCapabilities) -> Mapping[str, str]:
        numbers = _OWN_NUMBERS if capabilities.has_mtp else capabilities.removed.get(MTP_FLAG, _NO_DRAFTING)
        return {**super().missing_options(capabilities), **dict.fromkeys(DRAFT_NUMBERS, numbers)}


def link_name(config: ServerConfig) -> str:
    """What its file is called for the server. A slash would begin a folder, and a name has its limit."""
    name = config.client_names[0].replace("/", "-") if config.client_names else ""
    name = name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME].decode("utf-8", "ignore")
    return name if name.strip(".") else "model"
