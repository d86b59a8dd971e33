"""The whole program, its window and all, with a user who scans and edits without a pause, and says so.

Prints a JSON list a line: ["ready"], and then for each edit [number, kind, model] before and [number, models] after.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from gglib_desktop import __main__ as program
from gglib_desktop import bootstrap
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.services.models.library import Library
from gglib_desktop.viewmodels.window import WindowViewModel
from tests.fakes.waiting import poll

_OUTPUT = 1
# More than one life has; so no two edits have the same number.
_EDITS = 100_000


def say(*words: object) -> None:
    os.write(_OUTPUT, json.dumps(words).encode() + b"\n")  # at once, and whole lines


class Editor:
    """Edits one thing after the other; scans go on beside it."""

    def __init__(self, library: Library, window: WindowViewModel, seed: int) -> None:
        self._library = library
        self._window = window
        self._chance = random.Random(seed)
        self._number = seed * _EDITS

    async def work(self) -> None:
        await poll(lambda: self._window.is_ready, timeout_s=60)
        say("ready")
        while True:
            self._window.library.scan.trigger()
            edit = self._chance.choice([self._describe, self._describe, self._choose, self._remove_and_add])
            await edit(self._chance.choice(self._library.models).id)

    async def _describe(self, model_id: int) -> None:
        value = self._begin("describe", model_id)
        await self._library.describe(model_id, (f"tag {value}",), f"note {value}")
        say(value, model_id)

    async def _choose(self, model_id: int) -> None:
        value = self._begin("choose", model_id)
        await self._library.save_launch_options(model_id, LaunchOptions(context_size=value))
        say(value, model_id)

    async def _remove_and_add(self, model_id: int) -> None:
        model = self._library.model(model_id)
        if model is None or model.missing or self._chance.random() < 0.5:
            return
        value = self._begin("remove", model_id)
        await self._library.remove(model_id)
        say(value, model_id)
        value = self._begin("add", model_id)
        added = await self._library.add([model.path])
        say(value, *(each.id for each in added))

    def _begin(self, kind: str, model_id: int) -> int:
        self._number += 1
        say(self._number, kind, model_id)
        return self._number


def main() -> int:
    """``library_app SEED FOLDER``: the real program, with an editor that begins when its window is built."""
    seed, folder = int(sys.argv[1]), Path(sys.argv[2])
    build = bootstrap._build_window
    tasks = []

    def build_window(app: Any, services: Any, *rest: Any) -> Any:
        editor = Editor(services.library, services.view_model, seed)
        tasks.append(asyncio.get_running_loop().create_task(editor.work()))
        return build(app, services, *rest)

    vars(bootstrap)["_build_window"] = build_window
    sys.argv = ["gglib-desktop", "--runner", "mock", str(folder)]
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
