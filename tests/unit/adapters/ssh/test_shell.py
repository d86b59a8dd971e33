"""Scripts as shells really take them."""

import shutil
import subprocess

import pytest

from gglib_desktop.adapters.ssh.shell import Wrapped

SHELLS = {"dash": ("dash",), "bash": ("bash", "--norc"), "busybox": ("busybox", "sh")}


def _said_by(shell: str, wrapped: Wrapped) -> bytes:
    program, *words = SHELLS[shell]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    return subprocess.run((program, *words, "-s"), input=wrapped.text(), capture_output=True, check=False).stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_output_input_arguments_and_status_come_through(shell):
    words = ("a 'b'", "-n", "", "x\ny; $HOME `id` \\", "ü")
    wrapped = Wrapped('for word; do printf "[%s]" "$word"; done; cat; exit 3', words, b"key $X\n'q'\n")
    told = "".join(f"[{word}]" for word in words) + "key $X\n'q'\n"
    assert wrapped.output(b"banner\n" + _said_by(shell, wrapped)) == (3, told.encode())


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("script", "told"), [("", (0, b"")), ("printf 'a\\n'", (0, b"a\n")), ("false", (1, b""))])
def test_what_a_script_printed_is_kept_to_the_byte(shell, script, told):
    wrapped = Wrapped(script)
    assert wrapped.output(_said_by(shell, wrapped)) == told


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_that_does_not_end_has_no_output(shell):
    assert Wrapped("").output(b"") is None
    wrapped = Wrapped("kill -9 $$")
    assert wrapped.output(_said_by(shell, wrapped)) is None
