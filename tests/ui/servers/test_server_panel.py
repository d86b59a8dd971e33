"""One server's panel: what it says in each state, and what its buttons do."""

import re
from dataclasses import replace
from time import time

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QAccessible, QAction, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QSpinBox, QTabWidget, QWidget

from gglib_desktop.domain.gguf.forecast import ByteRange
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.domain.servers.states import Healthy, Loading, Stopped
from gglib_desktop.views.servers.panel.pages import Pages
from gglib_desktop.views.servers.panel.state_badge import StateBadge
from gglib_desktop.views.servers.panel.view import ServerPanel
from gglib_desktop.views.settings.dialog import SettingsDialog
from tests.fakes.accessibility import Role, get, names
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll, tasks_done
from tests.ui.conftest import Desk, text_of
from tests.ui.finding import child


def click(qtbot, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def press(qtbot, panel: ServerPanel, name: str) -> None:
    click(qtbot, get(panel, name, Role.Button))


def open_settings(panel: ServerPanel) -> None:
    tabs = child(panel, QTabWidget, "pages")
    tabs.setCurrentIndex(tabs.count() - 1)


def enabled(panel: ServerPanel) -> set[str]:
    """The buttons on screen that can be pressed."""
    buttons = [button for button in panel.findChildren(QPushButton) if button.isVisible() and button.isEnabled()]
    known = {"Stop", "Start", "Restart", "Dismiss", "Copy endpoint", "Apply and restart", "Kill now"}
    return {button.accessibleName() or button.text() for button in buttons} & known


@pytest.fixture
async def model(desk):
    await desk.open()
    return await desk.add("Tiny")


@pytest.fixture
async def healthy(desk, model) -> ServerPanel:
    desk.app.launch.start(model.id)
    panel: ServerPanel = await desk.panel_in("Tiny", "Healthy")
    await poll(lambda: "Activity: 0 of 4 slots" in text_of(panel))
    return panel


# -- names


async def test_a_panel_is_called_as_agreed(desk, healthy):
    port = healthy.server.state.port
    assert healthy.accessibleName() == "Server: Tiny"
    assert {"Fold Tiny", "Stop", "Restart", "Copy endpoint"} <= set(names(healthy, Role.Button))
    labels = names(healthy, Role.StaticText)
    assert "Health: Healthy" in labels
    assert f"Port: {port}" in labels
    assert f"Endpoint: http://127.0.0.1:{port}/v1" in labels
    assert "Activity: 0 of 4 slots" in labels
    assert "Speed: idle" in labels
    assert get(healthy, "Copy endpoint").accessibleDescription() == f"http://127.0.0.1:{port}/v1"
    assert [name for name in names(healthy, Role.PageTab) if name != "Requests"] == [
        "Overview", "Chat", "Log", "Settings"
    ]  # fmt: skip
    open_settings(healthy)
    assert {"Apply and restart", "Revert", "More options"} <= set(names(healthy, Role.Button))
    usual = ["Context size", "GPU layers", "Parallel slots", "Server port"]
    assert names(healthy, Role.SpinBox) == [*usual, "Draft tokens", "Minimum probability"]
    assert names(healthy, Role.RadioButton) == ["MTP auto", "MTP on", "MTP off"]


async def test_form_controls_are_named_after_their_fields(healthy):
    open_settings(healthy)
    for name in ("field_port", "field_spec_draft_n_max", "field_spec_draft_p_min", "field_mtp_auto"):
        assert healthy.findChild(QWidget, name) is not None


async def test_names_stay_current_while_a_panel_is_folded(desk, healthy, qtbot):
    press(qtbot, healthy, "Fold Tiny")
    assert not healthy.is_open
    desk.runner.crash(healthy.server.state.handle)
    await desk.panel_in("Tiny", "Crashed")
    assert {"Open Tiny", "Start", "Dismiss"} == set(names(healthy, Role.Button))
    assert {"Health: Crashed", "Port: —", "Activity: none", "Speed: not known"} <= set(names(healthy, Role.StaticText))


async def test_folding_leaves_the_line(healthy, qtbot):
    tall = healthy.sizeHint().height()
    press(qtbot, healthy, "Fold Tiny")
    await poll(lambda: healthy.height() < tall / 2)
    shown = names(healthy, Role.Button, Role.StaticText)
    assert {"Stop", "Copy endpoint", "Health: Healthy"} <= set(shown)
    assert "Restart" not in shown
    press(qtbot, healthy, "Open Tiny")
    assert "Restart" in names(healthy, Role.Button)


async def test_assistive_technology_hears_whether_a_panel_is_open(healthy):
    fold = QAccessible.queryAccessibleInterface(get(healthy, "Fold Tiny"))
    assert fold.state().expandable
    assert fold.state().expanded
    fold.actionInterface().doAction("Press")
    await poll(lambda: not healthy.is_open)
    assert not fold.state().expanded
    assert fold.state().collapsed
    assert fold.text(QAccessible.Text.Name) == "Open Tiny"


# -- states


async def test_what_can_be_pressed_in_each_state(desk, model, qtbot):
    desk.start(model, "--mock-load-s=60", "--mock-stop-s=60")
    panel = await desk.panel_in("Tiny", "Loading")
    assert enabled(panel) == {"Stop", "Restart", "Copy endpoint"}
    pressed_at = time()
    press(qtbot, panel, "Stop")
    await desk.panel_in("Tiny", "Stopping")
    assert enabled(panel) == {"Kill now", "Copy endpoint"}
    told = re.search(r"killed in (\d+) s", text_of(panel))
    assert told is not None
    stopping = panel.server.state.state
    assert stopping.kill_at - stopping.since == pytest.approx(6)
    assert round(stopping.kill_at - time()) <= int(told[1]) <= round(stopping.kill_at - pressed_at)
    press(qtbot, panel, "Kill now")
    await desk.panel_in("Tiny", "Stopped")
    assert enabled(panel) == {"Start", "Dismiss"}
    assert "was killed" in text_of(panel)
    assert "was killed" in get(panel, "Dismiss").accessibleDescription()


async def test_stop_restart_and_dismiss(desk, healthy, qtbot):
    first = healthy.server.state.handle
    press(qtbot, healthy, "Stop")
    await desk.panel_in("Tiny", "Stopped")
    press(qtbot, healthy, "Start")
    await desk.panel_in("Tiny", "Healthy")
    assert healthy.server.state.handle.pid != first.pid
    press(qtbot, healthy, "Stop")
    await desk.panel_in("Tiny", "Stopped")
    press(qtbot, healthy, "Dismiss")
    await poll(lambda: not desk.window.findChildren(ServerPanel))
    assert "No servers running" in text_of(desk.window)


async def test_a_restart_leads_back_to_the_same_buttons(desk, healthy, qtbot):
    first = healthy.server.state.handle
    press(qtbot, healthy, "Restart")
    await poll(lambda: healthy.server.state.handle not in {first, None})
    await desk.panel_in("Tiny", "Healthy")
    await poll(lambda: enabled(healthy) == {"Stop", "Restart", "Copy endpoint"})


async def test_nothing_in_the_line_moves_when_the_state_changes(desk, model):
    places: dict[str, dict[str, tuple[int, int]]] = {}

    def note(word: str) -> None:
        panel = desk.panel("Tiny")
        parts = [
            panel.findChild(StateBadge),
            *(panel.findChild(QWidget, n) for n in ("fold", "serverName", "port")),
            next(b for n in ("stop", "dismiss") if not (b := child(panel, QPushButton, n)).isHidden()),
        ]
        # Dismiss stands where Stop stood.
        places[word] = {
            part.objectName().replace("dismiss", "stop"): part.mapTo(panel, QPoint()).toTuple() for part in parts
        }

    server_id = desk.start(model, "--mock-load-s=0.3", "--mock-stop-s=0.3")
    for word in ("Loading", "Healthy"):
        await desk.panel_in("Tiny", word)
        await poll(lambda: desk.panel("Tiny").findChild(QWidget, "activity").x() > 100)
        note(word)
    desk.panel("Tiny").server.stop.trigger()
    for word in ("Stopping", "Stopped"):
        await desk.panel_in("Tiny", word)
        note(word)
    desk.start(model, "--nope")
    await desk.panel_in("Tiny", "Failed")
    note("Failed")
    desk.supervisor.restart(
        server_id, desk.supervisor.server(server_id).config.replace(extra_args=("--mock-load-s=9",))
    )
    note("Starting")
    assert len(places) == 6
    assert all(places[word] == places["Healthy"] for word in places), places


async def test_the_badge_has_its_word_its_shape_and_its_reason(desk, healthy):
    desk.window.resize(1500, 800)
    badge = healthy.findChild(StateBadge)
    assert badge.text() == "Healthy"
    assert badge.accessibleDescription() == "The server answers in time."
    desk.runner.crash(healthy.server.state.handle, -11)
    await desk.panel_in("Tiny", "Crashed")
    assert badge.text() == "Crashed (signal 11)"
    assert badge.accessibleName() == "Health: Crashed"
    assert "Killed by signal 11 (SIGSEGV)" in badge.accessibleDescription()


async def test_it_says_how_long_it_runs_and_with_what(desk, healthy):
    desk.window.resize(1500, 800)
    time = child(healthy, QLabel, "time")
    await poll(lambda: re.fullmatch(r"up \d+ s", time.text()))
    labels = names(healthy, Role.StaticText)
    assert {"Context: 8192 tokens", "Slots: 4", "GPU layers: not known"} <= set(labels)
    assert "MTP drafts 2, p ≥ 0.75" in text_of(healthy)
    assert "--spec-draft-n-max 2" in child(healthy, QLabel, "commandLine").text()


async def test_a_stopped_server_says_when_why_and_for_how_long_it_ran(desk, healthy, qtbot):
    press(qtbot, healthy, "Stop")
    await desk.panel_in("Tiny", "Stopped")
    ended = child(healthy, QLabel, "ended")
    assert re.fullmatch(r"\d.*: Stopped\. It had run for \d+ s\.", ended.text()), ended.text()


async def test_it_says_where_it_does_not_run_with_what_was_asked_for(desk, model, healthy):
    row = healthy.findChild(QWidget, "differencesRow")
    assert not row.isVisible()
    server = healthy.server
    config = desk.supervisor.server(server.id).config
    desk.supervisor.restart(server.id, config.replace(context_size=131072, extra_args=("--mock-context=2048",)))
    await poll(row.isVisible)
    text = "Context size: asked 131072, running with 2048: the model allows no more."
    assert text in names(healthy, Role.StaticText)
    server.stop.trigger()
    await desk.panel_in("Tiny", "Stopped")
    assert not row.isVisible()
    assert text not in names(healthy, Role.StaticText)


async def test_the_endpoint_goes_to_the_clipboard(desk, healthy, qtbot):
    desk.window.resize(1300, 720)
    QApplication.processEvents()
    press(qtbot, healthy, "Copy endpoint")
    assert QApplication.clipboard().text() == healthy.server.state.endpoint
    assert healthy.findChild(QPushButton, "copyEndpoint").text() == "Copied"
    assert "Copy endpoint" in names(healthy, Role.Button), "it is still called the same"


# -- the form


async def test_another_setting_is_applied_by_a_restart_and_saved(desk, model, healthy, qtbot):
    open_settings(healthy)
    assert "Apply and restart" not in enabled(healthy)
    draft_tokens = get(healthy, "Draft tokens")
    assert isinstance(draft_tokens, QSpinBox)
    draft_tokens.setValue(5)
    assert "Apply and restart" in enabled(healthy)
    assert draft_tokens.accessibleDescription().startswith("Changed, was 2. ")
    press(qtbot, healthy, "Apply and restart")
    await poll(lambda: "--spec-draft-n-max 5" in healthy.server.state.command_line)
    await desk.panel_in("Tiny", "Healthy")
    await poll(lambda: "Apply and restart" not in enabled(healthy))
    assert not get(healthy, "Draft tokens").accessibleDescription().startswith("Changed")
    assert await desk.library.launch_options(model.id) == LaunchOptions(spec_draft_n_max=5)


async def test_going_back_to_what_runs_leaves_nothing_to_apply(healthy, qtbot):
    open_settings(healthy)
    click(qtbot, get(healthy, "MTP off"))
    assert "Apply and restart" in enabled(healthy)
    assert not get(healthy, "Draft tokens").isEnabled()
    click(qtbot, get(healthy, "MTP auto"))
    assert "Apply and restart" not in enabled(healthy)
    assert get(healthy, "Draft tokens").isEnabled()


async def test_changes_are_reverted_with_a_press_also_those_that_were_saved(desk, model, healthy, qtbot):
    await desk.library.save_launch_options(model.id, LaunchOptions(context_size=8192))
    await poll(lambda: healthy.server.options.form.draft.context_size == 8192)
    open_settings(healthy)
    revert = child(healthy, QPushButton, "revert")
    await poll(lambda: not revert.isEnabled())
    box = child(healthy, QSpinBox, "field_context_size")
    box.setValue(1024)
    child(healthy, QSpinBox, "field_port").setValue(9050)
    expected = LaunchOptions(context_size=1024, port=9050)

    await poll(revert.isEnabled)
    await tasks_done("save launch options")
    assert await desk.library.launch_options(model.id) == expected
    click(qtbot, revert)
    await poll(lambda: box.value() == 8192)
    assert await desk.library.launch_options(model.id) == LaunchOptions(context_size=8192)
    assert child(healthy, QSpinBox, "field_port").text() == "Auto"
    await poll(lambda: not revert.isEnabled())


async def test_all_other_options_are_one_fold_away(healthy, qtbot):
    open_settings(healthy)
    assert healthy.findChild(QWidget, "field_temperature") is None
    press(qtbot, healthy, "More options")
    threads = child(healthy, QSpinBox, "field_threads")
    names_of_fields = [w.objectName() for w in healthy.findChildren(QWidget) if w.objectName().startswith("field_")]
    assert len(names_of_fields) == len(set(names_of_fields)), "each can be found by its name"
    threads.setValue(3)
    assert threads.accessibleDescription().startswith("Changed, was ")
    assert "Apply and restart" in enabled(healthy)
    press(qtbot, healthy, "More options")
    assert not threads.isVisible()


async def test_a_model_without_layers_has_nothing_to_draft_with(desk, qtbot):
    await desk.open()
    model = await desk.add("Plain", some_facts("Plain", mtp_layers=0))
    desk.app.launch.start(model.id)
    panel = await desk.panel_in("Plain", "Healthy")
    assert "drafting" in child(panel, QLabel, "facts").text()
    open_settings(panel)
    assert "Draft tokens" not in names(panel, Role.SpinBox)
    press(qtbot, panel, "More options")
    for name in ("Draft tokens", "Minimum probability"):
        assert not get(panel, name).isEnabled()
        assert get(panel, name).accessibleDescription() == "Off: this model has no MTP layers"


async def test_a_chosen_port_is_used_after_applying(desk, healthy, qtbot):
    open_settings(healthy)
    box = get(healthy, "Server port")
    assert isinstance(box, QSpinBox)
    assert box.text() == "Auto"
    box.setValue(9555)
    press(qtbot, healthy, "Apply and restart")
    await poll(lambda: "Port: 9555" in names(healthy, Role.StaticText))
    await desk.panel_in("Tiny", "Healthy")


# -- failures


def evidence(panel: ServerPanel) -> str:
    found = panel.findChild(QPlainTextEdit, "failureEvidence")
    assert found is not None
    return found.toPlainText() if found.isVisible() else ""


async def failed(desk) -> ServerPanel:
    """The panel once it says why, which may take a moment longer than the state."""
    panel: ServerPanel = await desk.panel_in("Tiny", "Failed")
    await poll(lambda: evidence(panel))
    return panel


async def test_an_unknown_flag_names_itself_and_trying_again_fails_again(desk, model, qtbot):
    desk.start(model, "--nope")
    panel = await failed(desk)
    assert evidence(panel) == "error: invalid argument: --nope"
    assert "Exit code 1" in text_of(panel)
    states: list[str] = []
    panel.server.stateChanged.connect(lambda state: states.append(state.state.word))
    press(qtbot, panel, "Try again")
    await poll(lambda: states[-1:] == ["Failed"])
    assert "Starting" in states


async def test_a_taken_port_is_mended_with_a_click(desk, model, healthy, qtbot):
    other = await desk.add("Other")
    port = healthy.server.state.port
    desk.app.run(desk.app.launch.start_now(other.id, LaunchOptions(port=port)), "start")
    panel = await desk.panel_in("Other", "Failed")
    assert f"port {port} is in use by the simulated server of Tiny" in text_of(panel).replace("Port", "port")
    press(qtbot, panel, "Start on a free port")
    await desk.panel_in("Other", "Healthy")
    assert panel.server.state.port != port
    assert not panel.findChild(QWidget, "failureCard").isVisible()


async def test_missing_layers_are_mended_with_a_click(desk, model, qtbot):
    desk.start(model, "--mock-fail-load=srv load_model: failed to create MTP context", spec_draft_n_max=2)
    panel = await failed(desk)
    assert "failed to create MTP context" in evidence(panel)
    press(qtbot, panel, "Start without MTP")
    await poll(lambda: desk.supervisor.server(panel.server.id).config.spec_draft_n_max is None)
    assert panel.server.options.form.draft.mtp is MtpChoice.OFF


async def test_an_engine_that_cannot_be_used_leads_to_the_settings(desk, model, qtbot):
    desk.start(model, "--mock-fail-load=error while loading shared libraries: libggml.so: cannot open shared object")
    panel = await failed(desk)
    press(qtbot, panel, "Choose another engine…")
    await poll(lambda: [d for d in desk.window.findChildren(SettingsDialog) if d.isVisible()])
    desk.window.findChild(SettingsDialog).reject()
    await poll(lambda: not desk.window.findChildren(SettingsDialog))


async def test_one_killed_by_somebody_else_says_so_and_shows_its_log(desk, healthy, qtbot):
    desk.runner.crash(healthy.server.state.handle, -9)
    await desk.panel_in("Tiny", "Crashed")
    assert not evidence(healthy), "seven harmless lines prove nothing"
    press(qtbot, healthy, "Last log lines")
    await poll(lambda: evidence(healthy))
    said = text_of(healthy)
    assert "Another process or the system killed the server. Killed by signal 9 (SIGKILL)." in said
    assert "model loaded" in evidence(healthy)
    for remedy in ("Start on a free port", "Start without MTP", "Choose another engine…"):
        assert remedy not in names(healthy, Role.Button)
    press(qtbot, healthy, "Show log")
    assert healthy.findChild(Pages, "pages").shows_log
    await poll(lambda: healthy.server.log.table.rowCount() > 1)


async def test_the_card_goes_when_the_server_starts_again(desk, healthy, qtbot):
    desk.runner.crash(healthy.server.state.handle)
    await desk.panel_in("Tiny", "Crashed")
    assert healthy.findChild(QWidget, "failureCard").isVisible()
    press(qtbot, healthy, "Try again")
    await desk.panel_in("Tiny", "Healthy")
    assert not healthy.findChild(QWidget, "failureCard").isVisible()


async def test_new_settings_that_do_not_start_are_told_while_the_old_ones_run_again(desk, healthy, qtbot):
    first = healthy.server.state.handle
    open_settings(healthy)
    healthy.server.options.form.edit(
        spec_draft_n_max=5, extra_args=("--mock-fail-load=srv load_model: failed to create MTP context",)
    )
    press(qtbot, healthy, "Apply and restart")
    card = healthy.findChild(QWidget, "failureCard")
    await poll(
        lambda: card.accessibleName() == "The server couldn't start with the new settings; the previous ones are back."
    )
    assert healthy.server.state.handle not in {first, None}
    assert card.accessibleDescription().startswith("The engine found no MTP layers in this model. Exit code 1.")
    assert "Your changes are kept." in text_of(healthy)
    assert evidence(healthy).endswith("srv load_model: failed to create MTP context")
    draft_tokens = get(healthy, "Draft tokens")
    assert isinstance(draft_tokens, QSpinBox)
    assert draft_tokens.value() == 5
    assert not {"Try again", "Show log"} & set(names(healthy, Role.Button))
    assert "Start without MTP" in names(healthy, Role.Button)
    press(qtbot, healthy, "Hide")
    assert not card.isVisible()
    desk.runner.crash(healthy.server.state.handle)
    await desk.panel_in("Tiny", "Crashed")
    assert card.isVisible()
    assert "Hide" not in names(healthy, Role.Button)
    assert "Try again" in names(healthy, Role.Button)


# -- actions of the menu bar act on a panel


@pytest.mark.parametrize(("action", "word"), [("stop", "Stopped"), ("restart", "Healthy")])
async def test_menu_actions_mean_the_selected_models_server(desk, healthy, action, word):
    pid = healthy.server.state.handle.pid
    desk.window.findChild(QAction, action).trigger()
    await poll(lambda: healthy.server.state.handle is None or healthy.server.state.handle.pid != pid)
    await desk.panel_in("Tiny", word)


async def test_menu_actions_show_the_log_copy_the_endpoint_and_fold(desk, healthy):
    desk.window.findChild(QAction, "show_log").trigger()
    assert healthy.findChild(Pages, "pages").shows_log
    desk.window.findChild(QAction, "copy_endpoint").trigger()
    assert QApplication.clipboard().text() == healthy.server.state.endpoint
    desk.window.findChild(QAction, "fold_all").trigger()
    assert not healthy.is_open
    desk.window.findChild(QAction, "show_log").trigger()
    assert healthy.is_open
    desk.window.findChild(QAction, "dismiss").trigger()
    assert desk.panel("Tiny") is healthy, "a running server's panel stays"


async def test_a_panel_that_is_started_comes_into_view(desk: Desk):
    await desk.open()
    for number in range(5):
        desk.app.launch.start((await desk.add(f"Model {number}")).id)
        await desk.panel_in(f"Model {number}", "Healthy")
    desk.app.launch.start(desk.library.models[0].id)
    first = desk.panel("Model 0")
    await poll(lambda: not first.visibleRegion().isEmpty())


async def test_a_flag_that_is_not_known_can_be_dropped(desk, model, qtbot):
    desk.start(model, "--nope")
    panel = await failed(desk)
    press(qtbot, panel, "Start without --nope")
    await desk.panel_in("Tiny", "Healthy")


async def test_too_little_memory_is_met_with_half_the_context(desk, model, qtbot):
    line = "--mock-fail-load=ggml_backend_alloc: failed to allocate buffer, out of memory"
    desk.start(model, line, context_size=4096)
    panel = await failed(desk)
    press(qtbot, panel, "Start with half the context")
    await poll(lambda: desk.supervisor.server(panel.server.id).config.context_size == 2048)


async def test_the_forecast_stands_beside_the_measured_memory(desk, model):
    desk.launcher._forecast = lambda _model, _config: ByteRange(2**20, 3 * 2**20)
    desk.start(model)
    panel = await desk.panel_in("Tiny", "Healthy")
    await poll(lambda: "RAM, estimated: 1.0 MiB to 3.0 MiB" in names(panel, Role.StaticText))


async def test_the_open_panel_takes_the_room_that_the_others_leave(desk, healthy, qtbot):
    desk.window.resize(1000, 800)
    healthy.show_log()
    await poll(lambda: healthy.geometry().bottom() >= healthy.parentWidget().height() - 2)
    rows = child(healthy, QWidget, "log")
    alone = rows.height()
    assert alone > healthy.height() / 2
    press(qtbot, healthy, "Fold Tiny")
    await poll(lambda: healthy.height() < 100)
    press(qtbot, healthy, "Open Tiny")
    await poll(lambda: rows.height() == alone)
    desk.start(await desk.add("Other"))
    await desk.panel_in("Other", "Healthy")
    assert healthy.is_open
    await poll(lambda: alone - 60 < rows.height() < alone)


async def test_a_start_that_failed_shows_what_was_run_and_nothing_that_never_was(desk, model):
    desk.start(model, "--nope")
    panel = await desk.panel_in("Tiny", "Failed")
    line = panel.findChild(QLabel, "commandLine")
    assert line is not None
    assert line.isVisible()
    assert line.text().endswith(" --nope")
    assert "draft" not in text_of(panel)
    assert "Activity: none" in text_of(panel)


async def test_what_a_server_does_not_tell_is_called_unknown(healthy):
    healthy.server.stateChanged.emit(replace(healthy.server.state, slots=None, refuses_us=True))
    assert "Activity: unknown" in text_of(healthy)


async def test_the_smallest_window_leaves_room_for_names_and_ports(desk, healthy):
    desk.window.resize(1100, 700)
    QApplication.processEvents()
    desk.window.resize(800, 600)
    endpoint, name = healthy.findChild(QLabel, "endpoint"), healthy.findChild(QLabel, "serverName")
    assert endpoint is not None
    assert name is not None
    await poll(lambda: desk.window.width() == 800)
    await poll(lambda: endpoint.width() >= endpoint.fontMetrics().horizontalAdvance(endpoint.text()))
    assert name.width() >= name.fontMetrics().averageCharWidth() * 12


async def test_a_panel_counts_seconds_only_where_it_shows_them(desk, healthy):
    """Fifty panels that say "up 12 min" have nothing to do for most of a minute."""
    (ticker,) = healthy.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
    assert ticker.interval() <= 1000
    snapshot = desk.supervisor.server(healthy.server.id)
    handle = replace(snapshot.state.handle, started_at=int(time()) - 12 * 60)
    healthy.server.show(replace(snapshot, state=Healthy(handle)))
    assert healthy.findChild(QLabel, "time").text() == "up 12 min"
    assert ticker.isActive()
    assert 1000 < ticker.interval() <= 60_000


async def test_a_panel_that_shows_no_time_or_is_not_seen_has_nothing_to_do(desk, healthy):
    (ticker,) = healthy.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
    assert ticker.isActive()
    desk.window.hide()
    assert not ticker.isActive()
    desk.window.show()
    assert ticker.isActive()
    healthy.server.stop.trigger()
    await desk.panel_in("Tiny", "Stopped")
    assert child(healthy, QLabel, "time").text().endswith(" ago")
    desk.window.hide()
    assert not ticker.isActive()


async def test_long_times_are_shown_whole_and_move_nothing(desk, healthy):
    desk.window.resize(1500, 720)
    time, port = child(healthy, QLabel, "time"), child(healthy, QLabel, "port")
    await poll(lambda: desk.window.width() == 1500)
    await poll(lambda: healthy.width() > 900)
    snapshot = desk.supervisor.server(healthy.server.id)
    handle = snapshot.state.handle
    places = []
    for state in (Healthy(handle), Loading(handle, 12.0, usual_s=20.0), Stopped(0.0), Healthy(handle)):
        healthy.server.show(replace(snapshot, state=state))
        QApplication.processEvents()
        assert time.text()
        assert time.width() >= time.fontMetrics().horizontalAdvance(time.text())
        places.append(port.mapTo(healthy, QPoint()))
    assert len({place.toTuple() for place in places}) == 1


async def test_cut_short_a_name_keeps_the_end_that_tells_it_from_others(healthy):
    name = healthy.findChild(QLabel, "serverName")
    name.resize(120, name.height())
    pictures = []
    for number in ("01", "02"):
        name.setText(f"Plain and long F32 plain-{number}.gguf")
        pictures.append(name.grab().toImage())
    assert pictures[0] != pictures[1]


async def test_tab_goes_from_the_buttons_over_the_tabs_to_what_stands_on_them(healthy, qtbot):
    restart = healthy.findChild(QPushButton, "restart")
    restart.setFocus()
    reached = []
    for _step in range(4):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        widget = QApplication.focusWidget()
        assert widget is not None
        reached.append(widget)
    tabs = healthy.findChild(QTabWidget, "pages")
    assert reached[0] is tabs.tabBar()
    assert [widget.objectName() for widget in reached[1:]] == ["measureDrafting", "commandLine", "copyCommandLine"]


@pytest.mark.parametrize("name", ["endpoint", "commandLine"])
async def test_what_is_cut_off_can_be_copied_whole_by_keyboard(healthy, qtbot, name):
    label = healthy.findChild(QLabel, name)
    label.setFocus(Qt.FocusReason.TabFocusReason)
    assert QApplication.focusWidget() is label
    QApplication.clipboard().clear()
    qtbot.keyClick(label, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    expected = healthy.server.state.endpoint if name == "endpoint" else healthy.server.state.command_line
    assert QApplication.clipboard().text() == expected


async def test_the_wheel_turns_no_page(healthy, qtbot):
    tabs = healthy.findChild(QTabWidget, "pages")
    bar = tabs.tabBar()
    for down in (-120, 120):
        place = bar.rect().center()
        turn = QWheelEvent(
            QPointF(place),
            QPointF(bar.mapToGlobal(place)),
            QPoint(),
            QPoint(0, down),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(bar, turn)
        assert tabs.currentIndex() == 0
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert tabs.currentIndex() == 1, "keys do"


# -- what is saved meanwhile


async def test_saved_launch_defaults_are_announced_and_used_by_a_restart(desk, healthy, qtbot):
    changed = "Launch defaults changed. Restart to use them."
    assert changed not in text_of(healthy)
    await desk.library.save_launch_options(healthy.server.model_id, LaunchOptions(context_size=1024))
    await poll(lambda: changed in text_of(healthy))
    press(qtbot, healthy, "Restart now")
    await poll(lambda: "Context: 1024 tokens" in text_of(healthy))
    await poll(lambda: changed not in text_of(healthy))


async def test_the_restart_of_the_menu_uses_them_too_also_after_a_stop(desk, healthy, qtbot):
    await desk.library.save_launch_options(healthy.server.model_id, LaunchOptions(context_size=1024))
    press(qtbot, healthy, "Stop")
    await desk.panel_in("Tiny", "Stopped")
    desk.window.findChild(QAction, "restart").trigger()
    await poll(lambda: "Context: 1024 tokens" in text_of(healthy))


async def test_what_was_chosen_for_one_start_is_named_and_kept_until_it_is_dropped(desk, model, qtbot):
    desk.app.run(desk.app.launch.start_now(model.id, LaunchOptions(context_size=1024, spec_draft_n_max=4)), "start")
    panel = await desk.panel_in("Tiny", "Healthy")
    said = "This server differs from the launch defaults: Context size, Draft tokens. Restart keeps that."
    await poll(lambda: said in text_of(panel))
    handle = panel.server.state.handle
    press(qtbot, panel, "Restart")
    await poll(lambda: panel.server.state.handle not in {handle, None})
    await poll(lambda: "Context: 1024 tokens" in text_of(panel))
    assert said in text_of(panel)
    press(qtbot, panel, "Use launch defaults")
    await poll(lambda: "MTP drafts 2" in text_of(panel))
    await poll(lambda: said not in text_of(panel))


async def test_a_port_that_is_taken_is_told_while_the_server_goes_on(desk, healthy, qtbot):
    handle = healthy.server.state.handle
    desk.start(await desk.add("Other"), port=9998)
    await desk.panel_in("Other", "Healthy")
    open_settings(healthy)
    healthy.findChild(QSpinBox, "field_port").setValue(9998)
    press(qtbot, healthy, "Apply and restart")
    await poll(lambda: "The new settings can't be used. The server still runs" in text_of(healthy))
    assert "Port 9998 is in use by the simulated server of Other" in text_of(healthy)
    assert healthy.server.state.handle == handle
    assert healthy.findChild(QSpinBox, "field_port").value() == 9998, "to be corrected"
    await poll(lambda: not healthy.server.options.restart.is_busy)
    click(qtbot, child(healthy, QPushButton, "useFreePort"))
    await poll(lambda: "can't be used" not in text_of(healthy))


async def test_it_says_what_a_restart_would_change(desk, healthy, qtbot):
    def told() -> str:
        note = child(healthy, QLabel, "savedChanged")
        return note.text() if note.isVisible() else ""

    server = healthy.server
    snapshot = desk.supervisor.server(server.id)
    other = replace(snapshot, command_line="/opt/old/llama-server -m one.gguf")
    server.show(other)
    assert told() == "This server runs on another engine than the one in use now. Restart to use that one."
    await desk.library.save_launch_options(server.model_id, LaunchOptions(extra_args=("--no-such-flag",)))
    warning = "The engine's help does not list --no-such-flag. It will probably refuse to start."
    await poll(lambda: told() == f"Launch defaults and the engine changed. Restart to use them. {warning}")
    server.show(snapshot)
    assert told() == f"Launch defaults changed. Restart to use them. {warning}"
    press(qtbot, healthy, "Restart now")
    await poll(lambda: child(healthy, QLabel, "failureSummary").isVisible())
