"""Servers that other computers reach, and those that ask for a key: who knows the key, and who must not."""

import asyncio
import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from gglib_desktop.api import Runner
from gglib_desktop.domain.errors import ConfigurationError, KeyStoreError, PortTaken
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.servers.server import ProcessHandle
from tests.contract.harness import Harness, LocalHarness, busy_slots, stop_all
from tests.contract.test_foreign_servers import Elsewhere, elsewhere, found, loaded  # noqa: F401  # a fixture
from tests.fakes.waiting import DEADLINE_S, poll

KEY_FILE = "api-key"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def knows_localhost() -> bool:
    try:
        return bool(socket.getaddrinfo("localhost", None))
    except OSError:
        return False


named = pytest.mark.skipif(not knows_localhost(), reason="a bare system may have no /etc/hosts")
ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this computer has no IPv6")


async def facts_of(runner: Runner, handle: ProcessHandle) -> ServerFacts:
    async def known() -> ServerFacts | None:
        ready = (await runner.probe(handle, 2)).result is ProbeResult.OK
        return await runner.facts(handle) if ready else None

    facts: ServerFacts = await poll(known)  # type: ignore[arg-type]  # mypy cannot tell what poll awaits
    return facts


def written_in(folder: Path) -> dict[str, str]:
    """Every file below the data directory, as text."""
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def keyed(harness: Harness) -> Harness:
    if not harness.words.has_keys:
        pytest.skip("this engine has no keys, and is refused where it would need one")
    return harness


# -- all runners


async def test_one_that_can_ask_for_none_is_refused_where_it_would_have_to(runner, harness):
    for field, value in (("host", "0.0.0.0"), ("require_api_key", True)):
        if harness.words.has_keys:
            await runner.start(harness.config(**{field: value}))
            continue
        with pytest.raises(ConfigurationError, match="asks for no key") as caught:
            await runner.start(harness.config(**{field: value}))
        assert caught.value.field == field
    assert len(await runner.list_running()) == (2 if harness.words.has_keys else 0)


async def test_who_can_be_reached_by_others_asks_for_a_key(runner, keyed):
    harness = keyed
    handle = await runner.start(harness.config(host="0.0.0.0"))
    key = runner.describe(handle).api_key
    assert key is not None
    assert len(key) >= 43
    assert (await facts_of(runner, handle)).wants_key
    assert await busy_slots(runner, handle) == harness.words.idle_slots
    assert runner.endpoint(handle) == f"http://127.0.0.1:{handle.port}/v1"
    assert all(url.endswith(f":{handle.port}/v1") for url in runner.describe(handle).other_endpoints)
    assert "127.0.0.1" not in " ".join(runner.describe(handle).other_endpoints)


async def test_a_server_for_this_computer_alone_asks_for_none(runner, harness):
    free = await runner.start(harness.config())
    assert runner.describe(free).api_key is None
    assert runner.describe(free).other_endpoints == ()
    assert not (await facts_of(runner, free)).wants_key
    assert KEY_FILE not in written_in(harness.data_dir), "no key before one is needed"


async def test_one_that_is_told_to_asks_for_a_key_on_this_computer_too(runner, keyed):
    handle = await runner.start(keyed.config(require_api_key=True))
    assert runner.describe(handle).api_key
    assert (await facts_of(runner, handle)).wants_key


async def test_all_servers_share_one_key(runner, keyed):
    harness = keyed
    first, second = await asyncio.gather(*(runner.start(harness.config(require_api_key=True)) for _ in range(2)))
    assert (
        runner.describe(first).api_key
        == runner.describe(second).api_key
        == (harness.data_dir / KEY_FILE).read_text().strip()
    )


async def test_the_key_is_in_its_file_and_in_no_other(runner, keyed, caplog):
    harness = keyed
    caplog.set_level("DEBUG")
    handle = await runner.start(harness.config(host="0.0.0.0"))
    key = runner.describe(handle).api_key
    assert key is not None
    await facts_of(runner, handle)
    assert [name for name, text in written_in(harness.data_dir).items() if key in text] == [KEY_FILE]
    shown = (
        caplog.text,
        runner.describe(handle).command_line,
        repr(runner.describe(handle).config),
        repr(handle),
        repr(vars(runner)),
    )
    assert not [text for text in shown if key in text]


async def test_the_next_runner_knows_the_key_of_what_it_finds(keyed):
    harness = keyed
    async with harness.runner() as earlier:
        handle = await earlier.start(harness.config(require_api_key=True))
        key = earlier.describe(handle).api_key
        await facts_of(earlier, handle)
    async with harness.runner() as later:
        assert await later.list_running() == [handle]
        facts = await facts_of(later, handle)
        assert facts.wants_key
        assert not facts.refused
        assert later.describe(handle).api_key == key


async def test_a_host_of_another_computer_is_refused_with_its_field(runner, harness):
    # An address for documentation, which no computer has.
    with pytest.raises(ConfigurationError, match=r"no address of this|all addresses of that") as caught:
        await runner.start(harness.config(host="198.51.100.7"))
    assert caught.value.field == "host"
    assert harness.traces() == []


async def test_a_name_that_nobody_knows_is_refused_with_its_field(runner, harness):
    with pytest.raises(ConfigurationError, match=r"no address is known|all addresses of that") as caught:
        await runner.start(harness.config(host="nowhere.invalid"))
    assert caught.value.field == "host"


async def test_without_a_place_for_the_key_nothing_is_started(runner, harness):
    await runner.list_running()
    (harness.data_dir / KEY_FILE).mkdir()
    with pytest.raises(KeyStoreError, match=KEY_FILE):
        await runner.start(harness.config(host="0.0.0.0"))
    assert harness.traces() == []


@ipv6
async def test_a_port_that_is_taken_on_ipv6_is_taken(runner, harness):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        # Over ssh such a host is refused: what leads there goes to 127.0.0.1.
        with pytest.raises((PortTaken, ConfigurationError)):
            await runner.start(harness.config(host="::1", port=port))
        await runner.start(harness.config(port=port)), "which does not concern a server on IPv4"


# -- real processes


@pytest.fixture
async def real(local: LocalHarness):
    yield local
    await stop_all(local)


@pytest.fixture
async def real_runner(real: LocalHarness):
    async with real.runner() as runner:
        yield runner


def status(url: str, key: str | None = None) -> int:
    request = urllib.request.Request(url, headers={} if key is None else {"Authorization": f"Bearer {key}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=DEADLINE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        return exc.code


@pytest.mark.llama
@pytest.mark.parametrize(
    ("host", "reached_at"),
    [
        ("0.0.0.0", "127.0.0.1"),
        pytest.param("localhost", "localhost", marks=named),
        pytest.param("::", "[::1]", marks=ipv6),
        pytest.param("::1", "[::1]", marks=ipv6),
    ],
)
async def test_a_real_engine_refuses_who_shows_no_key(real, real_runner, host, reached_at):
    handle = await real_runner.start(real.config(host=host, require_api_key=True))
    key = real_runner.describe(handle).api_key
    facts = await facts_of(real_runner, handle)
    assert (facts.wants_key, facts.refused, facts.slots) == (True, False, 4)
    base = f"http://{reached_at}:{handle.port}"
    assert real_runner.endpoint(handle) == base + "/v1"
    for path in ("/props", "/slots", "/metrics"):
        assert await asyncio.to_thread(status, base + path) == 401
        assert await asyncio.to_thread(status, base + path, "wrong") == 401
        assert await asyncio.to_thread(status, base + path, key) == 200
    assert await asyncio.to_thread(status, base + "/health") == 200


@pytest.mark.llama
async def test_no_command_line_of_the_computer_holds_the_key(real, real_runner):
    handle = await real_runner.start(real.config(host="0.0.0.0"))
    key = real_runner.describe(handle).api_key
    argvs = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert argvs_word_after(argvs, handle) == ["--host", "0.0.0.0"]
    assert not [argv for argv in argvs if key in " ".join(argv)]
    assert key not in os.environ.values(), "only its own environment has it"
    assert psutil.Process(handle.pid).environ()["LLAMA_API_KEY"] == key


def argvs_word_after(argvs: list[list[str]], handle: ProcessHandle) -> list[str]:
    (argv,) = (argv for argv in argvs if str(handle.port) in argv and "--host" in argv)
    place = argv.index("--host")
    return argv[place : place + 2]


@pytest.mark.llama
async def test_a_server_that_runs_keeps_its_key_when_a_new_one_is_made(real):
    async with real.runner() as earlier:
        handle = await earlier.start(real.config(require_api_key=True))
        key = earlier.describe(handle).api_key
        await facts_of(earlier, handle)
    (real.data_dir / KEY_FILE).write_text("another-key\n")
    async with real.runner() as later:
        assert await later.list_running() == [handle]
        assert later.describe(handle).api_key == key, "the one that it was started with"
        assert not (await facts_of(later, handle)).refused
        await later.stop(handle)
        again = await later.start(real.config(require_api_key=True))
        assert later.describe(again).api_key == "another-key"


@pytest.mark.llama
async def test_another_server_with_a_key_of_its_own_is_understood(real, real_runner, elsewhere: Elsewhere):  # noqa: F811
    process = elsewhere.start("--host", "0.0.0.0", "--api-key", "theirs,second")
    server = await found(real_runner, process.pid)
    assert "theirs" not in server.command_line
    assert server.port is not None
    await loaded(server.port)
    handle = await real_runner.adopt(server)
    config = real_runner.describe(handle).config
    assert config is not None
    assert config.host == "0.0.0.0", "which others reach"
    assert real_runner.describe(handle).api_key == "theirs"
    facts = await facts_of(real_runner, handle)
    assert (facts.wants_key, facts.refused) == (True, False)
    assert [name for name, text in written_in(real.data_dir).items() if "theirs" in text] == []


@pytest.mark.llama
async def test_a_key_that_nobody_tells_leaves_the_server_healthy(real, real_runner, elsewhere: Elsewhere, tmp_path):  # noqa: F811
    keys = tmp_path / "keys"
    keys.write_text("nobody-tells\n")
    process = elsewhere.start("--api-key-file", str(keys))
    server = await found(real_runner, process.pid)
    assert server.port is not None
    await loaded(server.port)
    handle = await real_runner.adopt(server)
    facts = await facts_of(real_runner, handle)
    assert (facts.wants_key, facts.refused, facts.slots) == (True, True, None)
    assert real_runner.describe(handle).api_key is None
    assert (await real_runner.probe(handle, 2)).result is ProbeResult.OK
    assert (await real_runner.health(handle)).healthy
