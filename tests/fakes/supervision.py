"""The common part of tests of supervised servers: who hears of bugs, and what a supervisor told."""

from typing import Any, cast

from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import ServerState, handle_of
from gglib_desktop.ports.servers.process_runner import ProcessRunner
from gglib_desktop.ports.servers.server_monitor import ServerMonitor
from gglib_desktop.services.servers.snapshot import ServerChanged, SupervisorEvent
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.waiting import poll, reasons_told


class KeptBugs:
    """Keeps reports, for the test to look at; none is expected."""

    def __init__(self) -> None:
        self.bugs: list[BaseException] = []

    def report(self, error: BaseException, context: str) -> None:
        self.bugs.append(error)


def no_servers() -> Supervisor:
    """For code that only asks a supervisor which servers there are."""
    return Supervisor(cast(ProcessRunner, None), cast(ServerMonitor, None), KeptBugs())


class Story:
    """Everything that a supervisor told, in order."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.events: list[SupervisorEvent] = []
        supervisor.subscribe(self.events.append)

    def states(self, server_id: int) -> list[ServerState]:
        return [e.snapshot.state for e in self.events if isinstance(e, ServerChanged) and e.snapshot.id == server_id]

    def words(self, server_id: int) -> list[str]:
        """The words of a server's states, without repetitions of the same word in a row."""
        words: list[str] = []
        for state in self.states(server_id):
            if not words or words[-1] != state.word:
                words.append(state.word)
        return words

    def state(self, server_id: int) -> ServerState:
        return self.supervisor.server(server_id).state

    async def reaches(self, server_id: int, word: str, *, explained: bool = True) -> Any:
        """Returns the state with this word once it is reached; by default, an end only with its reason."""

        def there() -> bool:
            return self.state(server_id).word == word

        await poll(there)
        if explained:
            await reasons_told()
        return self.state(server_id)

    async def reaches_again(self, server_id: int, word: str, times: int = 2) -> None:
        """Returns when the server has had a state with this word twice, or as often as given."""
        await poll(lambda: self.words(server_id).count(word) >= times)

    def handle(self, server_id: int) -> ProcessHandle:
        handle = handle_of(self.state(server_id))
        assert handle is not None
        return handle
