"""What ssh asks is read from its prompts, and nothing else is taken for a question about a host key."""

import pytest

from gglib_desktop.domain.documents.ssh_questions import HostKeyQuestion, SecretQuestion, read_question

# As OpenSSH 9.2 prints it.
UNKNOWN = """The authenticity of host '[127.0.0.1]:41487 ([127.0.0.1]:41487)' can't be established.
ED25519 key fingerprint is SHA256:7NopTe1c/GCjOnRTGUq32UzhEQS2ocjHOo1qC7HP1os.
This key is not known by any other names.
Are you sure you want to continue connecting (yes/no/[fingerprint])? """


def test_an_unknown_host_key():
    assert read_question(UNKNOWN, "gpu-box") == HostKeyQuestion(
        "gpu-box",
        "[127.0.0.1]:41487 ([127.0.0.1]:41487)",
        "ED25519",
        "SHA256:7NopTe1c/GCjOnRTGUq32UzhEQS2ocjHOo1qC7HP1os",
    )


def test_lines_between():
    told = UNKNOWN.replace("established.\n", "established.\nNo matching host key fingerprint found in DNS.\n")
    question = read_question(told, "gpu-box")
    assert isinstance(question, HostKeyQuestion)
    assert question.kind == "ED25519"


@pytest.mark.parametrize(
    "prompt",
    [
        "(me@gpu-box) " + UNKNOWN,  # from a server that wants to be believed
        UNKNOWN.replace("SHA256:7", "7"),
        "Please type 'yes', 'no' or the fingerprint: ",
        "Accept updated hostkeys? (yes/no): ",
    ],
)
def test_what_is_not_to_be_answered(prompt):
    assert read_question(prompt, "gpu-box") is None


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Enter passphrase for key '/home/me/.ssh/id': ", "Enter passphrase for key '/home/me/.ssh/id':"),
        ("me@gpu-box's password: ", "me@gpu-box's password:"),
        ("(me@gpu-box) Code\x1b[2J\nnow: ", "(me@gpu-box) Code [2J now:"),
        ("x" * 1000, "x" * 300 + "…"),
    ],
)
def test_secrets_are_asked_for_in_the_words_of_ssh(prompt, text):
    assert read_question(prompt, "gpu-box") == SecretQuestion("gpu-box", text)
