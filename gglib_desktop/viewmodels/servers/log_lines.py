"""From the pieces of a log to the rows of its table."""

from __future__ import annotations

import codecs

from gglib_desktop.domain.servers.log_text import LevelOf, LogLevel, levels_of, without_escapes
from gglib_desktop.viewmodels.servers.log_table import LogTable

# Output without a line end is shown as lines of this length.
_LONGEST_LINE = 4000
_MOST_UNFINISHED = 64 * 1024


class LineMaker:
    """Turns pieces of a log into lines, whatever the pieces' borders are."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unfinished = ""

    def lines(self, data: bytes) -> list[str]:
        """The lines that end in ``data``; the rest after the last line end is kept for the next call."""
        done, end, self._unfinished = (self._unfinished + self._decoder.decode(data)).rpartition("\n")
        if len(self._unfinished) > _MOST_UNFINISHED:
            done, end, self._unfinished = done + end + self._unfinished, "\n", ""
        if not end:
            return []
        # With its last line end, because CR LF counts as one.
        lines = without_escapes(done + "\n").split("\n")[:-1]
        return lines if len(max(lines, key=len)) <= _LONGEST_LINE else [part for line in lines for part in _parts(line)]

    def take_unfinished(self) -> str:
        """The unfinished line, which the next call of ``lines`` continues."""
        text, self._unfinished = self._unfinished, ""
        # A line that was overwritten several times shows its last text.
        return without_escapes(text).rstrip("\n").rpartition("\n")[2]

    def reset(self) -> None:
        self._decoder.reset()
        self._unfinished = ""


class LogLines:
    """Lines that were read, and notes between them, on their way into the table."""

    def __init__(self, table: LogTable, level_of: LevelOf) -> None:
        self._table = table
        self._level_of = level_of
        self._maker = LineMaker()
        self._lines: list[str] = []
        self._levels: list[LogLevel] = []
        self._level = LogLevel.INFO
        # The last row is the beginning of a line.
        self._line_is_open = False

    def begin_run(self) -> None:
        """The next lines are from another log."""
        self._maker.reset()
        self._level = LogLevel.INFO

    def add(self, data: bytes) -> None:
        self._add(self._maker.lines(data))

    def note(self, text: str, *, gap: bool = False) -> None:
        """Adds a line of our own. ``gap``: the next lines do not continue the last ones."""
        if gap:
            self._maker.reset()
        self._line_is_open = False
        self._lines.append(text)
        self._levels.append(LogLevel.NOTE)

    def show(self) -> bool:
        """Makes rows from the lines that have come. Whether there were any."""
        if not self._lines:
            return False
        lines, self._lines = self._lines, []
        levels, self._levels = self._levels, []
        self._table.append(lines, levels)
        return True

    def show_unfinished(self) -> bool:
        """Makes a row of the unfinished line, which may grow. Whether there was one."""
        text = self._maker.take_unfinished()
        if not text:
            return False
        self._add([text])
        is_new = self.show()
        self._line_is_open = True
        return is_new

    def _add(self, lines: list[str]) -> None:
        if lines and self._line_is_open:
            self._line_is_open = False
            self._table.extend_last(lines.pop(0))
        if lines:
            levels = levels_of(lines, self._level_of, self._level)
            self._level = levels[-1]
            self._lines += lines
            self._levels += levels


def _parts(line: str) -> list[str]:
    """A line, cut where it becomes too long to be painted."""
    return [line[begin : begin + _LONGEST_LINE] for begin in range(0, max(1, len(line)), _LONGEST_LINE)]
