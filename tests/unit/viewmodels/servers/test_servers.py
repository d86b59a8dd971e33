"""The panels come and go, and what runs is counted."""

from tests.fakes.waiting import poll


async def test_a_start_is_shown(program):
    model = await program.add()
    told = program.told()
    program.app.launch.start(model.id)
    await poll(lambda: len(told) == 3)
    (server_id,) = program.app.servers.panels
    assert told == [("added", server_id), ("select", model.id), ("shown", server_id)]
    assert program.app.servers.current.id == server_id
    program.app.servers.current.fold()
    program.app.launch.start(model.id)
    await poll(lambda: len(told) == 5)
    assert told[-1] == ("shown", server_id), "a start of what runs shows where it runs"
    assert program.app.servers.current.is_open


async def test_what_runs_is_counted_with_its_memory(program):
    first, second = await program.add("A"), await program.add("B")
    for model in (first, second):
        program.app.launch.start(model.id)
    await poll(lambda: len(program.app.servers.panels) == 2)
    await poll(lambda: program.app.servers.totals.memory == 2 * 64 * 2**20)
    assert program.app.servers.totals.running == 2
    program.app.servers.stop_all()
    await poll(lambda: program.app.servers.totals.running == 0)
    assert program.app.servers.totals.memory is None, "0 B would be wrong, for it is not known at first"


async def test_a_dismissed_server_is_gone(program):
    told = program.told()
    server_id = program.start(await program.add(), "--nope")
    await poll(lambda: program.supervisor.server(server_id).state.word == "Failed")
    program.app.servers.panels[server_id].dismiss()
    assert program.app.servers.panels == {}
    assert told[-1] == ("removed", server_id)
