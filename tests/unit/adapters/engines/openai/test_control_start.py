"""A control start, with servers that live, that end, and that say nothing."""

import sys
from pathlib import Path

import pytest

from gglib_desktop.adapters.engines.asking import CallOff
from gglib_desktop.adapters.engines.openai.control_start import why_it_fails
from gglib_desktop.domain.errors import ConfigurationError

SERVER = """
import http.server, os, sys

class Answers(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_POST(self):
        Answers.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
        self.wfile.flush()
        if Answers.asked >= int(sys.argv[1]):
            print("corrupted list", flush=True)
            os.kill(os.getpid(), 6)

    def log_message(self, *_words):
        pass

http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), Answers).serve_forever()
"""


def why(tmp_path: Path, dies_after: int, call_off: CallOff | None = None) -> str | None:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    command = (sys.executable, "-I", "-S", str(script), str(dies_after))
    return why_it_fails(command, {"PATH": "/bin"}, tmp_path, call_off or CallOff())


def test_one_that_answers_and_lives_is_well(tmp_path):
    assert why(tmp_path, 99) is None


@pytest.mark.parametrize("after", [1, 2])
def test_one_that_ends_is_told_with_its_last_words(tmp_path, after):
    assert why(tmp_path, after) == "it ended (signal 6): corrupted list"


def test_one_that_was_not_waited_for_is_not_judged(tmp_path):
    call_off = CallOff()
    call_off.wanted.set()
    with pytest.raises(ConfigurationError, match="was not asked"):
        why(tmp_path, 99, call_off)
    with pytest.raises(ConfigurationError, match="cannot be run"):
        why_it_fails((str(tmp_path / "gone"),), {}, tmp_path, CallOff())


def test_one_that_never_answers_is_not_trusted(tmp_path):
    command = ("/bin/sh", "-c", "exec sleep 60")
    assert why_it_fails(command, {"PATH": "/bin"}, tmp_path, CallOff(), patience_s=0.1) == "it gave no answer"
