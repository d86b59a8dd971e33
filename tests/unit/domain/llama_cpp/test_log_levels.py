"""How serious the lines of llama.cpp's log are."""

import pytest

from gglib_desktop.domain.llama_cpp.log_levels import level_of
from gglib_desktop.domain.servers.log_text import LogLevel


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
