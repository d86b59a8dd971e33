"""The stamps that files had, as a walk asks for them."""

from pathlib import Path

from gglib_desktop.domain.models.scan import FoundModel, KnownFiles

STAMPS = {"/a/b/one.gguf": (1, 2), "/a/b/off.gguf": None, "/a/two.gguf": (3, 4), "/top.gguf": (5, 6)}


def test_they_are_found_by_folder_and_by_path():
    known = KnownFiles(STAMPS.items())
    assert dict(known.in_folder("/a/b")) == {"one.gguf": (1, 2), "off.gguf": None}
    assert dict(known.in_folder("/")) == {"top.gguf": (5, 6)}
    assert dict(known.in_folder("/nowhere")) == {}
    assert dict(known.items()) == STAMPS
    assert known.get("/a/two.gguf", (0, 0)) == (3, 4)
    assert known.get("/a/b/off.gguf", (0, 0)) is None
    assert known.get("/a/b/new.gguf", (0, 0)) == (0, 0)
    assert "/a/b/off.gguf" in known
    assert "/a/b/new.gguf" not in known


def test_others_count_more_and_change_nothing():
    known = KnownFiles(STAMPS.items())
    both = known.and_also([("/a/b/one.gguf", None), ("/c/three.gguf", (7, 8))])
    assert dict(both.items()) == STAMPS | {"/a/b/one.gguf": None, "/c/three.gguf": (7, 8)}
    assert dict(known.items()) == STAMPS


def test_what_was_found_has_names_that_can_be_stored():
    found = FoundModel(Path("/m.gguf"), (), label="caf\udce9", problem="\udce9 is no directory")
    assert (found.label, found.problem) == ("caf\ufffd", "\ufffd is no directory")
    assert FoundModel(Path("/m.gguf"), ()).label is None
