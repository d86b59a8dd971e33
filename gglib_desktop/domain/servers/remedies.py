"""What one press can do about a failure."""

from __future__ import annotations

from enum import StrEnum

from gglib_desktop.domain.environment import ENGINE_VARIABLE
from gglib_desktop.domain.servers.failures import Failure, FailureCause
from gglib_desktop.domain.servers.router.kind import is_router
from gglib_desktop.domain.servers.server import ServerConfig

LEAST_CONTEXT = 2048
_USUAL_CONTEXT = 32768


class Remedy(StrEnum):
    """A change that may help, or a look at what happened."""

    USE_FREE_PORT = "use a free port"
    TURN_MTP_OFF = "turn MTP off"
    LOWER_CONTEXT = "lower the context"
    DROP_FLAGS = "start without extra flags"
    CHOOSE_ENGINE = "choose another engine"
    TRY_AGAIN = "try again"
    SHOW_LOG = "show log"


_BY_CAUSE = {
    FailureCause.PORT_TAKEN: (Remedy.USE_FREE_PORT,),
    FailureCause.MTP_LAYERS_MISSING: (Remedy.TURN_MTP_OFF,),
    FailureCause.OUT_OF_MEMORY: (Remedy.LOWER_CONTEXT,),
    FailureCause.KILLED: (Remedy.LOWER_CONTEXT,),
    FailureCause.STALLED: (Remedy.LOWER_CONTEXT,),
    FailureCause.UNKNOWN_FLAG: (Remedy.DROP_FLAGS, Remedy.CHOOSE_ENGINE),
    FailureCause.BAD_VALUE: (Remedy.DROP_FLAGS,),
    FailureCause.MODEL_UNREADABLE: (Remedy.CHOOSE_ENGINE,),
    FailureCause.MODEL_UNSUPPORTED: (Remedy.CHOOSE_ENGINE,),
    FailureCause.COMPANION_REFUSED: (Remedy.DROP_FLAGS, Remedy.CHOOSE_ENGINE),
    FailureCause.TEMPLATE_REFUSED: (Remedy.CHOOSE_ENGINE,),
    FailureCause.WRONG_PROCESSOR: (Remedy.CHOOSE_ENGINE,),
    FailureCause.WRONG_GRAPHICS: (Remedy.CHOOSE_ENGINE,),
    FailureCause.LIBRARY_MISSING: (Remedy.CHOOSE_ENGINE,),
    FailureCause.ENGINE_UNUSABLE: (Remedy.CHOOSE_ENGINE,),
}


def remedies_for(failure: Failure, config: ServerConfig) -> tuple[Remedy, ...]:
    """The remedies to offer, the most promising first."""
    # Files other than the model are named by the extra arguments.
    of_files = (Remedy.DROP_FLAGS,) if failure.file else ()
    possible = dict.fromkeys((*of_files, *_BY_CAUSE.get(failure.cause, ())))
    special = [remedy for remedy in possible if _makes_sense(remedy, failure, config)]
    look = [Remedy.SHOW_LOG] if failure.exit is not None or failure.cause is FailureCause.FROZEN else []
    return (*special, Remedy.TRY_AGAIN, *look)


def lower_context(config: ServerConfig, model_context: int | None) -> int:
    """Half of the requested context, else of the model's own; in tokens, at least ``LEAST_CONTEXT``."""
    return max(LEAST_CONTEXT, (config.context_size or model_context or _USUAL_CONTEXT) // 2)


def _makes_sense(remedy: Remedy, failure: Failure, config: ServerConfig) -> bool:
    match remedy:
        case Remedy.DROP_FLAGS | Remedy.LOWER_CONTEXT if is_router(config):
            return False  # these are its models' own
        case Remedy.DROP_FLAGS:
            return bool(config.extra_args)
        case Remedy.LOWER_CONTEXT:
            # The system itself kills for memory with this signal only.
            killed = failure.exit is not None and failure.exit.signal_number == 9
            may_be_memory = failure.cause is not FailureCause.KILLED or killed
            return may_be_memory and (config.context_size is None or config.context_size > LEAST_CONTEXT)
        case Remedy.TURN_MTP_OFF:
            return bool(config.spec_draft_n_max)
        case Remedy.CHOOSE_ENGINE:
            return ENGINE_VARIABLE not in failure.detail
        case _:
            return True
