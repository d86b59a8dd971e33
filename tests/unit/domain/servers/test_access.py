"""Which addresses can be listened on, who reaches a server there, and who must show a key."""

from pathlib import Path

import pytest

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions, options_of, resolve
from gglib_desktop.domain.llama_cpp.argv import server_argv
from gglib_desktop.domain.options.host import is_any_address, is_loopback, other_urls, own_url
from gglib_desktop.domain.servers.access import KeyPlace, ServerAddress, is_exposed, is_usable_key, needs_key
from gglib_desktop.domain.servers.server import ServerConfig

OWN = ["127.0.0.1", "::1", "fe80::1%eth0", "fe80::2", "fd00::2", "192.0.2.2", "0.0.0.0", "not an address"]


def config(**changes: object) -> ServerConfig:
    given = {"model_id": 1, "model_name": "Tiny", "model_path": "/m/tiny.gguf", "base_port": 9000}
    return ServerConfig.from_mapping(given | changes)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0.0.0.0", "::", "::1", "fd00::2", "192.168.1.7", "localhost", "my-pc.lan", "a_b", "x1"]
)
def test_addresses_and_names_can_be_listened_on(host):
    assert config(host=host).host == host
    assert LaunchOptions(host=host).host == host


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("", "host name"),
        (" 127.0.0.1", "host name"),
        ("two words", "host name"),
        ("0.0.0.0:9000", "host name"),
        ("[::1]", "host name"),
        ("http://x", "host name"),
        ("1.2.3", "host name"),
        ("127.1", "host name"),
        ("999.1.1.1", "host name"),
        ("-x", "host name"),
        ("x.", "host name"),
        ("a" * 64, "host name"),
        (".".join(["a" * 60] * 5), "host name"),
        ("höst", "host name"),
        ("*", "host name"),
        ("fe80::1%eth0", "without a zone"),
        ("server.sock", ".sock"),
        ("/run/server.sock", ".sock"),
    ],
)
def test_anything_else_is_refused(host, reason):
    with pytest.raises(ConfigurationError, match=reason) as caught:
        config(host=host)
    assert (caught.value.field, caught.value.value) == ("host", host)


@pytest.mark.parametrize(
    ("host", "exposed", "url", "others"),
    [
        (None, False, "http://127.0.0.1:9000", []),
        ("127.0.0.1", False, "http://127.0.0.1:9000", []),
        ("127.0.0.2", False, "http://127.0.0.2:9000", []),
        ("::1", False, "http://[::1]:9000", []),
        ("localhost", False, "http://localhost:9000", []),
        ("LocalHost", False, "http://LocalHost:9000", []),
        ("0.0.0.0", True, "http://127.0.0.1:9000", ["http://192.0.2.2:9000"]),
        ("::", True, "http://[::1]:9000", ["http://192.0.2.2:9000", "http://[fd00::2]:9000"]),
        ("192.0.2.2", True, "http://192.0.2.2:9000", ["http://192.0.2.2:9000"]),
        ("fd00::2", True, "http://[fd00::2]:9000", ["http://[fd00::2]:9000"]),
        ("my-pc.lan", True, "http://my-pc.lan:9000", ["http://my-pc.lan:9000"]),
        ("localhost.example", True, "http://localhost.example:9000", ["http://localhost.example:9000"]),
    ],
)
def test_who_reaches_a_server_and_how(host, exposed, url, others):
    assert is_loopback(host) is not exposed
    assert is_any_address(host) is (host in {"0.0.0.0", "::"})
    assert own_url(host, 9000) == url
    assert list(other_urls(host, 9000, OWN)) == others
    assert is_exposed(config(host=host)) is exposed


@pytest.mark.parametrize(
    ("host", "chosen", "needed"),
    [
        (None, None, False),
        (None, False, False),
        (None, True, True),
        ("::1", None, False),
        ("::1", True, True),
        ("0.0.0.0", None, True),
        ("0.0.0.0", True, True),
        ("0.0.0.0", False, True),  # cannot be switched off
        ("somewhere", False, True),
    ],
)
def test_who_must_show_a_key(host, chosen, needed):
    assert needs_key(config(host=host, require_api_key=chosen)) is needed


def test_the_choices_pass_through_the_layers_like_all_others():
    model, app = LaunchOptions(require_api_key=False), LaunchOptions(host="0.0.0.0", require_api_key=True)
    resolved = resolve(LaunchOptions(), model, app)
    assert (resolved.options.host, resolved.options.require_api_key) == ("0.0.0.0", False)
    assert options_of(config(host="::1", require_api_key=True)).names >= {"host", "require_api_key"}


def argv_on(*flags: str, **changes: object) -> tuple[str, ...]:
    capabilities = EngineCapabilities({flag: frozenset({flag}) for flag in flags})
    return server_argv(config(**changes), Engine(Path("/e"), "1", capabilities, EngineSource.PATH), 9001)


def test_the_host_is_always_said_and_nothing_of_keys_ever():
    assert argv_on()[3:7] == ("--host", "127.0.0.1", "--port", "9001")
    exposed = argv_on("--api-key", host="0.0.0.0", require_api_key=True)
    assert exposed[3:] == ("--host", "0.0.0.0", "--port", "9001", "--metrics")


@pytest.mark.parametrize(("field", "value"), [("host", "0.0.0.0"), ("require_api_key", True)])
def test_an_engine_that_knows_no_keys_serves_nobody_who_needs_one(field, value):
    with pytest.raises(ConfigurationError, match="asks for no key") as caught:
        argv_on("--api-key-file", **{field: value})
    assert (caught.value.field, caught.value.value) == (field, value)


@pytest.mark.parametrize("key", ["abc", "sk-Ab_1.~+/="])
def test_what_can_be_a_key(key):
    assert is_usable_key(key)


@pytest.mark.parametrize("key", ["", "two words", "a,b", "line\nline", "schlüssel", "\x00"])
def test_what_cannot(key):
    assert not is_usable_key(key)


def test_a_key_is_in_no_text_about_where_it_is_used():
    assert "s3cret" not in repr(ServerAddress(9000, None, "s3cret"))
    assert ServerAddress(9000, None, "s3cret") != ServerAddress(9000)
    assert KeyPlace().file is None
