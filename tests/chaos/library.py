"""`make chaos-library`: the program is killed in the middle of scans and edits, again and again, and must lose nothing.

Ends with one line of counts, and with status 1 unless nothing was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import select
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from gglib_desktop.adapters.gguf.writer import GgufWriter
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.domain.gguf.header import GgufValueType
from gglib_desktop.domain.models.model import Model
from tests.chaos.world import ROOT, say

FILES = 60
LONGEST_LIFE_S = 0.8
_READY_S = 60.0


@dataclass
class Words:
    """What the program said of one life."""

    begun: dict[int, tuple[str, int]] = field(default_factory=dict)
    done: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: list[str]) -> Words:
        words = cls()
        for line in lines:
            number, *rest = json.loads(line)
            if rest and isinstance(rest[0], str):
                words.begun[number] = (rest[0], rest[1])
            elif number != "ready":
                words.done[number] = rest
        return words


@dataclass
class Told:
    """What may be in the library by what was said: of each model the last value that was kept, and one under way."""

    described: dict[int, set[int]] = field(default_factory=dict)
    chosen: dict[int, set[int]] = field(default_factory=dict)
    alive: set[int] = field(default_factory=set)
    doubtful: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    given_back: set[int] = field(default_factory=lambda: {0})
    """What may be written about a model that is new: nothing, or what was when it was taken off."""

    def take(self, words: Words) -> None:
        for number, (kind, model_id) in words.begun.items():
            done = words.done.get(number)
            if kind in {"describe", "choose"}:
                values = self.described_of(model_id) if kind == "describe" else self.chosen.setdefault(model_id, {0})
                if done is not None:
                    values.clear()
                values.add(number)
            elif kind == "remove":
                (self.doubtful if done is None else self.gone).add(model_id)
                self.given_back |= self.described_of(model_id)
            elif done is not None:
                # A model that was taken off and is added again is the same one.
                self.alive.update(done)
                self.gone.difference_update(done)
            else:
                self.gone.discard(model_id)
                self.doubtful.add(model_id)

    def described_of(self, model_id: int) -> set[int]:
        return self.described.setdefault(model_id, set(self.given_back))


class LibraryChaos:
    """One folder of models, one library over it, and what was found wrong with it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = random.Random(seed)
        self._made = 0
        self._told = Told()
        self.edits = 0
        self.lost: list[str] = []
        for _file in range(FILES):
            self._make()

    def run(self, kills: int) -> None:
        for kill in range(1, kills + 1):
            self._change_files()
            lines = self._live_and_die(kill)
            before = len(self.lost)
            self._judge(lines)
            if len(self.lost) > before:
                say(f"kill {kill}:", *self.lost[before:])

    # -- the disk

    def _make(self) -> None:
        self._made += 1
        writer = GgufWriter()
        writer.add("general.architecture", GgufValueType.STRING, "llama")
        writer.add("general.name", GgufValueType.STRING, f"Model {self._made}")
        writer.add("llama.block_count", GgufValueType.UINT32, self._made)
        writer.add_tensor("t", (8,), [bytes(32)])
        place = self._folder / "models" / str(self._made % 7) / f"{self._made}.gguf"
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            writer.write(file)

    def _change_files(self) -> None:
        """Leaves the next scan something to write."""
        files = sorted((self._folder / "models").rglob("*.gguf"))
        for path in self._chance.sample(files, 12):
            os.utime(path, (time.time(), self._chance.uniform(1e9, 1.5e9)))
        for path in self._chance.sample(files, 4):
            path.rename(path.with_name(f"moved {self._chance.randrange(10**9)} {path.name[-8:]}"))
        self._make()

    # -- the program

    def _live_and_die(self, seed: int) -> list[str]:
        """Whole lines of what it said."""
        environment = {
            **os.environ,
            "GGLIB_DATA_DIR": str(self._folder / "data"),
            "HOME": str(self._folder / "home"),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": str(ROOT),
        }
        words = [sys.executable, "-m", "tests.chaos.library_app", str(seed), str(self._folder / "models")]
        with (
            (self._folder / "errors.log").open("ab") as log,
            subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
        ):
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], _READY_S)
            first = process.stdout.readline() if ready else ""
            time.sleep(self._chance.uniform(0, LONGEST_LIFE_S))
            process.kill()
            lines = process.stdout.readlines()
        if first != '["ready"]\n':
            self.lost.append(f"the program did not come up; see {log.name}")
        return [line for line in lines if line.endswith("\n")]

    # -- the library

    def _judge(self, lines: list[str]) -> None:
        words = Words.of(lines)
        self.edits += len(words.done)
        told = self._told
        told.take(words)
        file = self._folder / "data" / "library.sqlite"
        with closing(sqlite3.connect(file)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchall()
            if answer != [("ok",)]:
                self.lost.append(f"the file is damaged: {answer}")
        models, chosen = asyncio.run(_read(file))
        self._compare(models, chosen)
        told.alive = {model.id for model in models}
        told.doubtful.clear()
        told.described = {model.id: {_value(model)} for model in models}
        told.chosen = {model_id: {value} for model_id, value in chosen.items()}

    def _compare(self, models: list[Model], chosen: dict[int, int]) -> None:
        told, ids = self._told, {model.id for model in models}
        for model_id in told.alive - told.gone - told.doubtful - ids:
            self.lost.append(f"model {model_id} is gone")
        for model_id in told.gone & ids:
            self.lost.append(f"model {model_id} is back although it was removed")
        for model in models:
            if model.tags != ((f"tag {_value(model)}",) if _value(model) else ()):
                self.lost.append(f"half an edit: {model.tags} and {model.notes!r}")
            if _value(model) not in (described := told.described_of(model.id)):
                self.lost.append(f"{model.notes!r} of {model.id} is none of {described}")
            if chosen[model.id] not in (values := told.chosen.get(model.id, {0})):
                self.lost.append(f"choice {chosen[model.id]} of {model.id} is none of {values}")
            if model.facts is None or (model.problem is not None and not model.missing):
                self.lost.append(f"half a model: {model}")


def _value(model: Model) -> int:
    return int(model.notes.removeprefix("note ") or 0)


async def _read(file: Path) -> tuple[list[Model], dict[int, int]]:
    """As the program itself would at its next start."""
    repository = SqliteModelRepository(LibraryFile(file))
    try:
        models = list(await repository.models())
        await repository.folders()
        await repository.passed_over()
        return models, {model.id: (await repository.launch_options(model.id)).context_size or 0 for model in models}
    finally:
        await repository.file.aclose()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gglib-chaos-library-"))
    chaos = LibraryChaos(folder, arguments.seed)
    chaos.run(arguments.kills)
    say(f"chaos-library: seed={arguments.seed} kills={arguments.kills} edits={chaos.edits} lost={len(chaos.lost)}")
    if chaos.lost:
        say(f"kept for a look: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
