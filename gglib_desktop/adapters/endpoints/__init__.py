"""Servers that somebody else runs, asked over http and https."""

import sys
from types import ModuleType
from typing import cast

# As in the driver of llama.cpp: without it httpx may load a command line of 9 MiB.
sys.modules.setdefault("httpx._main", cast("ModuleType", None))
