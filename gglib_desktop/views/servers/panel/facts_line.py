"""The line of a panel with what is known about its server."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.gguf.forecast import ByteRange
from gglib_desktop.domain.options.engine_options import DRAFT_MTP
from gglib_desktop.domain.servers.states import Stopped
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.words.states import stopped_text

translate = QCoreApplication.translate


def facts_text(state: ServerPanelState) -> str:
    """Facts one after the other; of a server that was stopped, when and by whom."""
    if isinstance(state.state, Stopped):
        return stopped_text(state.state)
    parts = []
    if state.refuses_us:
        parts.append(translate("ServerPanel", "it wants a key that is not known here, so little is known of it"))
    if state.context_size is not None:
        parts.append(translate("ServerPanel", "ctx {tokens}").format(tokens=state.context_size))
    if state.slots is not None:
        parts.append(translate("ServerPanel", "{count} slots").format(count=state.slots))
    if state.rss_bytes is not None:
        parts.append(_memory_text(state.rss_bytes, state.forecast))
    if state.handle is None and state.context_size is None:
        return ""
    parts.append(_drafting_text(state))
    if state.lacks_template:
        parts.append(translate("ServerPanel", "no chat template: the engine uses ChatML, chat answers may be poor"))
    if state.adopted:
        parts.append(translate("ServerPanel", "taken over while it ran"))
    return " · ".join(parts)


def _drafting_text(state: ServerPanelState) -> str:
    """The requested number, or the observed one if drafting is not the program's own choice."""
    if state.draft_tokens:
        text = translate("ServerPanel", "MTP drafts {count}, p ≥ {least}")
        return text.format(count=state.draft_tokens, least=f"{state.min_probability or 0:g}")
    if not state.drafts:
        return translate("ServerPanel", "no MTP drafting")
    if DRAFT_MTP in state.draft_types:
        return translate("ServerPanel", "it drafts with MTP")
    if state.draft_types:
        return translate("ServerPanel", "it drafts: {methods}").format(methods=", ".join(sorted(state.draft_types)))
    return translate("ServerPanel", "it drafts")


def _memory_text(rss_bytes: int, forecast: ByteRange | None) -> str:
    text = translate("ServerPanel", "RAM {size}").format(size=size_text(rss_bytes))
    if forecast is None:
        return text
    low, high = size_text(forecast.low), size_text(forecast.high)
    return translate("ServerPanel", "{measured} (forecast {low} to {high})").format(measured=text, low=low, high=high)
