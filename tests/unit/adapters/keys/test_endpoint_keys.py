"""The keys of endpoints, with a keyring and without one."""

import stat
from pathlib import Path

import pytest

from gglib_desktop.adapters.keys.endpoint_keys import KeptEndpointKeys
from gglib_desktop.adapters.keys.keyring import AskedKeyring
from gglib_desktop.domain.errors import KeyStoreError


class ManyKeys:
    name = "Fake Keyring"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise RuntimeError("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


async def test_each_has_a_file_for_the_user_alone(folder):
    keys = KeptEndpointKeys(folder)
    assert await keys.key("mac") is None
    assert await keys.ids() == frozenset()
    await keys.keep("mac", "sk-1,2")
    await keys.keep("lab", "other")
    assert [await keys.key("mac"), await keys.key("lab")] == ["sk-1,2", "other"]
    assert stat.S_IMODE((folder / "mac").stat().st_mode) == 0o600
    await keys.remove("mac")
    await keys.remove("mac")
    assert await keys.ids() == {"lab"}


async def test_a_keyring_has_them_and_no_file_does(folder):
    keyring = ManyKeys()
    keys = KeptEndpointKeys(folder, AskedKeyring(lambda: keyring))
    await keys.keep("mac", "sk-1")
    await keys.keep("lab", "other")
    assert sorted(keyring.kept.values()) == ["other", "sk-1"]
    assert "sk-1" not in (folder / "mac").read_text()
    assert await keys.key("mac") == "sk-1"
    assert await keys.ids() == {"mac", "lab"}
    await keys.remove("mac")
    assert list(keyring.kept.values()) == ["other"]
    assert await keys.key("mac") is None


async def test_a_keyring_that_fails_does_not_look_like_no_key(folder):
    keyring = ManyKeys()
    await KeptEndpointKeys(folder, AskedKeyring(lambda: keyring)).keep("mac", "sk-1")
    keyring.is_locked = True
    with pytest.raises(KeyStoreError, match="RuntimeError"):
        await KeptEndpointKeys(folder, AskedKeyring(lambda: keyring)).key("mac")


async def test_a_folder_that_cannot_be_used_is_an_error(folder):
    folder.write_text("a file")
    keys = KeptEndpointKeys(folder)
    with pytest.raises(KeyStoreError):
        await keys.keep("mac", "sk-1")
    assert await keys.ids() == frozenset()
