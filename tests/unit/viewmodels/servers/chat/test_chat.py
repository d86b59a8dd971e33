"""A conversation: what is sent, what is shown of an answer and when, and what stays when there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from gglib_desktop.domain.errors import AnswerCut, ChatError, PictureUnusable, PromptTooLong
from gglib_desktop.domain.servers.failures import ServerExit
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import Healthy, Loading, Stopped, Stopping
from gglib_desktop.domain.traffic.chat import (
    AnswerEnd,
    AnswerFigures,
    AnswerText,
    ChatMessage,
    ChatPiece,
    ChatRequest,
    Picture,
    PromptRead,
    Role,
)
from gglib_desktop.viewmodels.servers.chat.chat import ChatViewModel, Obstacle
from gglib_desktop.viewmodels.servers.chat.turns import AnswerStats, Attachment, Ending, Turn
from tests.fakes.chats import ScriptedChats
from tests.fakes.clock_loop import time_passes
from tests.fakes.waiting import poll

pytestmark = pytest.mark.jumping_clock

HANDLE = ProcessHandle(1, "Tiny", 4711, 9000, 0)
CAT = Picture(b"meow", "image/png")
FIGURES = AnswerFigures(2, 40.0, 4, 3)
HELLO: list[ChatPiece | float] = [
    PromptRead(10, 20),
    0.2,
    AnswerText("He"),
    AnswerText("llo"),
    AnswerFigures(2, 40.0, 4, 3),
    AnswerEnd.COMPLETE,
]


def panel(state: object, handle: ProcessHandle | None = HANDLE) -> Any:
    return SimpleNamespace(state=state, handle=handle, is_router=False)


HEALTHY, LOADING = panel(Healthy(HANDLE)), panel(Loading(HANDLE, 0.0))
STOPPING = panel(Stopping(HANDLE, 0.0, 5.0))
STOPPED = panel(Stopped(0.0, ServerExit(0)), None)


@dataclass
class Bench:
    """A chat over a scripted server, and all that its signals told."""

    chat: ChatViewModel
    server: ScriptedChats | None
    told: list[object] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)

    async def over(self) -> None:
        await poll(lambda: not self.chat.state.is_answering)

    def texts(self) -> list[str]:
        return [turn.text for turn in self.chat.conversation.turns]


@pytest.fixture
def bench(scope) -> Bench:
    server = ScriptedChats(list(HELLO))
    made = Bench(ChatViewModel(scope, lambda: made.server), server)
    said = made.chat.conversation
    for signal in (said.turnAdded, said.grown, said.turnEnded, said.turnsDropped):
        signal.connect(made.told.append)
    made.chat.draftChanged.connect(made.drafts.append)
    made.chat.show(HEALTHY)
    return made


# -- answers


async def test_a_question_and_its_answer(bench):
    bench.chat.system = " Be brief. "
    bench.chat.send(" Hello? \n")
    assert bench.chat.state.is_answering
    await bench.over()
    assert bench.server.asked == [ChatRequest((ChatMessage(Role.USER, "Hello?"),), "Be brief.")]
    question = Turn(Role.USER, "Hello?")
    stats = AnswerStats(speed=40.0, first_token_s=0.2, accepted=0.75)
    answer = Turn(Role.ASSISTANT, "Hello", ending=Ending.COMPLETE, stats=stats)
    assert bench.told == [question, Turn(Role.ASSISTANT), AnswerText("Hello"), answer]
    assert bench.chat.conversation.turns == (question, answer)
    assert (bench.chat.state.stats, bench.chat.state.problem) == (stats, None)
    assert bench.chat.conversation.last_answer == "Hello"


async def test_what_was_said_before_is_sent_with_the_next_question(bench):
    for text in ("Hello?", "And?"):
        bench.chat.send(text)
        await bench.over()
    assert [message.text for message in bench.server.asked[1].messages] == ["Hello?", "Hello", "And?"]


async def test_text_that_comes_fast_is_shown_at_most_every_so_often(bench):
    bench.server.pieces = [piece for _ in range(1000) for piece in (AnswerText("x" * 100), 0.001)]
    bench.server.pieces.append(AnswerEnd.COMPLETE)
    bench.chat.send("Hello?")
    await bench.over()
    grown = [piece for piece in bench.told if isinstance(piece, AnswerText)]
    assert 10 <= len(grown) <= 20
    assert len(bench.chat.conversation.turns[-1].text) == 100_000


async def test_progress_is_shown_until_the_answer_begins(bench):
    seen = []
    bench.chat.stateChanged.connect(lambda state: seen.append(state.progress))
    bench.chat.send("Hello?")
    await bench.over()
    assert PromptRead(10, 20) in seen
    assert seen[-1] is None


async def test_reasoning_is_kept_and_not_sent(bench):
    bench.server.pieces = [AnswerText("", "Well"), AnswerText("Yes"), AnswerEnd.COMPLETE]
    bench.chat.send("Hello?")
    await bench.over()
    assert bench.chat.conversation.turns[-1].reasoning == "Well"
    bench.chat.send("And?")
    await bench.over()
    assert bench.server.asked[-1].messages[1] == ChatMessage(Role.ASSISTANT, "Yes")


async def test_an_answer_of_nothing_is_one(bench):
    bench.server.pieces = [AnswerEnd.COMPLETE]
    bench.chat.send("Hello?")
    await bench.over()
    assert bench.texts() == ["Hello?", ""]


async def test_a_full_context_is_told(bench):
    bench.server.pieces = [AnswerText("Hel"), AnswerEnd.LIMIT]
    bench.chat.send("Hello?")
    await bench.over()
    assert bench.chat.conversation.turns[-1].ending is Ending.LIMIT


async def test_a_view_that_comes_late_sees_what_the_signals_told(bench):
    bench.server.pieces, bench.server.holds = [AnswerText("Hel"), 1.0, AnswerText("lo")], True
    bench.chat.send("Hello?")
    await time_passes(0.5)
    assert bench.texts() == ["Hello?", "Hel"]
    await time_passes(0.51)
    assert bench.texts() == ["Hello?", "Hel"]
    await time_passes(0.1)
    assert bench.texts() == ["Hello?", "Hello"]
    bench.chat.stop()
    await bench.over()


# -- answers that fail, or are stopped


async def test_a_stopped_answer_stays_as_far_as_it_came(bench):
    bench.server.pieces, bench.server.holds = [AnswerText("Hel"), AnswerFigures(3, 20.0)], True
    bench.chat.send("Hello?")
    await time_passes(0.01)
    bench.chat.stop()
    await bench.over()
    assert bench.server.closed == 1
    answer = bench.chat.conversation.turns[-1]
    assert (answer.text, answer.ending, answer.stats.speed) == ("Hel", Ending.STOPPED, 20.0)
    assert bench.chat.state.problem is None


async def test_a_server_that_ends_in_mid_answer(bench):
    bench.server.pieces, bench.server.error = [AnswerText("Hel")], AnswerCut("ended")
    bench.chat.send("Hello?")
    await bench.over()
    assert (bench.chat.conversation.turns[-1].text, bench.chat.conversation.turns[-1].ending) == ("Hel", Ending.CUT)
    assert bench.chat.state.problem is bench.server.error


async def test_a_refused_question_is_given_back(bench):
    bench.server.pieces, bench.server.error = [], PromptTooLong("too long", 9, 8)
    bench.chat.attach("cat.png", lambda: CAT)
    await poll(lambda: bench.chat.state.attached)
    bench.chat.send("Hello?")
    assert (bench.drafts, bench.chat.state.attached) == ([""], ())
    bench.chat.draft = "And another thing"
    await bench.over()
    assert bench.chat.conversation.turns == ()
    assert bench.chat.draft == bench.drafts[-1] == "Hello?\n\nAnd another thing"
    assert bench.chat.state.attached == (Attachment("cat.png", CAT),)
    assert bench.chat.state.problem is bench.server.error
    assert bench.told[-1] == 0


async def test_a_question_that_is_stopped_before_any_answer_is_given_back(bench):
    bench.server.pieces, bench.server.holds = [PromptRead(1, 20)], True
    bench.chat.send("Hello?")
    await time_passes(1)
    bench.chat.stop()
    await bench.over()
    assert (bench.chat.conversation.turns, bench.chat.draft, bench.chat.state.problem) == ((), "Hello?", None)


async def test_a_question_that_is_stopped_at_once_is_given_back(bench):
    bench.chat.send("Hello?")
    bench.chat.stop()
    await bench.over()
    assert (bench.chat.conversation.turns, bench.chat.draft, bench.server.asked) == ((), "Hello?", [])


async def test_stopping_the_server_stops_the_answer(bench):
    bench.server.pieces, bench.server.holds = [AnswerText("Hel")], True
    bench.chat.send("Hello?")
    await time_passes(0.1)
    bench.chat.show(STOPPING)
    await bench.over()
    assert bench.chat.conversation.turns[-1].ending is Ending.STOPPED


async def test_a_bug_of_ours_is_reported_and_ends_the_answer(bench, bugs):
    bench.server.pieces, bench.server.error = [AnswerText("Hel")], ZeroDivisionError()
    bench.chat.send("Hello?")
    await bench.over()
    assert bench.chat.conversation.turns[-1].ending is Ending.CUT
    assert isinstance(bugs.bugs.pop(), ZeroDivisionError)


# -- again, and from the beginning


async def test_regenerate_replaces_the_last_answer(bench):
    bench.chat.send("Hello?")
    await bench.over()
    bench.server.pieces = [AnswerText("Hi"), AnswerEnd.COMPLETE]
    bench.chat.regenerate()
    await bench.over()
    assert bench.texts() == ["Hello?", "Hi"]
    assert [message.text for message in bench.server.asked[1].messages] == ["Hello?"]
    assert 1 in bench.told


async def test_regenerate_without_success_keeps_the_question(bench):
    bench.chat.send("Hello?")
    await bench.over()
    bench.server.pieces, bench.server.error = [], ChatError("no")
    bench.chat.regenerate()
    await bench.over()
    assert (bench.texts(), bench.chat.draft) == (["Hello?"], "")
    bench.server.pieces, bench.server.error = list(HELLO), None
    bench.chat.regenerate()
    await bench.over()
    assert bench.texts() == ["Hello?", "Hello"]


async def test_clear_forgets_all_but_what_is_typed(bench):
    bench.chat.send("Hello?")
    await bench.over()
    bench.chat.draft = "And?"
    bench.chat.clear()
    assert (bench.chat.conversation.turns, bench.chat.state.stats, bench.chat.draft) == ((), None, "And?")
    assert bench.chat.state.is_empty
    bench.chat.regenerate()
    assert not bench.chat.state.is_answering


async def test_the_conversation_outlives_its_server(bench):
    bench.chat.send("Hello?")
    await bench.over()
    bench.chat.show(STOPPED)
    assert (bench.texts(), bench.chat.state.can_send) == (["Hello?", "Hello"], False)
    bench.chat.send("And?")
    bench.chat.show(LOADING)
    assert bench.chat.state.obstacle is Obstacle.LOADING
    bench.chat.show(HEALTHY)
    bench.chat.send("And?")
    await bench.over()
    assert len(bench.server.asked[-1].messages) == 3


# -- what can be sent


@pytest.mark.parametrize(
    ("state", "obstacle"),
    [
        (HEALTHY, None),
        (LOADING, Obstacle.LOADING),
        (STOPPING, Obstacle.NOT_RUNNING),
        (STOPPED, Obstacle.NOT_RUNNING),
    ],
)
async def test_why_nothing_can_be_sent(bench, state, obstacle):
    bench.chat.show(state)
    assert bench.chat.state.obstacle is obstacle


async def test_an_engine_without_chats(bench):
    bench.server = None
    bench.chat.show(HEALTHY)
    assert bench.chat.state.obstacle is Obstacle.NO_CHATS


async def test_an_engine_that_has_lost_its_chats_refuses(bench):
    bench.server = None
    bench.chat.send("Hello?")
    await bench.over()
    assert isinstance(bench.chat.state.problem, ChatError)
    assert bench.chat.draft == "Hello?"


async def test_nothing_is_no_question(bench):
    bench.chat.send(" \n ")
    assert not bench.chat.state.is_answering
    bench.chat.send("Hello?")
    bench.chat.send("Too soon")
    bench.chat.clear()
    await bench.over()
    assert bench.texts() == ["Hello?", "Hello"]


# -- images


def refuse() -> Picture:
    raise PictureUnusable("cat.txt", "it is no image")


async def attached(chat: ChatViewModel, name: str, read: Callable[[], Picture]) -> None:
    chat.attach(name, read)
    await poll(lambda: chat.state.problem or any(each.name == name for each in chat.state.attached))


async def test_images_go_with_the_next_question_only(bench):
    await attached(bench.chat, "cat.png", lambda: CAT)
    await attached(bench.chat, "dog.png", lambda: CAT)
    bench.chat.detach(0)
    bench.chat.send("")
    await bench.over()
    assert bench.server.asked[0].messages == (ChatMessage(Role.USER, "", (CAT,)),)
    assert bench.chat.conversation.turns[0].attached == (Attachment("dog.png", CAT),)
    assert bench.chat.state.attached == ()


async def test_a_file_that_is_no_image_is_told(bench):
    await attached(bench.chat, "cat.txt", refuse)
    assert isinstance(bench.chat.state.problem, PictureUnusable)
