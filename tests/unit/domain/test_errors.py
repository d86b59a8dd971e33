"""What errors say in logs and to scripts."""

from pathlib import Path

import pytest

from gglib_desktop.domain.errors import (
    GglibError,
    HistorySetAside,
    InvalidModelFile,
    InvalidSettings,
    LibrarySetAside,
    ModelInUse,
    PictureUnusable,
    PresetFileError,
    PromptTooLong,
    SettingProblem,
    SettingsEffect,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            LibrarySetAside(Path("/d/l"), Path("/d/l.unreadable"), "not a database"),
            "the library /d/l cannot be read (not a database); it is kept as /d/l.unreadable, and a new one is in use",
        ),
        (
            HistorySetAside(Path("/d/r"), Path("/d/r.unreadable"), "bad"),
            "the history of requests /d/r cannot be read (bad); it is kept as /d/r.unreadable, and a new one is in use",
        ),
        (ModelInUse("Tiny"), "a server of Tiny runs; stop its server first"),
        (InvalidModelFile(Path("/m.gguf"), "the file is empty"), "/m.gguf: the file is empty"),
        (InvalidModelFile(Path("/m.gguf"), "no magic", offset=0), "/m.gguf: no magic at byte 0"),
        (
            InvalidSettings(
                Path("/s.toml"),
                [SettingProblem("theme", "must be text", "3", 7), SettingProblem("", "no TOML")],
                SettingsEffect.DEFAULTS,
            ),
            "/s.toml: line 7: theme: must be text (got 3); no TOML: all settings have their defaults",
        ),
        (
            PresetFileError(Path("/p.toml"), [SettingProblem("preset.name", "is missing")]),
            "/p.toml: preset.name: is missing",
        ),
        (PromptTooLong("too long", 9, 8), "the server refused: too long"),
        (PictureUnusable("cat.png", "it is no image"), "cat.png: it is no image"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, GglibError) else "",
)
def test_an_error_names_its_subject_and_its_reason(error, text):
    assert str(error) == text
