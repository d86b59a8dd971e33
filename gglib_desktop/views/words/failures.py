"""The texts about servers that failed, all in one place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.servers.failures import Absence, Failure, FailureCause, ModelPart
from gglib_desktop.domain.servers.states import Crashed, Failed
from gglib_desktop.views.words.errors import Words, choose_engine, exit_text, joined, sentence

translate = QCoreApplication.translate


def words_for_failure(failure: Failure, ended_word: str) -> Words:
    """What to say about a server that ended by itself. ``ended_word`` is its state's: Failed or Crashed."""
    ending = exit_text(failure.exit) if failure.exit is not None else ""
    return Words(joined(_failure_summary(failure, crashed=ended_word == Crashed.word), ending), _failure_hint(failure))


def words_for_rejected(failure: Failure, *, runs: bool, untouched: bool = False) -> Words:
    """What to say if new settings did not start. ``runs``: the previous ones are in force again.

    ``untouched``: they were never out of force, because the problem with the new ones was known before.
    """
    if untouched:
        summary = translate("Failures", "The new settings can't be used. The server still runs with the previous ones.")
    elif runs:
        summary = translate("Failures", "The server couldn't start with the new settings; the previous ones are back.")
    else:
        summary = translate("Failures", "The server couldn't start with the new settings; restoring the previous ones.")
    words = words_for_failure(failure, Failed.word)
    return Words(summary, joined(words.summary, words.hint, translate("Failures", "Your changes are kept.")))


def _failure_summary(failure: Failure, *, crashed: bool) -> str:
    match failure.cause:
        case FailureCause.CONFIGURATION | FailureCause.PORT_TAKEN if failure.exit is None and failure.detail:
            # Raised before a process was spawned: the detail names the value or the port's owner.
            return sentence(failure.detail)
        case FailureCause.UNKNOWN_FLAG if failure.flag:
            return translate("Failures", "This engine doesn't support {flag}.").format(flag=failure.flag)
        case FailureCause.MODEL_UNSUPPORTED:
            return _not_known(failure)
        case FailureCause.UNKNOWN if failure.exit is not None and failure.exit.absence is not Absence.NONE:
            return translate("Failures", "The server is no longer running.")
        case FailureCause.UNKNOWN if crashed:
            return translate("Failures", "The server crashed.")
        case FailureCause.UNKNOWN if failure.exit is None and failure.detail:
            return sentence(failure.detail)
        case FailureCause.OUT_OF_MEMORY if crashed:
            return translate("Failures", "The server ran out of memory.")
        case cause if failure.file and cause in (about_files := _sentences_about_files()):
            return about_files[cause].format(file=Path(failure.file).name)
    return _failure_sentences()[failure.cause]


def _not_known(failure: Failure) -> str:
    """The part of a model file that the engine does not know, in its own words."""
    if failure.unknown_part is None:
        return translate("Failures", "This engine doesn't know this kind of model file.")
    part, name = failure.unknown_part
    sentences = {
        ModelPart.ARCHITECTURE: translate("Failures", "This engine doesn't know the architecture “{name}”."),
        ModelPart.TOKENIZER: translate("Failures", "This engine doesn't know the tokenizer “{name}”."),
    }
    return sentences[part].format(name=name)


def _sentences_about_files() -> dict[FailureCause, str]:
    """Whether the engine blames another file than the model."""
    return {
        FailureCause.MODEL_MISSING: translate("Failures", "The engine can't open {file}."),
        FailureCause.MODEL_CORRUPT: translate("Failures", "{file} is damaged or incomplete."),
        FailureCause.MODEL_UNREADABLE: translate("Failures", "The engine can't read {file}."),
        FailureCause.COMPANION_REFUSED: translate("Failures", "The engine can't use {file} with this model."),
    }


def _failure_sentences() -> dict[FailureCause, str]:
    return {
        FailureCause.UNKNOWN_FLAG: translate("Failures", "This engine doesn't support one of the flags."),
        FailureCause.BAD_VALUE: translate("Failures", "The engine refused one of the settings."),
        FailureCause.MODEL_MISSING: translate("Failures", "The engine can't open the model file."),
        FailureCause.MODEL_CORRUPT: translate("Failures", "The model file is damaged or incomplete."),
        FailureCause.MODEL_UNREADABLE: translate("Failures", "The engine can't read the model file."),
        FailureCause.COMPANION_ALONE: translate("Failures", "This file is part of another model."),
        FailureCause.COMPANION_REFUSED: translate("Failures", "The engine can't use one of the files with this model."),
        FailureCause.TEMPLATE_REFUSED: translate("Failures", "The engine can't use the chat template."),
        FailureCause.MTP_LAYERS_MISSING: translate("Failures", "The engine found no MTP layers in this model."),
        FailureCause.PORT_TAKEN: translate("Failures", "Another program uses the port."),
        FailureCause.OUT_OF_MEMORY: translate("Failures", "There is not enough memory for this model."),
        FailureCause.LIBRARY_MISSING: translate("Failures", "The engine lacks a library that it needs."),
        FailureCause.WORKER_LOST: translate("Failures", "A worker of this server was lost."),
        FailureCause.WRONG_PROCESSOR: translate("Failures", "This engine is built for another processor."),
        FailureCause.WRONG_GRAPHICS: translate("Failures", "This engine is built for other graphics cards."),
        FailureCause.ENGINE_UNUSABLE: translate("Failures", "The engine cannot be run."),
        FailureCause.CONFIGURATION: translate("Failures", "The launch settings cannot be used as they are."),
        FailureCause.RUNNER_UNAVAILABLE: translate("Failures", "Can't start servers right now."),
        FailureCause.KILLED: translate("Failures", "Another process or the system killed the server."),
        FailureCause.STALLED: translate("Failures", "Loading stalled."),
        FailureCause.FROZEN: translate("Failures", "The server is running but not responding."),
        FailureCause.UNKNOWN: translate("Failures", "The server exited while starting."),
    }


def _failure_hint(failure: Failure) -> str:
    # The summary already says how the process ended.
    reason = "" if failure.exit is not None and str(failure.exit) in failure.detail else sentence(failure.detail)
    match failure.cause:
        case FailureCause.MODEL_CORRUPT if reason:
            # The file itself says so, so no other engine will read it.
            return joined(reason, translate("Failures", "Download the file again."))
        case FailureCause.MTP_LAYERS_MISSING | FailureCause.MODEL_UNREADABLE:
            return joined(reason, _failure_hints()[failure.cause])
        case FailureCause.ENGINE_UNUSABLE:
            return joined(reason, choose_engine(failure.detail))
        case FailureCause.MODEL_UNSUPPORTED if failure.file:
            file = translate("Failures", "The file is {file}.").format(file=Path(failure.file).name)
            return joined(file, _failure_hints()[failure.cause])
        case FailureCause.MODEL_MISSING if failure.file:
            return translate(
                "Failures", "The settings name it: {file}. Check that it is there and that you may read it."
            ).format(file=failure.file)
        case FailureCause.RUNNER_UNAVAILABLE | FailureCause.MODEL_MISSING if reason:
            return reason
        case FailureCause.FROZEN:
            return joined(reason, translate("Failures", "It may recover. Stop it if you don't want to wait."))
        case FailureCause.STALLED:
            return joined(reason, translate("Failures", "Start it again. The log shows how far it got."))
        case FailureCause.KILLED if failure.exit is not None and failure.exit.signal_number == 9:
            return translate(
                "Failures",
                "If you didn't do this, the system may have run out of memory. Restart it with a smaller context.",
            )
    return _failure_hints()[failure.cause]


def _failure_hints() -> dict[FailureCause, str]:
    look = translate("Failures", "Check the last log lines for the cause.")
    return {
        FailureCause.UNKNOWN_FLAG: translate("Failures", "Remove the flag or choose another engine."),
        FailureCause.BAD_VALUE: translate("Failures", "The lines below name it. Change it and start again."),
        FailureCause.MODEL_MISSING: translate(
            "Failures", "Check that the file is still there and that you may read it."
        ),
        FailureCause.MODEL_CORRUPT: translate("Failures", "Download the file again."),
        FailureCause.MODEL_UNREADABLE: translate("Failures", "Another engine may be able to: choose one in Settings."),
        FailureCause.MODEL_UNSUPPORTED: translate("Failures", "Choose a newer engine in Settings."),
        FailureCause.COMPANION_ALONE: translate("Failures", "It reads images or sound. Start the model it belongs to."),
        FailureCause.COMPANION_REFUSED: translate(
            "Failures", "Remove it from the settings, or use the one that was made for this model."
        ),
        FailureCause.TEMPLATE_REFUSED: translate("Failures", "Set another chat template, or choose another engine."),
        FailureCause.MTP_LAYERS_MISSING: translate(
            "Failures", "Set Speculative decoding (MTP) to Auto or Off and start again."
        ),
        FailureCause.PORT_TAKEN: translate("Failures", "Choose another port, or Auto for one that is free."),
        FailureCause.OUT_OF_MEMORY: translate(
            "Failures", "Lower the context size, stop other servers, or use a smaller model."
        ),
        FailureCause.LIBRARY_MISSING: translate(
            "Failures", "The lines below name it. Install it, or choose another engine in Settings."
        ),
        FailureCause.WORKER_LOST: translate(
            "Failures", "Part of the model was on another computer. Start the worker there first, then this server."
        ),
        FailureCause.WRONG_PROCESSOR: translate(
            "Failures", "It uses an instruction that this computer doesn't have. Choose another engine in Settings."
        ),
        FailureCause.WRONG_GRAPHICS: translate(
            "Failures", "Update the driver of this computer's card, or choose another engine in Settings."
        ),
        FailureCause.CONFIGURATION: translate("Failures", "Change the value and start again."),
        FailureCause.RUNNER_UNAVAILABLE: translate("Failures", "Try again."),
        FailureCause.KILLED: translate("Failures", "Start it again."),
        FailureCause.UNKNOWN: look,
    }
