"""Which panel is open, and which server commands are for."""

from typing import cast

import pytest

from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.attached import AttachedServers
from gglib_desktop.viewmodels.servers.current import CurrentServer
from gglib_desktop.viewmodels.servers.endpoint import EndpointViewModel
from gglib_desktop.viewmodels.servers.server import ServerViewModel


class Panel:
    def __init__(self, server_id: int, model_id: int) -> None:
        self.id, self.model_id = server_id, model_id


class Panels:
    """Servers 1, 2 and 3; the last two are of one model."""

    def __init__(self) -> None:
        self.servers = {number: cast("ServerViewModel", Panel(number, min(number, 2))) for number in (1, 2, 3)}
        self.attached = AttachedServers(cast("TaskScope", None))
        self.current = CurrentServer(self.servers, self.attached)

    def shown(self) -> tuple[int | None, bool]:
        return self.current.id, self.current.is_open

    def remove(self, server_id: int) -> None:
        self.current.leave(server_id)
        del self.servers[server_id]


@pytest.fixture
def panels() -> Panels:
    return Panels()


def test_the_first_one_that_comes_is_open(panels):
    panels.current.come(1)
    panels.current.come(2)
    assert panels.shown() == (1, True)


def test_one_is_open_at_most_and_stays_current_when_it_is_folded(panels):
    panels.current.open(1)
    panels.current.open(2)
    assert panels.shown() == (2, True)
    panels.current.toggle(2)
    assert panels.shown() == (2, False)
    panels.current.toggle(2)
    assert panels.shown() == (2, True)
    panels.current.toggle(3)
    assert panels.shown() == (3, True)
    panels.current.open(99)
    assert panels.shown() == (3, True), "there is none with this number"


@pytest.mark.parametrize(("by", "ids"), [(1, [1, 2, 3, 1]), (-1, [3, 2, 1, 3])])
def test_steps_go_round(panels, by, ids):
    seen = []
    for _step in ids:
        panels.current.step(by)
        seen.append(panels.current.id)
    assert seen == ids


def test_without_servers_there_is_no_step(panels):
    panels.servers.clear()
    panels.current.step(1)
    assert panels.shown() == (None, False)


def test_a_model_opens_its_first_server_unless_another_of_it_is_current(panels):
    panels.current.open(1)
    panels.current.open_of_model(2)
    assert panels.shown() == (2, True)
    panels.current.toggle(3)
    panels.current.fold()
    panels.current.open_of_model(2)
    assert panels.shown() == (3, True)
    panels.current.open_of_model(7)
    assert panels.shown() == (3, True)


@pytest.mark.parametrize(("gone", "next_id"), [(1, 2), (2, 3), (3, 2)])
def test_the_next_one_takes_the_place_of_one_that_goes(panels, gone, next_id):
    panels.current.open(gone)
    panels.remove(gone)
    assert panels.shown() == (next_id, True)


def test_others_go_unnoticed_and_the_last_one_leaves_nothing(panels):
    panels.current.open(1)
    panels.remove(2)
    panels.remove(3)
    assert panels.shown() == (1, True)
    panels.remove(1)
    assert panels.shown() == (None, False)


def test_changes_are_told_once(panels):
    told = []
    panels.current.changed.connect(lambda: told.append(panels.shown()))
    panels.current.open(1)
    panels.current.open(1)
    panels.current.fold()
    panels.current.fold()
    assert told == [(1, True), (1, False)]


def test_those_of_somebody_else_come_last(panels):
    panels.current.come(3)
    panels.attached.panels[-1] = cast("EndpointViewModel", Panel(-1, 0))
    panels.attached.came.emit(-1)
    panels.current.step(1)
    assert panels.shown() == (-1, True)
    assert panels.current.server is panels.attached.panels[-1]
    panels.attached.leaving.emit(-1)
    assert panels.shown() == (3, True)
