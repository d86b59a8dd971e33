"""What servers do reaches their panels."""

from gglib_desktop.domain.traffic.figures import MemoryUse, ServerFigures
from gglib_desktop.viewmodels.servers.figures import FiguresViewModel
from tests.fakes.waiting import poll


def test_news_are_told_once():
    figures = FiguresViewModel()
    told: list[ServerFigures] = []
    figures.stateChanged.connect(told.append)
    for speed in (1.0, 1.0, 2.0):
        figures.show(ServerFigures(generation=speed))
    assert told == [ServerFigures(generation=1.0), ServerFigures(generation=2.0)]
    assert figures.state == told[-1]


async def test_a_panel_knows_what_its_server_does(program):
    server = program.app.servers.panels[program.start(await program.add())]
    assert server.figures.state == ServerFigures()
    await program.healthy(server.id)
    await poll(lambda: server.figures.state.busy_slots == 0)
    assert server.figures.state.generation == 0
    size = 64 * 2**20
    await poll(lambda: server.figures.state.memory == MemoryUse(size, size, size))
    server.stop.trigger()
    await poll(lambda: server.figures.state == ServerFigures())
