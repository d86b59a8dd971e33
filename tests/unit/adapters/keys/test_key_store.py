"""Where the key goes with a keyring that works, with none, and with those that fail, lie, lock or hang."""

import asyncio
import stat
import sys
import threading
import types
from pathlib import Path

import pytest
from keyring import core

from gglib_desktop.adapters.keys.key_store import USER, KeptKey, KeyFile
from gglib_desktop.adapters.keys.keyring import SERVICE, AskedKeyring, system_keyring
from gglib_desktop.domain.errors import KeyStoreError
from gglib_desktop.domain.servers.access import KeyPlace, is_usable_key
from tests.fakes.waiting import DEADLINE_S


class FakeKeyring:
    """Keeps passwords in memory. ``error`` is what every question raises; ``hangs`` answers none until it is freed."""

    name = "Fake Keyring"

    def __init__(self, **passwords: str) -> None:
        self.passwords = dict(passwords)
        self.error: Exception | None = None
        self.forgets = False
        self.asked = 0
        self.free = threading.Event()
        self.free.set()

    def get_password(self, service: str, username: str) -> str | None:
        self._answer()
        assert (service, username) == (SERVICE, USER)
        return self.passwords.get(SERVICE)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._answer()
        assert (service, username) == (SERVICE, USER)
        if not self.forgets:
            self.passwords[service] = password

    def delete_password(self, service: str, username: str) -> None:
        self._answer()
        assert (service, username) == (SERVICE, USER)
        del self.passwords[service]

    def _answer(self) -> None:
        self.asked += 1
        self.free.wait(30)
        if self.error is not None:
            raise self.error


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "api-key"


@pytest.fixture(name="keyring")
def some_keyring():
    keyring = FakeKeyring()
    yield keyring
    keyring.free.set()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- the file


async def test_without_a_keyring_the_key_is_in_a_file_for_the_user_alone(file):
    store = KeptKey(file)
    assert not file.exists(), "made when first needed"
    key = await store.key()
    assert is_usable_key(key)
    assert len(key) >= 43, "32 random bytes"
    assert file.read_text() == key + "\n"
    assert mode(file) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["api-key"], "no draft is left"
    assert await store.where() == KeyPlace(file=file)
    assert await KeptKey(file).key() == key, "the next run of the program has the same"


async def test_two_who_need_it_first_get_the_same(file):
    store = KeptKey(file)
    first, second = await asyncio.gather(store.key(), store.key())
    assert first == second


async def test_a_new_key_replaces_the_old_one(file):
    store = KeptKey(file)
    old = await store.key()
    new = await store.renew()
    assert new != old
    assert await store.key() == new
    assert mode(file) == 0o600


async def test_a_file_that_others_could_read_is_mended_and_told_of(file, caplog):
    old = await KeptKey(file).key()
    file.chmod(0o644)
    store = KeptKey(file)
    assert await store.key() == old
    assert mode(file) == 0o600
    assert await store.where() == KeyPlace(file=file, was_readable=True)
    assert "could be read by other users" in caplog.text
    assert old not in caplog.text
    await store.renew()
    assert await store.where() == KeyPlace(file=file), "nobody else can know the new one"


async def test_a_key_of_ones_own_is_used_as_it_is(file):
    file.parent.mkdir()
    file.write_text("  my-own-key\n")
    file.chmod(0o600)
    assert await KeptKey(file).key() == "my-own-key"


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe", b"a,b"])
async def test_a_file_without_a_usable_key_is_left_alone(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(KeyStoreError, match="no key that can be used") as caught:
        await KeptKey(file).key()
    assert str(file) in str(caught.value)
    assert file.read_bytes() == content
    assert is_usable_key(await KeptKey(file).renew()), "a new one was asked for"


async def test_a_place_that_cannot_be_written_is_an_error_with_its_reason(file):
    file.parent.write_text("a file where the folder should be")
    with pytest.raises(KeyStoreError, match="Not a directory"):
        await KeptKey(file).key()


# -- the keyring


async def test_a_keyring_keeps_it_and_no_file_does(file, keyring):
    store = KeptKey(file, AskedKeyring(lambda: keyring))
    key = await store.key()
    assert keyring.passwords == {SERVICE: key}
    assert not file.exists()
    assert await store.where() == KeyPlace(keyring="Fake Keyring")
    assert await KeptKey(file, AskedKeyring(lambda: keyring)).key() == key


async def test_asking_where_asks_the_keyring_nothing(file, keyring):
    assert await KeptKey(file, AskedKeyring(lambda: keyring)).where() == KeyPlace(keyring="Fake Keyring")
    assert keyring.asked == 0, "it might ask somebody for a password"


async def test_the_keyring_is_asked_once_in_a_session(file, keyring):
    keyring.passwords[SERVICE] = "kept-before"
    store = KeptKey(file, AskedKeyring(lambda: keyring))
    assert [await store.key(), await store.key()] == ["kept-before"] * 2
    assert keyring.asked == 1


async def test_a_new_key_replaces_the_one_in_the_keyring(file, keyring):
    store = KeptKey(file, AskedKeyring(lambda: keyring))
    old, new = await store.key(), await store.renew()
    assert new != old
    assert await store.key() == new == keyring.passwords[SERVICE]


async def test_a_key_from_a_time_without_keyring_moves_into_it(file, keyring):
    key = await KeptKey(file).key()
    keyring.passwords[SERVICE] = "an older one"
    store = KeptKey(file, AskedKeyring(lambda: keyring))
    assert await store.where() == KeyPlace(file=file), "until it has moved"
    assert await store.key() == key
    assert keyring.passwords == {SERVICE: key}
    assert not file.exists()
    assert await store.where() == KeyPlace(keyring="Fake Keyring")


async def test_a_keyring_that_fails_is_told_of_and_the_file_used(file, keyring, caplog):
    keyring.error = RuntimeError("no such object path /org/freedesktop/secrets: s3cret")
    store = KeptKey(file, AskedKeyring(lambda: keyring))
    key = await store.key()
    assert file.read_text().strip() == key
    asked = keyring.asked
    assert await store.key() == key
    assert keyring.asked == asked, "not again in this session"
    place = await store.where()
    assert (place.keyring, place.file) == ("", file)
    assert place.keyring_problem == "it failed (RuntimeError)"
    assert key not in caplog.text
    assert "s3cret" not in caplog.text


async def test_a_keyring_that_cannot_be_looked_for_is_told_of(file):
    def find() -> FakeKeyring:
        raise OSError("no bus")

    store = KeptKey(file, AskedKeyring(find))
    assert (await store.where()).keyring_problem == "it failed (OSError)"
    assert is_usable_key(await store.key())


async def test_a_keyring_that_hangs_holds_nothing_up_for_long(file, keyring):
    keyring.free.clear()
    asked = AskedKeyring(lambda: keyring)
    store = KeptKey(file, asked)
    await store.where()
    asked.timeout_s = 0.05  # for this question alone: a busy machine might have taken as long to find the keyring
    key = await store.key()
    assert file.read_text().strip() == key
    assert (await store.where()).keyring_problem == "it did not answer within 0.05 s"
    (waiting,) = (thread for thread in threading.enumerate() if thread.name == "keyring")
    assert waiting.daemon, "the program can end nevertheless"
    keyring.free.set()
    waiting.join(DEADLINE_S)


async def test_a_keyring_that_forgets_is_not_believed(file, keyring):
    keyring.forgets = True
    key = await KeptKey(file, AskedKeyring(lambda: keyring)).key()
    assert file.read_text().strip() == key


async def test_no_keyring_on_this_computer_is_no_problem(file):
    store = KeptKey(file, AskedKeyring(lambda: None))
    await store.key()
    assert await store.where() == KeyPlace(file=file)


# -- which keyring


class Backend(FakeKeyring):
    def __init__(self, priority: float, backends: tuple["Backend", ...] = ()) -> None:
        super().__init__()
        self.priority = priority
        self.backends = backends


def test_only_keyrings_that_are_recommended_count(monkeypatch):
    good, plain_file, none = Backend(5), Backend(0.5), Backend(0)
    package = types.ModuleType("keyring")
    monkeypatch.setitem(sys.modules, "keyring", package)
    for backend, expected in ((good, good), (plain_file, None), (none, None), (Backend(10, (good, none)), good)):
        monkeypatch.setattr(package, "get_keyring", lambda backend=backend: backend, raising=False)
        assert system_keyring() is expected


def test_the_real_package_finds_none_where_there_is_none(monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setattr(core, "_keyring_backend", None)
    assert system_keyring() is None


async def test_a_file_that_would_bring_the_old_key_back_is_an_error(file, keyring):
    file.mkdir(parents=True)
    with pytest.raises(KeyStoreError, match="cannot be removed"):
        await KeptKey(file, AskedKeyring(lambda: keyring)).renew()


async def test_a_file_that_cannot_be_removed_is_used_on(file, keyring, monkeypatch):
    key = await KeptKey(file).key()

    def refuse(_file):
        raise KeyStoreError("cannot be removed")

    monkeypatch.setattr(KeyFile, "remove", refuse)
    assert await KeptKey(file, AskedKeyring(lambda: keyring)).key() == key
    assert keyring.passwords == {SERVICE: key}
