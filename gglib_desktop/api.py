"""The names that other programs import. Everything else in the package may move; these names stay.

Serve a model on this computer until the task is cancelled::

    from pathlib import Path
    from gglib_desktop.api import ServerConfig, create_runner

    async def serve(model: Path) -> None:
        async with create_runner("local", data_dir=Path("servers")) as runner:
            handle = await runner.start(ServerConfig(1, model.stem, model, base_port=9000))
            try:
                print(runner.endpoint(handle), flush=True)
                await runner.wait_exit(handle)
            finally:
                await runner.stop(handle)

A server goes on if the program leaves the runner without ``stop``; the next runner over the same ``data_dir`` lists it.
"""

from gglib_desktop.domain.errors import (
    AnswerCut,
    ChatError,
    ChatRefused,
    ConfigurationError,
    DataDirectoryInUse,
    GglibError,
    HealthCheckFailed,
    HistoryError,
    HistorySetAside,
    InvalidDraft,
    InvalidModelFile,
    InvalidSettings,
    KeyRefused,
    KeyStoreError,
    LibraryError,
    LibrarySetAside,
    ModelInUse,
    NoAnswer,
    NoSuchModel,
    NotRunning,
    PicturesRefused,
    PictureUnusable,
    PlaceInUse,
    PortTaken,
    PresetFileError,
    ProcessError,
    PromptTooLong,
    ResourceExhausted,
    RunnerUnavailable,
    SettingsError,
    StartFailed,
    StopFailed,
)
from gglib_desktop.domain.options.sampling import InferenceConfig
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig, ServerHealth
from gglib_desktop.ports.servers.process_runner import ProcessRunner
from gglib_desktop.ports.servers.server_monitor import ServerMonitor
from gglib_desktop.runners import Runner, create_runner

__all__ = [
    "AnswerCut",
    "ChatError",
    "ChatRefused",
    "ConfigurationError",
    "DataDirectoryInUse",
    "GglibError",
    "HealthCheckFailed",
    "HistoryError",
    "HistorySetAside",
    "InferenceConfig",
    "InvalidDraft",
    "InvalidModelFile",
    "InvalidSettings",
    "KeyRefused",
    "KeyStoreError",
    "LibraryError",
    "LibrarySetAside",
    "ModelInUse",
    "NoAnswer",
    "NoSuchModel",
    "NotRunning",
    "PictureUnusable",
    "PicturesRefused",
    "PlaceInUse",
    "PortTaken",
    "PresetFileError",
    "ProcessError",
    "ProcessHandle",
    "ProcessRunner",
    "PromptTooLong",
    "ResourceExhausted",
    "Runner",
    "RunnerUnavailable",
    "ServerConfig",
    "ServerHealth",
    "ServerMonitor",
    "SettingsError",
    "StartFailed",
    "StopFailed",
    "create_runner",
]
