"""Reads a pasted command line and tells the whole result in a form that a table can hold."""

import shlex
from pathlib import Path

from gglib_desktop.domain.command_line import read_command_line
from gglib_desktop.domain.engine import parse_help
from gglib_desktop.domain.launch import LaunchOptions

HELP = (Path(__file__).parent.parent / "fakes" / "llama_server_b10434_help.txt").read_text(encoding="utf-8")
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
