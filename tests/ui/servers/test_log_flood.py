"""A server that logs 200,000 lines a second: the window stays usable, and no line is lost on disk."""

import asyncio
import sys
from pathlib import Path

from PySide6.QtWidgets import QTableView

from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.domain.llama_cpp.log_levels import level_of
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.log import LogViewModel
from gglib_desktop.views.servers.log.view import LogView
from tests.fakes.waiting import poll

LINES = 300_000
LINE_BYTES = 46
# What is made of so much is shown in one turn of the window's loop, which takes some 10 ms; `make bench` measures it.
MOST_BYTES_A_TURN = 2**20

WRITER = """
import sys, time
lines, began = int(sys.argv[1]), time.monotonic()
done = 0
while done < lines:
    due = min(lines, int((time.monotonic() - began) * 200_000))
    sys.stderr.write("".join(f"0.00.001.{n % 1000:03} I srv  line {n:07} of very many\\n" for n in range(done, due)))
    sys.stderr.flush()
    done = due
    time.sleep(0.001)
"""


async def test_a_flood_of_lines_stalls_nothing_and_is_on_disk_to_the_last(qtbot, tmp_path, bugs):
    logs = LogFolder(tmp_path)
    output = logs.open_for_append("run")
    async with TaskScope(bugs) as scope:
        log = LogViewModel(scope, lambda *where: asyncio.to_thread(logs.read, *where), level_of)
        log.show_log("run")
        view = LogView(log)
        qtbot.addWidget(view)
        view.resize(900, 600)
        view.show()
        table = view.findChild(QTableView, "log")
        assert table is not None
        rows, turns = table.model(), list[int]()
        rows.rowsInserted.connect(lambda _parent, first, last: turns.append(last - first + 1))
        writer = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, str(LINES), stderr=output)
        writing = scope.start(writer.wait(), name="writer")
        await asyncio.wait({writing})
        await poll(lambda: f"line {LINES - 1:07}" in str(rows.index(rows.rowCount() - 1, 0).data()))
        view.hide()
    assert writing.result() == 0
    assert max(turns) <= MOST_BYTES_A_TURN // LINE_BYTES + 1
    assert on_disk(logs.path("run")) == list(range(LINES))


def on_disk(path: Path) -> list[int]:
    return [int(line.split(" line ")[1][:7]) for line in path.read_text().splitlines()]
