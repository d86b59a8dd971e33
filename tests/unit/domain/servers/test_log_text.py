"""How serious the lines of a server's output are."""

import pytest

from gglib_desktop.domain.servers.log_text import LogLevel, level_of, levels_of


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("0.00.003.258 I srv    load_model: loading model 'tiny.gguf'", LogLevel.INFO),
        ("0.00.002.564 W srv  llama_server: -----------------", LogLevel.WARNING),
        ("1234.59.007.034 E gguf_init_from_file: failed to open GGUF file", LogLevel.ERROR),
        ("0.00.003.258 D slot is idle", LogLevel.DEBUG),
        ("E ggml: out of memory", LogLevel.ERROR),
        ("error: invalid argument: --nope", LogLevel.ERROR),
        ('error while handling argument "-c": stoi', LogLevel.ERROR),
        ("/src/llama-context.cpp:1711: GGML_ASSERT(n_tokens_all <= cparams.n_batch) failed", LogLevel.ERROR),
        ("terminate called after throwing an instance of 'std::bad_alloc'", LogLevel.ERROR),
        ("llama-server: error while loading shared libraries: libggml.so", LogLevel.ERROR),
        ("errors were found", None),
        ("Everything is fine", None),
        ("0.00.003.258 X unknown", None),
        ("  what():  std::bad_alloc", None),
        ("[New LWP 654]", None),
        ("", None),
    ],
)
def test_a_line_states_its_level_or_gives_it_away(line, level):
    assert level_of(line) is level


def test_a_line_without_a_level_goes_on_with_the_one_before():
    lines = ["usage:", "E one", "  more", "D three", ""]
    expected = [LogLevel.WARNING, LogLevel.ERROR, LogLevel.ERROR, LogLevel.DEBUG, LogLevel.DEBUG]
    assert levels_of(lines, LogLevel.WARNING) == expected
    assert levels_of(["usage:"]) == [LogLevel.INFO]
