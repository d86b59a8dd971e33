"""What a start does before there is a window. Another instance may take over what was to be opened."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import sys
from dataclasses import dataclass
from functools import cache, partial
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from gglib_desktop import __version__
from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.machine.single_instance import SingleInstance
from gglib_desktop.ports.machine.key_store import EndpointKeys, KeyStore
from gglib_desktop.program_paths import DATA_DIR_VARIABLE, Places

if TYPE_CHECKING:
    from gglib_desktop.adapters.keys.keyring import AskedKeyring

_log = logging.getLogger(__name__)
STOP_SERVERS = "--stop-servers"
_LOG_BYTES = 2 * 1024 * 1024
# Beyond the stop ladder's own time: what taking everything else down may need before we end by force.
SHUTDOWN_MARGIN_S = 12.0


@dataclass(frozen=True)
class Options:
    """The program's arguments."""

    models: tuple[Path, ...] = ()
    runner: str = "local"
    debug: bool = False
    stop_servers: bool = False


def read_options(words: list[str]) -> Options:
    """Raises: SystemExit, with a sentence about arguments that make no sense, and after ``--help``."""
    if not words:
        return Options()
    import argparse

    parser = argparse.ArgumentParser(
        prog="gglib-desktop", description="The desktop control room for local LLM servers."
    )
    parser.add_argument("models", nargs="*", type=Path, metavar="FILE", help="GGUF files or folders to add")
    parser.add_argument("--runner", choices=["local", "mock"], default="local", help="mock simulates servers")
    parser.add_argument("--debug", action="store_true", help="log everything, to the console too")
    # Only the program itself says this, when it has lost its window.
    parser.add_argument(STOP_SERVERS, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"GGLib Desktop {__version__}")
    arguments = parser.parse_args(words)
    return Options(
        models=tuple(arguments.models),
        runner=arguments.runner,
        debug=arguments.debug,
        stop_servers=arguments.stop_servers,
    )


class _LogFile(logging.handlers.RotatingFileHandler):
    """Files that only this user can read."""

    @override
    def _open(self) -> TextIOWrapper:
        return cast(TextIOWrapper, open(self.baseFilename, self.mode, encoding=self.encoding, opener=private.opener))


def start_logging(options: Options) -> None:
    """Writes the program's log to its file, and with ``debug`` to the console."""
    places = Places.of_this_user()
    handlers: list[logging.Handler] = [logging.StreamHandler()] if options.debug and sys.stderr else []
    with contextlib.suppress(OSError):
        private.make_folder(places.log.parent)
        handlers.append(_LogFile(places.log, maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8"))
    logging.basicConfig(
        level=logging.DEBUG if options.debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=handlers,
    )
    for chatty in ("httpx", "httpcore", "qasync", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def handed_over(options: Options) -> bool:
    """Whether the program runs already; it then shows its window and takes the models named now."""
    return SingleInstance(Places.of_this_user().data_dir).hand_over(options.models)


def stop_servers(options: Options) -> int:
    """Ends what the program would have ended had it not lost its window. Returns the exit status."""
    from gglib_desktop import windowless

    places = Places.of_this_user()
    keys = cache(partial(key_store, places))
    return asyncio.run(
        windowless.stop_servers(options.runner, places.data_dir, places.settings, keys, SHUTDOWN_MARGIN_S)
    )


async def close_to_others(places: Places) -> None:
    """Mends what earlier versions made as the user's mask said."""
    outside = (places.settings, places.log)
    problems = await asyncio.to_thread(private.close_to_others, places.data_dir, outside, places.own_folders)
    if problems:
        _log.warning("other users of this computer may read: %s", "; ".join(problems))


def key_store(places: Places) -> KeyStore:
    """Made when it is first needed, as most sessions need no key."""
    from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey

    return KeptKey(places.data_dir / KEY_FILE, _keyring())


def endpoint_keys(places: Places) -> EndpointKeys:
    """Made when it is first needed, as most sessions have no endpoint."""
    from gglib_desktop.adapters.keys.endpoint_keys import KeptEndpointKeys

    return KeptEndpointKeys(places.endpoint_keys, _keyring())


def _keyring() -> AskedKeyring:
    from gglib_desktop.adapters.keys.keyring import AskedKeyring, system_keyring

    # A keyring has its own files, which are not below GGLIB_DATA_DIR.
    return AskedKeyring(None if os.environ.get(DATA_DIR_VARIABLE) else system_keyring)
