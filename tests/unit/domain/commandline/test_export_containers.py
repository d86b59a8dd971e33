"""A command line for containers: as a command, as a compose file and as a Kubernetes manifest."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from gglib_desktop.domain.commandline.reading import read_command_line
from gglib_desktop.domain.errors import ConfigurationError

ARGV = ("/opt/llama-server", "-m", "/m/it's 100%.gguf", "--host", "127.0.0.1", "--port", "9001")
IMAGE = "ghcr.io/ggml-org/llama.cpp:server"
CONTAINERS = (ExportFormat.DOCKER, ExportFormat.COMPOSE, ExportFormat.KUBERNETES)


def documents(*argv: str, environment=None) -> list[Any]:
    return list(yaml.safe_load_all(export(argv, ExportFormat.KUBERNETES, environment)))


def pod(*argv: str, environment=None) -> Any:
    return documents(*argv, environment=environment)[0]["spec"]["template"]["spec"]


def docker_words(*argv: str) -> list[str]:
    return shlex.split(export(argv, ExportFormat.DOCKER))


def test_docker_run():
    assert export((*ARGV, "--jinja"), ExportFormat.DOCKER, {"LLAMA_API_KEY": "", "GGML_X": "a b"}) == (
        'LLAMA_API_KEY="$LLAMA_API_KEY" docker run --rm --init \\\n'
        "  --publish 127.0.0.1:9001:9001 \\\n"
        "  --mount type=bind,source=/m,target=/models,readonly \\\n"
        "  --env 'GGML_X=a b' \\\n"
        "  --env LLAMA_API_KEY \\\n"
        f"  {IMAGE} \\\n"
        "  -m '/models/it'\"'\"'s 100%.gguf' \\\n"
        "  --host 0.0.0.0 \\\n"
        "  --port 9001 \\\n"
        "  --jinja\n"
    )


@pytest.mark.parametrize("folder", ["/a,b", '/"q", x', "/a:b", "/new\nline", "/$HOME %x"])
def test_a_mount_holds_any_folder(folder):
    text = export(("/e", "-m", f"{folder}/x.gguf"), ExportFormat.DOCKER)
    assert read_command_line(text).model == f"{folder}/x.gguf"


def test_a_mount_is_a_line_of_csv():
    words = docker_words("/e", "-m", '/a,"b"/x.gguf')
    assert words[words.index("--mount") + 1] == 'type=bind,"source=/a,""b""",target=/models,readonly'


def test_a_deployment_and_its_service():
    deployment, service = documents(*ARGV)
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == labels
    assert service["spec"]["ports"] == [{"port": 9001, "targetPort": 9001}]
    assert deployment["spec"]["template"]["spec"] == {
        "containers": [
            {
                "name": "llama-server",
                "image": IMAGE,
                "args": ["-m", "/models/it's 100%.gguf", "--host", "0.0.0.0", "--port", "9001"],
                "ports": [{"containerPort": 9001, "hostPort": 9001, "hostIP": "127.0.0.1"}],
                "readinessProbe": {"httpGet": {"path": "/health", "port": 9001}},
                "volumeMounts": [{"name": "models", "mountPath": "/models", "readOnly": True}],
            }
        ],
        "volumes": [{"name": "models", "hostPath": {"path": "/m", "type": "Directory"}}],
    }


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        ((), {}),
        (
            ("--alias", "no", "--temp", "1e-06", "--chat-template", "{% a %}\n# $(b)\n"),
            {"GGML_X": "1", "LLAMA_API_KEY": ""},
        ),
        (("--chat-template-file", "/t/a.jinja", "--lora", "/l/x.gguf", "--mmproj", "/é: ü/x.gguf"), {}),
    ],
)
def test_a_manifest_fits_the_schemas_of_kubernetes(words, environment):
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    for document in documents(*ARGV, *words, environment=environment):
        assert kubernetes_validate.validate(document, "1.37", strict=True)
        document["spec"]["nope"] = 1
        with pytest.raises(kubernetes_validate.ValidationError, match="nope"):
            kubernetes_validate.validate(document, "1.37", strict=True)


@pytest.mark.parametrize(
    ("word", "written"), [("$x", "$x"), ("$(X)", "$$(X)"), ("$$", "$$$"), ("$$(X)", "$$$$(X)"), ("a$", "a$")]
)
def test_kubernetes_puts_no_variable_into_a_word(word, written):
    argv = ("/e", "-m", "/m/x.gguf", "--alias", word)
    [container] = pod(*argv)["containers"]
    assert container["args"][-1] == written
    assert read_command_line(export(argv, ExportFormat.KUBERNETES)).options.alias == word


def test_the_key_comes_from_a_secret():
    text = export(ARGV, ExportFormat.KUBERNETES, {"LLAMA_API_KEY": "s3cr3t", "GGML_X": "$(Y)"})
    assert "# kubectl create secret generic llama-server --from-literal=LLAMA_API_KEY=…\n" in text
    [container] = pod(*ARGV, environment={"LLAMA_API_KEY": "s3cr3t", "GGML_X": "$(Y)"})["containers"]
    secret = {"secretKeyRef": {"name": "llama-server", "key": "LLAMA_API_KEY"}}
    assert container["env"] == [{"name": "GGML_X", "value": "$$(Y)"}, {"name": "LLAMA_API_KEY", "valueFrom": secret}]


@pytest.mark.parametrize("form", ExportFormat)
def test_a_variable_that_sounds_like_a_secret_is_one(form):
    assert "s3cr3t" not in export(ARGV, form, {"OTHER_PASSWORD": "s3cr3t"})


NO_WORDS = ["no", "y", "1e3", "0o7", "~", "null", "a: b", "- a", "#", "true", "0x1", "1_000", "-", "a #b"]


@pytest.mark.parametrize("text", NO_WORDS)
def test_a_text_stands_in_quotes_where_some_reader_would_see_something_else(text):
    """PyYAML reads version 1.1 of YAML, programs in Go read 1.2."""
    for form in (ExportFormat.COMPOSE, ExportFormat.KUBERNETES):
        written = export(("/e", "-m", "/m/x.gguf", "--alias", text), form)
        assert f"- {text}\n" not in written
        assert repr(text) in str(list(yaml.safe_load_all(written)))


def test_files_in_several_folders_are_all_there():
    argv = (
        *("/e", "-m", "/m/x.gguf", "--mmproj", "/m/p.gguf", "--chat-template-file", "/t/a.jinja"),
        *("--lora", "/l/1.gguf", "--grammar-file=/g/x.gbnf", "--alias", "-m", "--jinja", "--mmproj"),
    )
    run = pod(*argv)
    assert {each["name"]: each["hostPath"]["path"] for each in run["volumes"]} == {
        "models": "/m", "templates": "/t", "files": "/l", "files2": "/g",
    }  # fmt: skip
    assert run["containers"][0]["args"] == [
        *("-m", "/models/x.gguf", "--mmproj", "/models/p.gguf", "--chat-template-file", "/templates/a.jinja"),
        *("--lora", "/files/1.gguf", "--grammar-file=/files2/x.gbnf", "--alias", "-m", "--jinja", "--mmproj"),
    ]


@pytest.mark.parametrize("form", CONTAINERS)
def test_a_file_in_the_current_folder_is_found_there(form):
    argv = ("/e", "-m", "/m/x.gguf", "--chat-template-file", "a.jinja")
    assert read_command_line(export(argv, form)).options.chat_template_file == Path("a.jinja").absolute()


@pytest.mark.parametrize("form", CONTAINERS)
def test_a_port_is_published_at_an_address(form):
    argv = ("/e", "-m", "/m/x.gguf", "--port", "9001", "--host")
    with pytest.raises(ConfigurationError, match="at an address") as caught:
        export((*argv, "my-computer"), form)
    assert (caught.value.field, caught.value.value) == ("host", "my-computer")
    assert "127.0.0.1" in export((*argv, "localhost"), form)
    assert "::1" in export((*argv, "::1"), form)
