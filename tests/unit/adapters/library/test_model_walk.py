"""Where models are found: plain trees, links, sets of parts, and the stores of other programs."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from gglib_desktop.adapters.library.model_walk import ModelWalk
from gglib_desktop.domain.models.model import NO_SUCH_FILE
from gglib_desktop.domain.models.scan import FoundModel, KnownFiles, WalkRequest, WalkStep


def make(path: Path, text: str = "GGUF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def walk(*folders: Path, files: tuple[Path, ...] = (), known=None) -> list[WalkStep]:
    return list(ModelWalk(WalkRequest(folders, files, KnownFiles((known or {}).items()))).steps())


def found(*folders: Path, files: tuple[Path, ...] = (), known=None) -> list[FoundModel]:
    steps = walk(*folders, files=files, known=known)
    return sorted((each for step in steps for each in step.found), key=lambda each: each.path)


def paths(*folders: Path, **how) -> list[Path]:
    return [each.path for each in found(*folders, **how)]


def unchanged(*folders: Path, **how) -> list[str]:
    steps = walk(*folders, **how)
    same = [f"{step.folder}/{name}" for step in steps for name in step.same]
    return sorted(same + [path for step in steps for path in step.unchanged])


def stamps(models: list[FoundModel]) -> dict[str, tuple[int, int] | None]:
    return {os.fspath(each.path): each.stamp for each in models}


class TestTrees:
    def test_any_depth_and_case(self, tmp_path):
        one, two = make(tmp_path / "a/b/c/d/e/one.gguf"), make(tmp_path / "TWO.GGUF")
        make(tmp_path / "readme.txt")
        make(tmp_path / "half.gguf.part")
        (tmp_path / "folder.gguf").mkdir()
        three = make(tmp_path / "folder.gguf/three.gguf")
        assert paths(tmp_path) == sorted([one, two, three])

    def test_a_system_that_lists_folders_by_their_paths_alone(self, tmp_path, monkeypatch):
        one = make(tmp_path / "a/one.gguf")
        monkeypatch.setattr(os, "supports_fd", set())
        monkeypatch.delattr(os, "O_DIRECTORY")
        assert paths(tmp_path, tmp_path / "none") == [one]

    def test_folders_inside_folders_are_walked_once(self, tmp_path):
        one = make(tmp_path / "a/one.gguf")
        assert paths(tmp_path / "a", tmp_path, tmp_path / "a") == [one]

    def test_a_loop_of_links_ends(self, tmp_path):
        one = make(tmp_path / "a/one.gguf")
        (tmp_path / "a/up").symlink_to(tmp_path)
        (tmp_path / "self").symlink_to(tmp_path / "self")
        (tmp_path / "gone.gguf").symlink_to(tmp_path / "nowhere.gguf")
        assert paths(tmp_path) == [one]

    def test_a_linked_folder_is_walked(self, tmp_path):
        one = make(tmp_path / "elsewhere/one.gguf")
        (tmp_path / "root").mkdir()
        (tmp_path / "root/link").symlink_to(tmp_path / "elsewhere")
        assert paths(tmp_path / "root") == [one]

    def test_pipes_are_not_models(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.gguf")
        assert paths(tmp_path) == []

    def test_what_macos_leaves_beside_a_model_is_none(self, tmp_path):
        one = make(tmp_path / "one.gguf")
        make(tmp_path / "._one.gguf")
        make(tmp_path / "._m-00001-of-00002.gguf")
        assert paths(tmp_path) == [one]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_what_cannot_be_read_is_passed_over(self, tmp_path):
        one = make(tmp_path / "one.gguf")
        make(tmp_path / "locked/two.gguf")
        (tmp_path / "locked").chmod(0)
        assert paths(tmp_path, tmp_path / "nowhere") == [one]

    def test_names_that_are_no_text(self, tmp_path):
        make(tmp_path / os.fsdecode(b"\xff-00001-of-00002.gguf"))
        (half,) = found(tmp_path)
        assert half.problem == "part 2 of 2 is missing: \N{REPLACEMENT CHARACTER}-00002-of-00002.gguf"
        half.path.unlink()
        name = os.fsdecode(b"\xff\xfe.gguf")
        make(tmp_path / name)
        assert [each.path.name for each in found(tmp_path)] == [name]


class TestWhatIsKnown:
    def test_is_only_reported_when_it_changed(self, tmp_path):
        one, two = make(tmp_path / "one.gguf"), make(tmp_path / "two.gguf")
        known = stamps(found(tmp_path))
        assert found(tmp_path, known=known) == []
        assert unchanged(tmp_path, known=known) == [str(one), str(two)]
        make(two, "GGUF and more")
        assert paths(tmp_path, known=known) == [two]

    def test_what_was_taken_off_is_passed_over(self, tmp_path):
        one = make(tmp_path / "one.gguf")
        assert walk(tmp_path, known={str(one): None}) == [WalkStep(str(tmp_path), 1)]


class TestLinks:
    def test_a_link_to_a_model_stands_for_it(self, tmp_path):
        real = make(tmp_path / "far/real.gguf")
        (tmp_path / "near").mkdir()
        (tmp_path / "near/link.gguf").symlink_to(real)
        assert paths(tmp_path / "near") == [real]
        assert paths(tmp_path) == [real]
        assert paths(tmp_path, files=(tmp_path / "near/link.gguf",)) == [real]

    def test_hard_links_are_one_model(self, tmp_path):
        one = make(tmp_path / "b.gguf")
        (tmp_path / "a.gguf").hardlink_to(one)
        assert paths(tmp_path) == [tmp_path / "a.gguf"]
        known = {str(one): (one.stat().st_size, one.stat().st_mtime_ns)}
        assert paths(tmp_path, known=known) == []
        assert set(unchanged(tmp_path, known=known)) == {str(one)}

    @pytest.mark.parametrize("target", ["a.gguf", "b.gguf"])
    @pytest.mark.parametrize("link", ["0.gguf", "c.gguf", "far/x.gguf"])
    def test_a_hard_link_and_a_link_are_one_model(self, tmp_path, target, link):
        one = make(tmp_path / "a.gguf")
        (tmp_path / "b.gguf").hardlink_to(one)
        (tmp_path / "far").mkdir()
        (tmp_path / link).symlink_to(tmp_path / target)
        assert paths(tmp_path) == [one]
        known = stamps(found(tmp_path))
        assert paths(tmp_path, known=known) == []
        assert set(unchanged(tmp_path, known=known)) <= {str(one)}
        assert paths(tmp_path, files=(tmp_path / "b.gguf", tmp_path / link)) == [one]

    def test_hard_links_in_two_folders_are_one_model(self, tmp_path):
        one = make(tmp_path / "1/a.gguf")
        (tmp_path / "2").mkdir()
        (tmp_path / "2/b.gguf").hardlink_to(one)
        (tmp_path / "2/c.gguf").symlink_to(tmp_path / "2/b.gguf")
        assert paths(tmp_path / "1", tmp_path / "2") == [one]
        known = stamps(found(tmp_path / "1"))
        assert paths(tmp_path / "2", known=known) == []
        assert unchanged(tmp_path / "2", known=known) == [str(one)]

    def test_a_link_to_a_folder_is_another_way_to_the_same_files(self, tmp_path):
        one = make(tmp_path / "real/one.gguf")
        (tmp_path / "real/two.gguf").hardlink_to(one)
        (tmp_path / "link").symlink_to(tmp_path / "real")
        (tmp_path / "real/loop").symlink_to(tmp_path)
        assert paths(tmp_path) == paths(tmp_path / "link") == [one]
        assert paths(tmp_path, files=(tmp_path / "link/two.gguf",)) == [one]

    def test_parts_by_hard_links_and_links_are_one_model(self, tmp_path):
        parts = [make(tmp_path / f"1/m-0000{number}-of-00002.gguf", f"GGUF {number}") for number in (1, 2)]
        (tmp_path / "2").mkdir()
        (tmp_path / "3").mkdir()
        for part in parts:
            (tmp_path / "2" / part.name).hardlink_to(part)
            (tmp_path / "3" / part.name).symlink_to(tmp_path / "2" / part.name)
        (model,) = found(tmp_path)
        assert (model.path, model.problem) == (parts[0], None)

    def test_links_that_name_parts_are_a_model_of_theirs(self, tmp_path):
        for number in (1, 2):
            real = make(tmp_path / f"far/{number}.gguf", f"GGUF {number}")
            (tmp_path / "near").mkdir(exist_ok=True)
            (tmp_path / f"near/m-0000{number}-of-00002.gguf").symlink_to(real)
        first = tmp_path / "near/m-00001-of-00002.gguf"
        (model,) = found(tmp_path / "near")
        assert (model.path, model.problem) == (first, None)
        assert paths(tmp_path, files=(first,))[-1] == first
        (alone,) = found(files=(first,))
        assert (alone.path, alone.problem, len(alone.parts)) == (first, None, 2)


def hugging_face(root: Path, revision: str, name: str, text: str, repository: str = "org--Model-GGUF") -> Path:
    """One file as Hugging Face's libraries store it."""
    folder = root / f"models--{repository}"
    blob = make(folder / "blobs" / hashlib.sha256(text.encode()).hexdigest(), text)
    link = folder / "snapshots" / revision / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(blob, link.parent))
    return link


class TestHuggingFace:
    def test_one_blob_in_two_snapshots_is_one_model(self, tmp_path):
        first = hugging_face(tmp_path, "aaa", "m-Q4_K_M.gguf", "same")
        second = hugging_face(tmp_path, "bbb", "m-Q4_K_M.gguf", "same")
        other = hugging_face(tmp_path, "bbb", "n-Q8_0.gguf", "other")
        assert paths(tmp_path) == [first, other]
        known = stamps(found(tmp_path))
        assert paths(tmp_path, known=known) == []
        assert set(unchanged(tmp_path, known=known)) == {str(first), str(other)}
        kept = {str(second): known[str(first)]}
        assert paths(tmp_path, known=kept) == [other]

    def test_parts_are_kept_together(self, tmp_path):
        names = [f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
        links = [hugging_face(tmp_path, "aaa", name, name) for name in names]
        for name in names:
            hugging_face(tmp_path, "bbb", name, name)
        (model,) = found(tmp_path)
        assert (model.path, model.parts, model.problem) == (links[0], tuple(links), None)

    def test_a_snapshots_file_can_be_named(self, tmp_path):
        link = hugging_face(tmp_path, "aaa", "m.gguf", "same")
        again = hugging_face(tmp_path, "bbb", "m.gguf", "same")
        assert paths(files=(link,)) == [link]
        known = stamps(found(tmp_path))
        assert unchanged(files=(again,), known=known) == [str(link)]


class TestParts:
    def parts(self, folder: Path, *numbers: int, total: int = 3) -> list[Path]:
        return [make(folder / f"m-{number:05}-of-{total:05}.gguf", "x" * number) for number in numbers]

    def test_are_one_model(self, tmp_path):
        parts = self.parts(tmp_path, 1, 2, 3)
        (model,) = found(tmp_path)
        assert (model.path, model.parts, model.problem) == (parts[0], tuple(parts), None)
        assert model.stamp is not None
        assert model.stamp[0] == 6
        assert unchanged(tmp_path, known=stamps([model])) == [str(parts[0])]

    def test_one_of_them_named_stands_for_all(self, tmp_path):
        parts = self.parts(tmp_path, 1, 2, 3)
        assert found(files=(parts[1], parts[2])) == found(tmp_path)

    def test_missing_ones_are_said(self, tmp_path):
        self.parts(tmp_path, 1, 3)
        (model,) = found(tmp_path)
        assert model.problem == "part 2 of 3 is missing: m-00002-of-00003.gguf"

    def test_without_the_first_the_model_keeps_its_place(self, tmp_path):
        parts = self.parts(tmp_path, 2, total=2)
        (model,) = found(tmp_path)
        assert (model.path.name, model.parts) == ("m-00001-of-00002.gguf", (parts[0],))
        assert model.problem == "part 1 of 2 is missing: m-00001-of-00002.gguf"
        known = stamps([model])
        self.parts(tmp_path, 1, total=2)
        (whole,) = found(tmp_path, known=known)
        assert (whole.path, whole.problem) == (model.path, None)

    def test_a_set_that_became_whole_has_changed(self, tmp_path):
        self.parts(tmp_path, 1)
        known = stamps(found(tmp_path))
        self.parts(tmp_path, 2, 3)
        assert [each.problem for each in found(tmp_path, known=known)] == [None]


class TestLmStudio:
    def test_files_below_publisher_and_repository(self, tmp_path):
        one = make(tmp_path / ".lmstudio/models/publisher/repo/model-Q4_K_M.gguf")
        assert paths(tmp_path / ".lmstudio/models") == [one]


def ollama(root: Path, where: str, text: str = "weights", *, media: str = "application/vnd.ollama.image.model") -> Path:
    """A model as Ollama stores it."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "0" * 64, "size": 1},
        {"mediaType": media, "digest": f"sha256:{digest}", "size": len(text)},
    ]
    make(root / "manifests" / where, json.dumps({"schemaVersion": 2, "layers": layers}))
    return make(root / "blobs" / f"sha256-{digest}", text)


class TestOllama:
    def test_a_manifest_names_a_blob(self, tmp_path):
        blob = ollama(tmp_path, "registry.ollama.ai/library/llama3.2/3b-q4_K_M")
        (model,) = found(tmp_path)
        assert (model.path, model.label) == (blob, "llama3.2:3b-q4_K_M")
        assert unchanged(tmp_path, known=stamps([model])) == [str(blob)]

    def test_other_owners_and_hosts_are_named(self, tmp_path):
        ollama(tmp_path, "registry.ollama.ai/me/mine/latest", "a")
        ollama(tmp_path, "hf.co/org/repo/Q8_0", "b")
        assert {each.label for each in found(tmp_path)} == {"me/mine:latest", "hf.co/org/repo:Q8_0"}

    def test_one_blob_under_two_names_is_one_model(self, tmp_path):
        ollama(tmp_path, "registry.ollama.ai/library/llama3/latest")
        ollama(tmp_path, "registry.ollama.ai/library/llama3/8b")
        assert [each.label for each in found(tmp_path)] == ["llama3:8b"]

    @pytest.mark.parametrize(
        "manifest",
        [
            *("", "{", "[]", "{}", '{"layers": 1}', '{"layers": [1]}', '{"layers": []}', "[" * 100_000, "\xff"),
            '{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../etc/passwd"}]}',
            '{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": 5}]}',
            '{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:' + "0" * 64 + '"}]}',
            " " * (2**20 + 1),
        ],
    )
    def test_a_manifest_that_cannot_be_used_is_passed_over(self, tmp_path, manifest):
        blob = ollama(tmp_path, "registry.ollama.ai/library/good/latest")
        make(tmp_path / "manifests/registry.ollama.ai/library/bad/latest", manifest)
        assert paths(tmp_path) == [blob]

    def test_models_without_weights_are_none(self, tmp_path):
        ollama(tmp_path, "registry.ollama.ai/library/m/latest", media="application/vnd.ollama.image.tensor")
        assert paths(tmp_path) == []


class TestSingleFiles:
    def test_one_that_is_not_there_is_said(self, tmp_path):
        assert found(files=(tmp_path / "a.gguf",)) == [FoundModel(tmp_path / "a.gguf", (), problem=NO_SUCH_FILE)]

    def test_a_name_that_cannot_be_is_said(self):
        (model,) = found(files=(Path("/m\0.gguf"),))
        assert model.parts == ()
        assert "cannot be read" in (model.problem or "")

    def test_any_suffix_will_do(self, tmp_path):
        assert paths(files=(make(tmp_path / "a.bin"),)) == [tmp_path / "a.bin"]


def test_nothing_is_written(tmp_path):
    hugging_face(tmp_path / "hf", "aaa", "m.gguf", "x")
    ollama(tmp_path / "ollama", "registry.ollama.ai/library/m/latest")
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    found(tmp_path / "hf", tmp_path / "ollama")
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_one_file_named_twice_is_one(tmp_path):
    one = make(tmp_path / "one")
    link, other = tmp_path / "link.gguf", tmp_path / "other.gguf"
    link.symlink_to(one)
    os.link(one, other)
    assert paths(files=(link, other)) == [link]


def test_a_file_of_a_large_folder_that_is_named_too_is_met_once(tmp_path):
    files = [make(tmp_path / f"{number:03}.gguf", str(number)) for number in range(150)]
    known = stamps(found(tmp_path))
    assert unchanged(tmp_path, files=(files[7],), known=known) == [str(path) for path in files]
