"""Reads a pasted command line and tells the whole result in a form that a table can hold."""

import shlex

from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.llama_cpp.help import parse_help
from tests.fakes.recorded import HELP

CAPABILITIES = parse_help(HELP)
VARIABLES = {"HOME": "/home/me", "USERPROFILE": r"C:\Users\me"}


def check_pasted(text, fields, notes, capabilities=CAPABILITIES):
    """The whole result: fields by name, ``model`` and ``api_key`` among them, and ``kind: words -> detail`` notes."""
    read = read_command_line(text, capabilities, VARIABLES)
    told = [
        f"{note.kind.name.lower()}: {shlex.join(note.words)}" + (f" -> {note.detail}" if note.detail else "")
        for note in read.notes
    ]
    rest = dict(fields)
    assert (read.model, read.api_key) == (rest.pop("model", None), rest.pop("api_key", None))
    assert told == notes
    assert read.options == LaunchOptions().with_values(**rest)
