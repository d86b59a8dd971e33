"""What users type as the address of an endpoint."""

import pytest

from gglib_desktop.domain.endpoints.address import (
    EndpointUrl,
    address_of,
    endpoint_url,
    is_endpoint_key,
    others_read_along,
    port_of,
)
from gglib_desktop.domain.servers.access import ServerAddress


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        (" http://mac.local:1234/v1/\n", "http://mac.local:1234/v1"),
        ("https://api.example.com/openai/v1/chat/completions", "https://api.example.com/openai/v1"),
        ("https://api.example.com/api/v3/models", "https://api.example.com/api/v3"),
        ("http://[::1]:11434/", "http://[::1]:11434/v1"),
    ],
)
def test_the_base_url_in_what_was_typed(typed, url):
    assert endpoint_url(typed) == url
    assert endpoint_url(url) == url


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "is no address"),
        ("http://", "is no address"),
        ("http://a:99999", "is no address"),
        ("http://a:0", "is no address"),
        ("http://[::1", "is no address"),
        ("ftp://a", "must begin with http:// or https://"),
        ("http://a b", "must not have spaces"),
        ("http://me:secret@a", "must not have a name or a password; the key has a place of its own"),
        ("http://a/v1?key=secret", "must have nothing after its path"),
        ("http://a/v1#x", "must have nothing after its path"),
    ],
)
def test_what_is_no_address(typed, reason):
    with pytest.raises(ValueError, match=reason):
        endpoint_url(typed)


def test_the_address_in_a_document():
    rule = EndpointUrl(r"https?://\S+", "an http or https address")
    assert rule.complaint("http://a:8000/v1") is None
    assert rule.complaint("a:8000") == "must be an http or https address"
    assert rule.complaint("http://me:secret@a") == (
        "must not have a name or a password; the key has a place of its own"
    )


def test_an_engine_is_asked_beside_the_api():
    address = address_of("https://a.example/x/v1", "secret")
    assert (address.root, address.port, address.key) == ("https://a.example/x", 443, "secret")
    assert "secret" not in repr(address)
    other = address_of("http://a.example/api/v3")
    assert (other.root, other.api) == ("http://a.example/api/v3", "http://a.example/api/v3")
    assert ServerAddress(9000).api == "http://127.0.0.1:9000/v1"


def test_ports():
    assert [port_of(url) for url in ("http://a/v1", "https://a/v1", "http://a:8000/v1")] == [80, 443, 8000]


def test_who_reads_along():
    assert others_read_along("http://192.168.1.5/v1")
    assert not others_read_along("http://localhost:8000/v1")
    assert not others_read_along("https://192.168.1.5/v1")


@pytest.mark.parametrize(
    ("text", "is_key"),
    [("sk-a,b=", True), ("", False), ("a b", False), ("a\n", False), ("ü", False), ("a" * 5000, False)],
)
def test_keys(text, is_key):
    assert is_endpoint_key(text) is is_key
