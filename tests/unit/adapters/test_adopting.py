"""What is written down of a server that another program started."""

from dataclasses import replace
from pathlib import Path

from gglib_desktop.adapters.runner.adopting import record_of
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.foreign import ForeignServer
from tests.fakes.parrot_driver import ParrotDriver


class SilentDriver(ParrotDriver):
    async def facts(self, *_: object) -> None:
        """It tells nothing."""

    async def names(self, _server: ServerAddress) -> tuple[str, ...]:
        return ()


async def test_a_server_that_tells_no_model_is_called_as_its_program():
    driver = SilentDriver(Path("/opt/parrot"))
    server = ForeignServer(4711, "id", 9000, None, "parrot run", 1, None, 1)
    address = ServerAddress(9000)
    record = await record_of(driver, server, address, model_id=None, model_name=None)
    assert record.config.model_name == "parrot"
    known = replace(server, model_path=Path("/m/polly.gguf"))
    record = await record_of(driver, known, address, model_id=None, model_name=None)
    assert record.config.model_name == "polly"
    await driver.aclose()
