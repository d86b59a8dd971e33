"""The texts about questions to a model that got no answer."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.errors import (
    AnswerCut,
    ChatError,
    ChatRefused,
    KeyRefused,
    NoAnswer,
    NoSuchModel,
    PicturesRefused,
    PictureUnusable,
    PromptTooLong,
)

translate = QCoreApplication.translate


def chat_error_texts(error: ChatError | PictureUnusable) -> tuple[str, str]:
    """What is wrong in one sentence, and a hint; empty where the error's own words say all."""
    match error:
        case NoAnswer():
            return (
                translate("Errors", "The server did not answer: it ended, or it closed the connection."),
                translate("Errors", "If the server still runs, send the message again."),
            )
        case AnswerCut():
            return (
                translate("Errors", "The answer broke off: the connection to the server ended."),
                translate("Errors", "If the server still runs, answer again with Regenerate."),
            )
        case ChatRefused():
            return _refusal_texts(error)
        case PictureUnusable():
            return translate("Errors", "{name} cannot be sent as an image.").format(name=error.name), error.reason
        case _:
            return translate("Errors", "The server did not answer."), ""


def _refusal_texts(error: ChatRefused) -> tuple[str, str]:
    match error:
        case PromptTooLong():
            return (
                translate("Errors", "This is too long: {tokens} tokens, and the context has {limit}.").format(
                    tokens=error.tokens, limit=error.limit
                ),
                translate("Errors", "Clear the chat, shorten the message, or restart with a larger context."),
            )
        case PicturesRefused():
            return (
                translate("Errors", "This model takes no images."),
                translate("Errors", "A model that takes them needs its mmproj file; remove the image."),
            )
        case KeyRefused():
            return (
                translate("Errors", "The server wants a key that is not known here."),
                translate(
                    "Errors",
                    "Restart one of this program, so that it takes its key. Add an endpoint again, with its key.",
                ),
            )
        case NoSuchModel():
            return (
                translate("Errors", "The server has no such model."),
                translate("Errors", "It says: {reason}").format(reason=error.reason),
            )
        case _:
            return translate("Errors", "The server did not answer."), ""
