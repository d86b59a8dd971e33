"""Words for launch options: labels, values, and inherited values with their origin."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from gglib_desktop.domain.launch.form import FieldState
from gglib_desktop.domain.launch.options import MtpChoice, MtpReason, Source
from gglib_desktop.domain.models.draft_files import DraftFile
from gglib_desktop.domain.options.definition import OptionSpec
from gglib_desktop.domain.options.engine_options import EngineOption, engine_option
from gglib_desktop.domain.options.text import write_text
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.domain.units import shortest, size_text
from gglib_desktop.views.words.errors import mtp_reason_text, sentence

translate = QCoreApplication.translate
_SHORT = 60
# They are not for the engine.
OWN_OPTIONS = ("mtp", "restart", "place", "rpc_workers")


def translated(text: str) -> str:
    """A definition's own English words, in the user's language."""
    return translate("Options", text) if text else ""


def source_text(source: Source, measured_at: float | None = None) -> str:
    """The layer that decides a value that a form leaves open."""
    if source is Source.MEASURED and measured_at is not None:
        return translate("Options", "measured on {date}").format(date=day_text(measured_at))
    return {
        Source.LAUNCH: translate("Options", "this start"),
        Source.MODEL: translate("Options", "this model"),
        Source.APP: translate("Options", "all models"),
        Source.MEASURED: translate("Options", "measured"),
        Source.BUILT_IN: translate("Options", "default"),
        Source.ENGINE: translate("Options", "engine"),
    }[source]


def draft_file_text(file: DraftFile) -> str:
    """What a file is that can draft."""
    head, model = translate("Options", "draft head ({method})"), translate("Options", "small model ({method})")
    what, size = head if file.is_head else model, "" if file.size_bytes is None else size_text(file.size_bytes)
    return ", ".join(part for part in (what.format(method=file.methods[0]), size) if part)


def day_text(at: float) -> str:
    """The day of a unix time: ``12 Nov``."""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(at)).date(), "d MMM")


def order_text(edited: Source) -> str:
    """Where values come from, in HTML; the layer that a form edits stands out."""
    words = {
        Source.BUILT_IN: translate("Options", "this program's default"),
        Source.ENGINE: translate("Options", "the engine's own default"),
    }
    said = {each: words.get(each) or source_text(each) for each in Source}
    layers = [f"<b>{text}</b>" if each is edited else text for each, text in said.items()]
    order = " › ".join(layers)
    return translate("Options", "A field left empty takes its value from the right: {order}").format(order=order)


def own_value_text(value: MtpChoice | RestartPolicy) -> str:
    """A value of an option that is not for the engine."""
    return {
        MtpChoice.AUTO: translate("Options", "Auto"),
        MtpChoice.ON: translate("Options", "On"),
        MtpChoice.OFF: translate("Options", "Off"),
        RestartPolicy.NEVER: translate("Options", "No"),
        RestartPolicy.ON_CRASH: translate("Options", "Yes"),
    }[value]


def restart_help() -> str:
    """What the choice of a restart after a crash means."""
    return translate("Options", "After 2, 10 and 30 seconds, and only if the cause may pass by itself")


def value_text(spec: OptionSpec | None, value: Any) -> str:
    """A value as its field shows it."""
    match value:
        case MtpChoice() | RestartPolicy():
            return own_value_text(value)
        case bool():
            return translate("Options", "on") if value else translate("Options", "off")
        case int():
            words = {number: word for word, number in spec.words.items()} if spec else {}
            return words.get(value) or QLocale().toString(value) if spec and spec.unit else words.get(value, str(value))
        case float():
            return shortest(value)
        case _:
            text = " ".join(write_text(value).split())
            return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def inherited_text(option: EngineOption | None, state: FieldState) -> str:
    """The value in force while a field is empty: ``32,768 (this model)``."""
    spec = option.spec if option is not None else None
    if state.inherited is not None:
        value = value_text(spec, state.inherited)
    elif option is not None and option.name == "port":
        return translate("Options", "Auto")
    elif spec is not None and spec.default is not None:
        value = translated(spec.default)
    elif spec is not None and not spec.flags:
        return translate("Options", "none")
    else:
        return translate("Options", "the engine decides")
    return f"{value} ({source_text(state.source, state.measured_at)})"


def inherited_entry(option: EngineOption | None, state: FieldState) -> str:
    """The entry of a list that leaves a choice to the layers below."""
    return translate("Options", "Inherited: {value}").format(value=inherited_text(option, state))


def disabled_text(reason: MtpReason | str) -> str:
    """Why a field would have no effect."""
    return mtp_reason_text(reason) if isinstance(reason, MtpReason) else sentence(reason)


def changed_text(name: str, field: FieldState) -> str:
    """What a server runs with, of a field that was changed since. Empty if it was not."""
    if not field.is_changed:
        return ""
    spec = None if name in OWN_OPTIONS else engine_option(name).spec
    if field.was is not None:
        was = value_text(spec, field.was)
    elif spec is not None and spec.default is not None:
        was = translated(spec.default)
    else:
        was = translate("Options", "not set")
    return translate("Options", "Changed, was {value}.").format(value=was)
