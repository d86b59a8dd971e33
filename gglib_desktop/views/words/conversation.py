"""The texts about a chat: how fast an answer came, how it ended, and why nothing can be asked."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gglib_desktop.viewmodels.servers.chat.chat import Obstacle
from gglib_desktop.viewmodels.servers.chat.turns import AnswerStats, Ending, Turn

translate = QCoreApplication.translate


def obstacle_text(obstacle: Obstacle | None) -> str:
    """Why nothing can be sent."""
    match obstacle:
        case None:
            return ""
        case Obstacle.LOADING:
            return translate("Chat", "The model is loading.")
        case Obstacle.NOT_RUNNING:
            return translate("Chat", "The server is not running. The conversation stays until the panel is dismissed.")
        case Obstacle.NO_CHATS:
            return translate("Chat", "This engine cannot chat.")
        case Obstacle.UNREACHABLE:
            return translate("Chat", "The endpoint cannot be reached.")
        case Obstacle.NO_MODELS:
            return translate("Chat", "The endpoint lists no models.")


def stats_text(stats: AnswerStats) -> str:
    """How fast an answer came: ``41.8 tokens per second, first token 0.21 s``."""
    speed = translate("Chat", "speed not known")
    if stats.speed is not None:
        speed = translate("Chat", "{speed} tokens per second").format(speed=_figure(stats.speed))
    first = translate("Chat", "first token not known")
    if stats.first_token_s is not None:
        first = translate("Chat", "first token {time} s").format(time=f"{stats.first_token_s:.2f}")
    return f"{speed}, {first}"


def drafts_text(stats: AnswerStats) -> str:
    """The accepted share of the drafts; empty where nothing was drafted."""
    if stats.accepted is None:
        return ""
    return translate("Chat", "{share} % of the drafts accepted").format(share=round(100 * stats.accepted))


def turn_note(turn: Turn) -> str:
    """What is said below a question or an answer."""
    if turn.attached:
        return translate("Chat", "Images: {names}").format(names=", ".join(each.name for each in turn.attached))
    if turn.ending is None:
        return ""
    ending = {
        Ending.COMPLETE: "",
        Ending.LIMIT: translate("Chat", "ended because the context or the limit of tokens was full"),
        Ending.STOPPED: translate("Chat", "stopped"),
        Ending.CUT: translate("Chat", "broken off"),
    }[turn.ending]
    return " · ".join(part for part in (stats_text(turn.stats), drafts_text(turn.stats), ending) if part)


def _figure(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"
