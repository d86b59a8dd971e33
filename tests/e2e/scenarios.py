"""What people do with the program, done from outside to the real program as its own process.

Usage: scenarios.py SCENARIO PYTHON DATA_DIR MODEL PLAIN_MODEL, on the system's Python, under Xvfb and a D-Bus session.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from screen import DEADLINE_S, Node, eventually, find_program

TITLE = "GGLib Desktop"
# Where a port is compared: not the usual one, which a program in use may have.
BASE_PORT = random.randrange(10_000, 32_000)


class Program:
    """The program under test."""

    def __init__(self, python: str, data_dir: Path, *arguments: str) -> None:
        environment = {**os.environ, "GGLIB_DATA_DIR": str(data_dir), "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1"}
        self.data_dir = data_dir
        self.process = subprocess.Popen([python, "-P", "-m", "gglib_desktop", *arguments], env=environment)
        self.screen = find_program(TITLE, self.process.pid)

    def panel(self, name: str) -> Node:
        return self.screen.get(f"Server: {name}")

    def start_selected(self) -> None:
        self.screen.get("Start").press()

    def wait_end(self, within_s: float = DEADLINE_S) -> int:
        return self.process.wait(within_s)


def health(panel: Node) -> Node:
    return panel.get("Health: *")


def port_of(panel: Node) -> int:
    return int(panel.get("Port: *").name.split()[1])


def server_pids(data_dir: Path) -> list[int]:
    """llama-server processes of this run, found by the tag in their environment."""
    found = []
    runs = {path.stem for path in (data_dir / "logs").glob("*.log")}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(v.startswith(b"GGLIB_INSTANCE=") and v.decode().partition("=")[2] in runs for v in variables):
                found.append(int(entry.name))
    return found


def ask_chat(port: int, tokens: int = 8) -> str:
    body = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": tokens}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["choices"][0]["message"]["content"])


def command_line(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def nothing_runs(data_dir: Path, within_s: float = DEADLINE_S) -> None:
    eventually(lambda: not server_pids(data_dir), within_s, lambda: f"still running: {server_pids(data_dir)}")


def first_light(python: str, data_dir: Path, model: str, _plain: str) -> None:
    """Start, a green badge, an answer, other draft settings, stop."""
    program = Program(python, data_dir, model)
    row = program.screen.get("Models").row("Tiny")
    eventually(lambda: row.is_selected, DEADLINE_S, lambda: "the model given as argument is not selected")
    program.start_selected()
    panel = program.panel("Tiny")
    badge = health(panel)
    badge.wait_name("Health: Healthy")
    port = port_of(panel)
    panel.get(f"Endpoint: http://127.0.0.1:{port}/v1")
    assert ask_chat(port), "no text was generated"
    (before,) = server_pids(data_dir)
    assert "draft-mtp" in command_line(before), "the model has MTP layers, so Auto drafts"
    panel.get("Settings").press()
    panel.get("Draft tokens").set_value(5)
    panel.get("Apply and restart").press()
    eventually(lambda: server_pids(data_dir) not in ([], [before]), DEADLINE_S, lambda: "the server was not restarted")
    badge.wait_name("Health: Healthy")
    (after,) = server_pids(data_dir)
    words = command_line(after)
    assert words[words.index("--spec-draft-n-max") + 1] == "5", words
    assert ask_chat(port_of(panel))
    # As long as it counts the request that was just answered, it asks first.
    panel.get("Activity: 0 of 4 slots")
    panel.get("Stop").press()
    badge.wait_name("Health: Stopped")
    nothing_runs(data_dir)
    program.screen.choose("File", "Quit")
    assert program.wait_end() == 0


def two_servers_and_quit(python: str, data_dir: Path, model: str, plain: str) -> None:
    """The demo model by a button, two servers at once, and the question when quitting."""
    program = Program(python, data_dir)
    program.screen.get("Create demo model").press()
    row = program.screen.get("Models").row("Demo model")
    eventually(lambda: row.is_selected, DEADLINE_S, lambda: "what was just added is not selected")
    program.start_selected()
    demo = program.panel("Demo model")
    health(demo).wait_name("Health: Healthy")
    # A second start hands its model over and ends.
    environment = {**os.environ, "GGLIB_DATA_DIR": str(data_dir)}
    subprocess.run([python, "-P", "-m", "gglib_desktop", plain], env=environment, check=True, timeout=DEADLINE_S)
    row = program.screen.get("Models").row("Plain")
    eventually(lambda: row.is_selected, DEADLINE_S, lambda: "a model handed over is not selected")
    program.start_selected()
    plain_panel = program.panel("Plain")
    health(plain_panel).wait_name("Health: Healthy")
    assert port_of(demo) != port_of(plain_panel)
    assert ask_chat(port_of(plain_panel))
    demo.get("Stop").press()
    health(demo).wait_name("Health: Stopped")
    assert ask_chat(port_of(plain_panel)), "stopping one server disturbed the other"
    plain_panel.get("Settings").press()
    plain_panel.get("Context size")
    assert plain_panel.look_for("Draft tokens") is None, "there are no MTP layers to draft with"
    demo.get("Dismiss").press()
    program.screen.wait_gone("Server: Demo model")
    program.screen.choose("File", "Quit")
    question = program.screen.get("Quit GGLib Desktop")
    question.get("Cancel").press()
    program.screen.wait_gone("Quit GGLib Desktop")
    assert ask_chat(port_of(plain_panel))
    program.screen.choose("File", "Quit")
    program.screen.get("Quit GGLib Desktop").get("Stop all and quit").press()
    assert program.wait_end() == 0
    nothing_runs(data_dir)


def outlive(python: str, data_dir: Path, model: str, plain: str) -> None:
    """Servers live on when the program is killed or told to leave them, and are back in their panels."""
    program = Program(python, data_dir, model)
    program.screen.get("Models").row("Tiny")
    program.start_selected()
    health(program.panel("Tiny")).wait_name("Health: Healthy")
    (pid,) = server_pids(data_dir)
    program.process.kill()
    program.process.wait()
    assert server_pids(data_dir) == [pid], "the server died with the program"
    program = Program(python, data_dir)
    panel = program.panel("Tiny")
    badge = health(panel)
    badge.wait_name("Health: Healthy")
    assert server_pids(data_dir) == [pid]
    assert ask_chat(port_of(panel))
    program.screen.choose("File", "Quit")
    program.screen.get("Quit GGLib Desktop").get("Leave running and quit").press()
    assert program.wait_end() == 0
    assert server_pids(data_dir) == [pid]
    program = Program(python, data_dir)
    badge = health(program.panel("Tiny"))
    badge.wait_name("Health: Healthy")
    os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    eventually(lambda: badge.name.startswith("Health: Crashed"), DEADLINE_S, lambda: f"reads {badge.name!r}")
    print(f"crash of an adopted server seen from outside after {time.monotonic() - killed_at:.2f} s")
    program.panel("Tiny").get("Start").press()
    badge.wait_name("Health: Healthy")
    program.process.send_signal(signal.SIGTERM)
    assert program.wait_end() == 0
    nothing_runs(data_dir)


def choose_port(data_dir: Path) -> None:
    data_dir.mkdir(parents=True)
    (data_dir / "settings.toml").write_text(f"base_port = {BASE_PORT}\n")


def failures(python: str, data_dir: Path, model: str, plain: str) -> None:
    """MTP forced on a model without MTP layers: what ran before runs again, the reason is told, a button mends it."""
    choose_port(data_dir)
    program = Program(python, data_dir, plain)
    program.screen.get("Models").row("Plain")
    program.start_selected()
    panel = program.panel("Plain")
    badge = health(panel)
    badge.wait_name("Health: Healthy")
    panel.get("Settings").press()
    # Usual fields are those that the model has a use for; this one has none for drafting.
    panel.get("More options").press()
    panel.get("MTP on").press()
    (before,) = server_pids(data_dir)
    command_line_before = command_line(before)
    panel.get("Apply and restart").press()
    card = panel.get("The server couldn't start with the new settings; the previous ones are back.")
    badge.wait_name("Health: Healthy")
    assert "The engine found no MTP layers in this model." in card.description, card.description
    (returned,) = server_pids(data_dir)
    assert returned != before
    words = command_line(returned)
    assert words == command_line_before, (words, command_line_before)
    assert ask_chat(port_of(panel))
    panel.get("Start without MTP").press()
    panel.wait_gone("The server couldn't start with the new settings; the previous ones are back.")
    badge.wait_name("Health: Healthy")
    assert ask_chat(port_of(panel))
    program.screen.choose("Server", "Stop all")
    badge.wait_name("Health: Stopped")
    program.process.send_signal(signal.SIGTERM)
    assert program.wait_end() == 0
    nothing_runs(data_dir)


def settings_file(python: str, data_dir: Path, _model: str, _plain: str) -> None:
    """A settings file edited by hand while the program runs: in force at once, an error told and nothing lost."""
    file = data_dir / "settings.toml"
    data_dir.mkdir(parents=True)
    file.write_text('# mine\nthem = "dark"  # of a newer version?\nbase_port = "9100"\n')
    program = Program(python, data_dir, "--runner", "mock")
    told = program.screen.get("The settings file has values that cannot be used.*").name
    assert "Line 3: base_port must be a whole number, not “9100”" in told, told
    assert "line 2: them (is theme meant?)" in told, told
    replace(file, file.read_text().replace('"9100"', "9200"))
    program.screen.get("The settings file is in order again. In force now, from the settings file: base_port = 9200.")
    broken = file.read_text() + "theme = dark\n"
    replace(file, broken)
    told = program.screen.get("The settings file has an error.*").name
    assert "The last good settings stay in force. Line 4: Invalid value: theme = dark" in told, told
    program.screen.get("Settings").press()
    dialog = program.screen.get("Settings — GGLib Desktop")
    first_port = dialog.get("First port")
    assert first_port.value == 9200
    first_port.set_value(9300)
    dialog.get("Save").press()
    dialog.get("Not saved: the settings file has an error*")
    assert file.read_text() == broken
    replace(file, broken.replace("= dark", '= "dark"'))
    program.screen.get("The settings file is in order again.*")
    dialog.get("Save").press()
    eventually(lambda: "base_port = 9300\n" in file.read_text(), DEADLINE_S, file.read_text)
    assert file.read_text() == '# mine\nthem = "dark"  # of a newer version?\nbase_port = 9300\ntheme = "dark"\n'
    program.process.send_signal(signal.SIGTERM)
    assert program.wait_end() == 0


def replace(file: Path, text: str) -> None:
    """As editors save."""
    draft = file.with_name("draft~")
    draft.write_text(text)
    os.replace(draft, file)


def launch_choices(python: str, data_dir: Path, model: str, _plain: str) -> None:
    """Defaults of a model, and choices for one launch over them: what runs is what the form said, word for word."""
    choose_port(data_dir)
    program = Program(python, data_dir, model)
    row = program.screen.get("Models").row("Tiny")
    eventually(lambda: row.is_selected, DEADLINE_S, lambda: "the model given as argument is not selected")
    program.screen.choose("Model", "Launch defaults")
    defaults = program.screen.get("Launch defaults of Tiny*")
    defaults.get("Unfold Computing").press()
    defaults.get("Threads").set_value(2)
    defaults.get("Context size").set_value(1024)
    defaults.get("Save").press()
    program.screen.wait_gone(defaults.name)
    program.screen.get("Start with…").press()
    dialog = program.screen.get("Start Tiny with…*")
    dialog.get("Context size").set_value(4096)
    dialog.get("Draft tokens").set_value(5)
    dialog.get("Minimum probability").set_value(0.55)
    for group in ("Sampling", "Other"):
        dialog.get(f"Unfold {group}").press()
    dialog.get("Temperature").set_value(0.6)
    dialog.get("Extra arguments").set_text("--alias 'a")
    dialog.get("A quotation mark is not closed.")
    dialog.get("Start").press()
    dialog.get("Some values cannot be used.*")
    dialog.get("Extra arguments").set_text("--alias 'a b'")
    dialog.get("Memory: fits*")
    expected = (
        "-c 4096 --spec-type draft-mtp --spec-draft-n-max 5 --spec-draft-p-min 0.55 --temp 0.6 -t 2 --alias 'a b'"
    )
    preview = dialog.get("Command line").text
    assert preview.endswith(f" --cors-origins localhost {expected}"), preview
    dialog.get("Start").press()
    program.screen.wait_gone(dialog.name)
    health(program.panel("Tiny")).wait_name("Health: Healthy")
    (pid,) = server_pids(data_dir)
    words = command_line(pid)[:-1]
    port = str(port_of(program.panel("Tiny")))
    assert words[words.index("--port") + 1] == port
    assert words == [port if word == str(BASE_PORT) else word for word in shlex.split(preview)]
    program.process.send_signal(signal.SIGTERM)
    assert program.wait_end() == 0
    nothing_runs(data_dir)


def preset(python: str, data_dir: Path, model: str, _plain: str) -> None:
    """A preset that asks for more than the model has: it runs, the panel says what it got, and it is offered again."""
    program = Program(python, data_dir, model)
    row = program.screen.get("Models").row("Tiny")
    eventually(lambda: row.is_selected, DEADLINE_S, lambda: "the model given as argument is not selected")
    program.screen.get("Start with…").press()
    dialog = program.screen.get("Start Tiny with…*")
    dialog.get("No preset")
    dialog.get("Context size").set_value(65536)
    dialog.get("Save as…").press()
    naming = program.screen.get("Save as preset*")
    naming.get("Name").set_text("long context")
    naming.get("All models").press()
    naming.get("Save").press()
    program.screen.wait_gone(naming.name)
    dialog.get("long context (all models)")
    dialog.get("Start").press()
    program.screen.wait_gone(dialog.name)
    panel = program.panel("Tiny")
    health(panel).wait_name("Health: Healthy")
    panel.get("Context size: asked 65536, running with 8192: the model allows no more.")
    program.screen.get("Start with…").press()
    again = program.screen.get("Start Tiny with…*")
    again.get("long context (all models)")
    eventually(
        lambda: again.get("Context size").value == 65536, DEADLINE_S, lambda: "the preset does not fill the form"
    )
    again.get("Cancel").press()
    program.process.send_signal(signal.SIGTERM)
    assert program.wait_end() == 0
    nothing_runs(data_dir)


SCENARIOS: dict[str, Callable[[str, Path, str, str], None]] = {
    scenario.__name__: scenario
    for scenario in (first_light, two_servers_and_quit, outlive, failures, settings_file, launch_choices, preset)
}


def main() -> int:
    name, python, data_dir, model, plain = sys.argv[1:]
    try:
        SCENARIOS[name](python, Path(data_dir), model, plain)
    finally:
        for pid in server_pids(Path(data_dir)):
            print(f"left behind: {pid}", file=sys.stderr)
            os.kill(pid, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
