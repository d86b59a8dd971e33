"""How serious the lines of a server's output are, whatever its engine calls it."""

from gglib_desktop.domain.llama_cpp.log_levels import level_of
from gglib_desktop.domain.servers.log_text import LogLevel, levels_of


def test_a_line_without_a_level_goes_on_with_the_one_before():
    lines = ["usage:", "E one", "  more", "D three", ""]
    expected = [LogLevel.WARNING, LogLevel.ERROR, LogLevel.ERROR, LogLevel.DEBUG, LogLevel.DEBUG]
    assert levels_of(lines, level_of, LogLevel.WARNING) == expected
    assert levels_of(["usage:"], level_of) == [LogLevel.INFO]
