"""Servers in containers. Loaded only where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.engines.llama_cpp.image_catalog import ImageCatalog
from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.threads import InThread, Threads
from gglib_desktop.adapters.places.container.image import Image
from gglib_desktop.adapters.places.container.place import ContainerPlace
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.kinds import LLAMA_CPP
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES, DEFAULT_STOP_GRACE_S


def container_site(
    url: str,
    data_dir: Path,
    engine: Path | None,
    *,
    environment: Mapping[str, str],
    in_thread: InThread,
    log_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
) -> Site:
    """The containers of one image. ``url`` is ``podman:IMAGE`` or ``docker:IMAGE``.

    ``engine`` is a path in the image; None takes the program that it runs by itself. Raises: ConfigurationError.
    """
    container_engine, _colon, name = url.partition(":")
    image = Image(container_engine, name, environment, data_dir)
    place = ContainerPlace(data_dir, image, environment=environment, in_thread=in_thread, log_bytes=log_bytes)
    catalog = ImageCatalog(image.found, image.answer)
    return Site(place, {LLAMA_CPP: LlamaCppDriver(lambda: catalog.find(engine))})


def container_runner(
    kind: str,
    data_dir: Path,
    engine: Path | None = None,
    *,
    environment: Mapping[str, str],
    stop_grace_s: Callable[[], float] = lambda: DEFAULT_STOP_GRACE_S,
) -> RecordedRunner:
    """A runner over one such site; ``kind`` is its address, and the id of its place."""
    threads = Threads()
    site = container_site(kind, data_dir, engine, environment=environment, in_thread=threads.run)
    return RecordedRunner(
        data_dir, {kind: site}, threads=threads, stop_grace_s=stop_grace_s, keys=KeptKey(data_dir / KEY_FILE)
    )
