"""Containers of Kubernetes, as people write them by hand."""

from gglib_desktop.domain.commandline.reading import NoteKind, read_command_line

POD = """\
apiVersion: v1
kind: Pod
spec:
  containers:
  - name: sidecar
    image: busybox
    args: [sleep, "9"]
  - name: llama
    image: ghcr.io/ggml-org/llama.cpp:server
    env:
    - {name: FOLDER, value: /models}
    - {name: MODEL, value: $(FOLDER)/a$b.gguf}
    - {name: LLAMA_ARG_CTX_SIZE, value: "$$(FOLDER)"}
    - {name: LLAMA_ARG_N_PARALLEL, value: $(NONE)}
    args: [-m, $(MODEL), --alias, "$$(MODEL) $HOME", --device, $(POD_IP), --chat-template-file, /t/x.jinja, 7]
    volumeMounts:
    - {name: files, mountPath: /models}
    - {name: claim, mountPath: /t}
    - {name: files}
    - text
  volumes:
  - {name: files, hostPath: {path: /srv/models}}
  - {name: claim, persistentVolumeClaim: {claimName: x}}
  - {name: none, hostPath: text}
  - text
"""


def test_variables_and_folders_of_a_pod():
    line = read_command_line(POD, variables={"HOME": "/home/me"})
    assert line.model == "/srv/models/a$b.gguf"
    assert line.options.alias == "$(MODEL) $HOME"
    notes = {note.kind: note.words for note in line.notes}
    assert notes[NoteKind.INSIDE] == ("--chat-template-file", "/t/x.jinja")
    assert ("--device", "$(POD_IP)") in [note.words for note in line.notes if note.kind is NoteKind.UNRESOLVED]
    assert (line.options.device, line.options.parallel) == (None, None)


def test_a_shell_in_a_pod_has_its_own_variables():
    text = POD.replace("args: [-m", "command: [sh, -c, 'llama-server -m $MODEL -c 5']\n    unread: [-m")
    line = read_command_line(text)
    assert (line.model, line.options.context_size) == ("/srv/models/a$b.gguf", 5)


def test_a_pod_that_is_none_is_read_as_its_author_may_have_meant_it():
    text = "containers:\n- image: llama.cpp\n  command: llama-server -m /m/x.gguf -c 5\n"
    assert read_command_line(text).options.context_size == 5


def test_a_container_may_have_variables_alone():
    text = "containers:\n- image: llama.cpp\n  env:\n  - {name: LLAMA_ARG_CTX_SIZE, value: '5'}\n"
    assert read_command_line(text).options.context_size == 5
