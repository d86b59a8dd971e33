"""The words for workers and their heads: command lines, and what an engine lists and logs."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.help import parse_devices
from gglib_desktop.domain.options.arguments import flag_of

RPC_FLAG = "--rpc"
LIST_DEVICES = "--list-devices"
# Beside the server's program, by its names in builds of different times. A worker whose client ends would die of
# SIGPIPE. Without a number of threads it would take half of them.
_SCRIPT = "; ".join(
    (
        'trap "" PIPE',
        "folder=$1 threads=$2 host=$3 port=$4",
        '[ -n "$threads" ] || threads=$(getconf _NPROCESSORS_ONLN)',
        "for name in ggml-rpc-server rpc-server llama-rpc-server",
        'do [ ! -x "$folder/$name" ] || exec "$folder/$name" -H "$host" -p "$port" -t "$threads"',
        "done",
        'echo "there is no ggml-rpc-server beside llama-server in $folder" >&2',
        "exit 127",
    )
)
_NOT_REACHED = re.compile(r"Failed to connect to (\S+:\d+)")


def worker_argv(program: Path, host: str, port: int, threads: int | None) -> tuple[str, ...]:
    """Starts a worker with the program of its kind that lies beside ``program``, the server's."""
    count = "" if threads is None else str(threads)
    return ("/bin/sh", "-c", _SCRIPT, "worker", str(program.parent), count, host, str(port))


def with_workers(argv: Sequence[str], addresses: Sequence[str]) -> tuple[str, ...]:
    """A head's command line. Raises: ConfigurationError if the extra arguments name workers too."""
    if RPC_FLAG in map(flag_of, argv):
        raise ConfigurationError("extra_args", RPC_FLAG, f"{RPC_FLAG} is decided by the workers that were chosen")
    return (*argv, RPC_FLAG, ",".join(addresses))


def listed_workers(output: str) -> frozenset[str]:
    """The addresses of the workers among the listed devices."""
    return frozenset(device.description for device in parse_devices(output))


def missing_workers(log: str) -> Collection[str]:
    """The addresses that a head did not reach. It starts all the same."""
    return frozenset(_NOT_REACHED.findall(log))
