"""What was written down of servers, and what a damaged record can do: nothing."""

import json
from pathlib import Path

import pytest

from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig

GOOD = ServerRecord(
    "run", ServerConfig(1, "Tiny", Path("/models/tiny.gguf"), 9000), 9000, "serve", pid=77, identity="a", started_at=5
)


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path)


def test_a_record_comes_back_as_it_was_written(store):
    begun = GOOD.replace(run="begun", pid=None, identity=None, started_at=None)
    for record in (GOOD, begun):
        store.write(record)
    assert list(store.records()) == [begun, GOOD]


@pytest.mark.parametrize(
    "damage",
    [
        {"port": 0},
        {"port": 70_000},
        {"started_at": None},
        {"started_at": -1},
        {"run": "../elsewhere"},
        {"pid": None, "started_at": -1},
        {"pid": 1},
        {"pid": -1},
        {"group": 1},
        {"group": 0},
        {"group": -5},
        {"pid": "77"},
        {"config": None},
    ],
)
def test_a_damaged_record_is_set_aside_and_the_others_are_read(store, tmp_path, damage):
    store.write(GOOD)
    store.write(GOOD.replace(run="other"))
    file = tmp_path / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | damage))
    assert [record.run for record in store.records()] == ["other"]
    assert {path.name for path in tmp_path.iterdir()} == {"other.json", "run.unreadable"}


def test_a_record_of_endless_brackets_is_set_aside(store, tmp_path):
    (tmp_path / "run.json").write_text("[" * 200_000)
    assert list(store.records()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["run.unreadable"]
