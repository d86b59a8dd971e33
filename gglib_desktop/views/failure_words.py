"""What people read about a server that failed: the one place where the causes get words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.failures import Failure, FailureCause, unknown_flag
from gglib_desktop.domain.states import Crashed, Failed
from gglib_desktop.views.wording import Words, choose_engine, exit_text, joined, sentence

translate = QCoreApplication.translate


def words_for_failure(failure: Failure, ended_word: str) -> Words:
    """What to tell people about a server that ended by itself. ``ended_word`` is its state's: Failed or Crashed."""
    ending = exit_text(failure.exit) if failure.exit is not None else ""
    return Words(joined(_failure_summary(failure, crashed=ended_word == Crashed.word), ending), _failure_hint(failure))


def words_for_rejected(failure: Failure, *, runs: bool) -> Words:
    """What to tell people whose new settings did not start. ``runs``: the previous ones are in force again already."""
    if runs:
        summary = translate("Failures", "The new settings did not start. The previous ones run again.")
    else:
        summary = translate("Failures", "The new settings did not start. The previous ones are being started again.")
    words = words_for_failure(failure, Failed.word)
    return Words(
        summary, joined(words.summary, words.hint, translate("Failures", "The form below keeps what you entered."))
    )


def _failure_summary(failure: Failure, *, crashed: bool) -> str:
    match failure.cause:
        case FailureCause.CONFIGURATION | FailureCause.PORT_TAKEN if failure.exit is None and failure.detail:
            # Raised before a process was spawned: the detail names the value or the port's owner.
            return sentence(failure.detail)
        case FailureCause.UNKNOWN_FLAG if flag := unknown_flag(failure):
            return translate("Failures", "This engine does not know the flag {flag}.").format(flag=flag)
        case FailureCause.KILLED:
            return translate("Failures", "Something else on this computer ended the server.")
        case FailureCause.UNKNOWN if crashed:
            return translate("Failures", "The server ended unexpectedly.")
        case FailureCause.UNKNOWN if failure.exit is None and failure.detail:
            return sentence(failure.detail)
        case FailureCause.OUT_OF_MEMORY if crashed:
            return translate("Failures", "The server ran out of memory.")
    return _failure_sentences()[failure.cause]


def _failure_sentences() -> dict[FailureCause, str]:
    return {
        FailureCause.UNKNOWN_FLAG: translate("Failures", "This engine does not know one of the flags."),
        FailureCause.BAD_VALUE: translate("Failures", "The engine refused the value of a flag."),
        FailureCause.MODEL_MISSING: translate("Failures", "The model file cannot be opened."),
        FailureCause.MODEL_CORRUPT: translate("Failures", "The engine cannot read the model file."),
        FailureCause.ARCHITECTURE_UNSUPPORTED: translate(
            "Failures", "This engine does not know the model's architecture."
        ),
        FailureCause.MTP_LAYERS_MISSING: translate("Failures", "The engine found no MTP layers in this model."),
        FailureCause.PORT_TAKEN: translate("Failures", "Another program uses the port."),
        FailureCause.OUT_OF_MEMORY: translate("Failures", "There is not enough memory for this model."),
        FailureCause.LIBRARY_MISSING: translate("Failures", "The engine lacks a library that it needs."),
        FailureCause.ENGINE_UNUSABLE: translate("Failures", "The engine cannot be run."),
        FailureCause.CONFIGURATION: translate("Failures", "The launch settings cannot be used as they are."),
        FailureCause.RUNNER_UNAVAILABLE: translate("Failures", "Servers cannot be started now."),
        FailureCause.KILLED: translate("Failures", "Something else on this computer ended the server."),
        FailureCause.STALLED: translate("Failures", "The server stopped making progress before it was ready."),
        FailureCause.FROZEN: translate("Failures", "The server runs but does not answer."),
        FailureCause.UNKNOWN: translate("Failures", "The server ended before it was ready."),
    }


def _failure_hint(failure: Failure) -> str:
    # The end itself is said already.
    reason = "" if failure.exit is not None and str(failure.exit) in failure.detail else sentence(failure.detail)
    match failure.cause:
        case FailureCause.MODEL_CORRUPT if reason:
            # The file itself told, so that no other engine will read it.
            return joined(reason, translate("Failures", "Download the file again."))
        case FailureCause.MTP_LAYERS_MISSING:
            return joined(reason, _failure_hints()[failure.cause])
        case FailureCause.ENGINE_UNUSABLE:
            return joined(reason, choose_engine(failure.detail))
        case FailureCause.RUNNER_UNAVAILABLE | FailureCause.MODEL_MISSING if reason:
            return reason
        case FailureCause.FROZEN:
            return joined(reason, translate("Failures", "It may come back by itself; stop it if you will not wait."))
        case FailureCause.STALLED:
            return joined(reason, translate("Failures", "Start it again; the log shows how far it came."))
        case FailureCause.KILLED if failure.exit is not None and failure.exit.signal_number == 9:
            return translate(
                "Failures",
                "If nobody did that, the system may have run out of memory. Start it again, or lower the context size.",
            )
    return _failure_hints()[failure.cause]


def _failure_hints() -> dict[FailureCause, str]:
    look = translate("Failures", "The last lines of the log may say why. Start it again, or open the log.")
    return {
        FailureCause.UNKNOWN_FLAG: translate("Failures", "Choose another engine, or remove the flag."),
        FailureCause.BAD_VALUE: translate(
            "Failures", "The lines below name the flag. Change its value and start again."
        ),
        FailureCause.MODEL_MISSING: translate(
            "Failures", "Check that the file is still there and that you may read it."
        ),
        FailureCause.MODEL_CORRUPT: translate(
            "Failures", "The file may be incomplete or damaged; download it again. A newer engine may read it too."
        ),
        FailureCause.ARCHITECTURE_UNSUPPORTED: translate("Failures", "Choose a newer engine in Settings."),
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
        FailureCause.CONFIGURATION: translate("Failures", "Change the value and start again."),
        FailureCause.RUNNER_UNAVAILABLE: translate("Failures", "Try again."),
        FailureCause.KILLED: translate("Failures", "Start it again."),
        FailureCause.UNKNOWN: look,
    }
