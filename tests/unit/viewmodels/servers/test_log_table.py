"""The lines of a log that are kept: dropped, filtered and searched without losing their place."""

import pytest
from PySide6.QtCore import QModelIndex, Qt

from gglib_desktop.domain.llama_cpp.log_levels import level_of
from gglib_desktop.domain.servers.log_text import LogLevel, levels_of
from gglib_desktop.viewmodels.servers.log_table import LevelRole, LogTable


@pytest.fixture
def table(qapp, qtmodeltester) -> LogTable:
    table = LogTable(most_lines=10)
    # From here on every announcement of a change is checked against what is there.
    qtmodeltester.check(table)
    return table


def add(table: LogTable, *lines: str) -> None:
    table.append(lines, levels_of(lines, level_of))


def shown(table: LogTable) -> list[str]:
    return [table.index(row, 0).data() for row in range(table.rowCount())]


def test_lines_are_rows_with_a_level(table):
    assert table.is_empty
    add(table, "W careful", "more of it", "I fine")
    assert shown(table) == ["W careful", "more of it", "I fine"]
    assert table.text() == "W careful\nmore of it\nI fine"
    assert not table.is_empty
    index = table.index(1, 0)
    assert index.data(LevelRole) is LogLevel.WARNING
    assert index.data(Qt.ItemDataRole.ToolTipRole) is None
    assert table.data(QModelIndex()) is None
    assert (table.rowCount(index), table.columnCount(index), table.columnCount()) == (0, 0, 1)


def test_the_oldest_lines_go_when_there_are_too_many(table):
    add(table, *(f"line {number}" for number in range(8)))
    number = table.number_at(5)
    add(table, "line 8", "line 9", "line 10")
    assert shown(table) == [f"line {number}" for number in range(1, 11)]
    assert table.row_near(number) == 4, "a line keeps its number"
    add(table, *(f"batch {number}" for number in range(25)))
    assert shown(table) == [f"batch {number}" for number in range(15, 25)]
    assert table.row_near(number) == 0


def test_very_long_lines_count_more(qapp):
    table = LogTable()
    for number in range(40):
        add(table, f"{number:02}" * 1024 * 1024)
    assert table.rowCount() == 16, "32 Mi characters"
    assert table.line(0).startswith("2424")


def test_the_newest_line_can_go_on(table):
    add(table, "load", "loading ..")
    table.extend_last("..")
    assert shown(table) == ["load", "loading ...."]
    table.show_from(LogLevel.ERROR)
    table.extend_last(" done")
    assert shown(table) == []
    table.show_from(LogLevel.DEBUG)
    assert shown(table) == ["load", "loading .... done"]


# -- filtering

MIXED = ("I one", "W two", "E three", "I four", "E five", "  and more")


@pytest.mark.parametrize(
    ("least", "lines"),
    [
        (LogLevel.DEBUG, [*MIXED]),
        (LogLevel.WARNING, ["W two", "E three", "E five", "  and more"]),
        (LogLevel.ERROR, ["E three", "E five", "  and more"]),
    ],
)
def test_lines_below_a_level_are_hidden(table, least, lines):
    add(table, *MIXED)
    table.show_from(least)
    table.show_from(least)
    assert shown(table) == lines
    add(table, "I six", "E seven")
    assert shown(table) == [*lines, *(["I six"] if least is LogLevel.DEBUG else []), "E seven"]
    table.append(["──── new run ────"], [LogLevel.NOTE])
    assert shown(table)[-1] == "──── new run ────", "no filter hides what the program itself has to say"
    table.show_from(LogLevel.DEBUG)
    assert shown(table) == [*MIXED, "I six", "E seven", "──── new run ────"]


def test_filtered_lines_go_with_age_too(table):
    table.show_from(LogLevel.ERROR)
    add(table, "I zero", "I one", "E two", "E three", "I four")
    add(table, *(f"I {number}" for number in range(8)))
    assert shown(table) == ["E three"]
    add(table, "I more")
    assert shown(table) == []
    table.show_from(LogLevel.DEBUG)
    assert table.rowCount() == 10


def test_the_place_is_found_again_under_another_filter(table):
    add(table, *MIXED)
    table.show_from(LogLevel.ERROR)
    number = table.number_at(1)
    table.show_from(LogLevel.DEBUG)
    assert table.line(table.row_near(number)) == "E five"
    four = table.number_at(3)
    table.show_from(LogLevel.WARNING)
    assert table.line(table.row_near(four)) == "E five", "the next one that is shown"
    assert table.number_at(99) is None
    assert table.number_at(-1) is None


# -- searching


def positions(table: LogTable) -> list[int]:
    return [table.match_position(row) for row in range(table.rowCount())]


def test_matches_are_counted_and_visited_in_turn(table):
    add(table, "Load one", "two", "reload three", "four")
    table.search("LOAD")
    assert table.matches.text == "load"
    assert len(table.matches) == 2
    assert positions(table) == [1, 0, 2, 0]
    assert (table.match_position(-1), table.match_position(9)) == (0, 0)
    assert [table.next_match(row) for row in (-1, 0, 1, 2, 3)] == [0, 2, 2, 0, 0]
    assert [table.next_match(row, forward=False) for row in (-1, 0, 1, 2, 3)] == [2, 2, 0, 0, 2]


def test_no_match_and_no_search(table):
    add(table, "one", "two")
    for text in ("three", ""):
        table.search(text)
        assert len(table.matches) == 0
        assert table.next_match(0) is None
        assert table.next_match(0, forward=False) is None


def test_typing_on_narrows_and_deleting_widens(table):
    add(table, "a", "ab", "abc", "b")
    counts = []
    for text in ("a", "ab", "abc", "ab", "b", "xb", "b"):
        table.search(text)
        counts.append(len(table.matches))
    assert counts == [3, 2, 1, 2, 3, 0, 3]


def test_what_comes_later_is_searched_and_what_goes_is_forgotten(table):
    table.search("hit")
    add(table, "hit 0", "miss", "hit 2")
    add(table, *(f"hit {number}" if number % 2 == 0 else "miss" for number in range(3, 12)))
    assert len(table.matches) == 5
    assert [table.line(row) for row in range(10) if table.match_position(row)] == [
        f"hit {number}" for number in (2, 4, 6, 8, 10)
    ]
    table.extend_last(" and a hit")
    table.extend_last(" and a hit")
    assert len(table.matches) == 6


def test_only_shown_lines_are_matches(table):
    add(table, "I load", "E load", "I load", "E other")
    table.search("load")
    table.show_from(LogLevel.ERROR)
    assert positions(table) == [1, 0]
    add(table, "I load", "E load")
    assert positions(table) == [1, 0, 2]
    table.show_from(LogLevel.DEBUG)
    assert len(table.matches) == 5


# -- the longest line


def test_the_longest_line_is_that_of_what_is_shown_or_was_of_late(table):
    assert table.longest_line == ""
    add(table, "I a long information", "E short")
    assert table.longest_line == "I a long information"
    table.show_from(LogLevel.ERROR)
    assert table.longest_line == "E short"
    table.show_from(LogLevel.DEBUG)
    table.extend_last(" but no longer short")
    assert table.longest_line == "E short but no longer short"
    for number in range(10, 40):
        add(table, f"I {number}")
    assert len(table.longest_line) == len("I 10")
