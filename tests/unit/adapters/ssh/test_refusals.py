import pytest

from gglib_desktop.adapters.ssh.refusals import Cause, Refusal, refusal

_CHANGED = """@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
The fingerprint for the ED25519 key sent by the remote host is
SHA256:5b9zJPy0G1p3cX2l1bTgzGvUq8b2v3cXH5p1a2b3c4d.
Host key for [127.0.0.1]:2222 has changed and you have requested strict checking.
Host key verification failed."""


@pytest.mark.parametrize(
    ("said", "cause", "reason"),
    [
        (
            "No ED25519 host key is known for box\nHost key verification failed.",
            Cause.UNKNOWN_HOST_KEY,
            "not known here",
        ),
        ("ann@box: Permission denied (publickey,password).", Cause.NOT_AUTHORIZED, r"\(publickey,password\)"),
        ("Received disconnect: Too many authentication failures", Cause.NOT_AUTHORIZED, "did not accept"),
        (
            "ssh: Could not resolve hostname box: Name or service not known",
            Cause.LOST,
            "^Could not resolve hostname box",
        ),
        ("ssh: connect to host box port 22: Connection refused", Cause.LOST, "^connect to host box port 22"),
        ("Welcome!\nTimeout, server box not responding.", Cause.LOST, "^Timeout, server box not responding$"),
        ("Warning: Permanently added 'box'\n", Cause.LOST, "^the connection ended$"),
    ],
)
def test_the_cause_is_told_from_what_ssh_says(said, cause, reason):
    why = refusal(said.splitlines())
    assert why.cause is cause
    with pytest.raises(ValueError, match=reason):
        raise ValueError(why.reason)


def test_a_changed_host_key_comes_with_its_fingerprint():
    why = refusal(_CHANGED.splitlines())
    assert why == Refusal(Cause.CHANGED_HOST_KEY, why.reason, "SHA256:5b9zJPy0G1p3cX2l1bTgzGvUq8b2v3cXH5p1a2b3c4d")
