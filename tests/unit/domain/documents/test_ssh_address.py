import pytest

from gglib_desktop.domain.documents.ssh_address import SshAddress, ssh_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ssh://gpu-box", SshAddress("gpu-box")),
        ("ssh://ann@gpu-box.lan:2222", SshAddress("gpu-box.lan", "ann", 2222)),
        ("ssh://ann@gpu-box/", SshAddress("gpu-box", "ann")),
        ("ssh://[fe80::1%eth0]:22", SshAddress("fe80::1%eth0", port=22)),
        ("ssh://10.0.0.7", SshAddress("10.0.0.7")),
    ],
)
def test_addresses_are_read(text, address):
    assert ssh_address(text) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("gpu-box", "must begin with ssh://"),
        ("ssh://-oProxyCommand=touch", "begins with -"),
        ("ssh://-l@gpu-box", "begins with -"),
        ("ssh://gpu-box\n", "control characters"),
        ("ssh://gpu box", "spaces"),
        ("ssh://ann:secret@gpu-box", "password"),
        *(
            (f"ssh://{rest}", r"must be ssh://\[user@\]host\[:port\]")
            for rest in (
                *("", "@", "@gpu-box", "ann@", "gpu-box:0", "gpu-box:65536", "gpu-box:x", "gpu-box/models", "a@b@c"),
                *("$(touch)", "`id`@box", "box;id", "[::1", "[gpu-box]", "%h", "bóx"),
            )
        ),
    ],
)
def test_what_is_no_address_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        ssh_address(text)
