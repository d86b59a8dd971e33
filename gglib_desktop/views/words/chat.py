"""The texts about questions to a model that got no answer."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.errors import (
    AnswerCut,
    ChatError,
    KeyRefused,
    NoAnswer,
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
                translate("Errors", "Restart it from here, so that it takes the key of this program."),
            )
        case PictureUnusable():
            return translate("Errors", "{name} cannot be sent as an image.").format(name=error.name), error.reason
        case _:
            return translate("Errors", "The server did not answer."), ""
