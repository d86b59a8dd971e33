"""The texts about the settings file: its problems, and its changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.documents.settings_document import Key, SettingsNews, UnknownKey, value_text
from gglib_desktop.domain.errors import InvalidSettings, SettingProblem, SettingsEffect

translate = QCoreApplication.translate
_MOST = 3


def invalid_settings_texts(error: InvalidSettings) -> tuple[str, str]:
    """What the error means for the settings in force, and where it is in the file."""
    summary = {
        SettingsEffect.LAST_GOOD: translate(
            "Settings", "The settings file has an error. The last good settings stay in force."
        ),
        SettingsEffect.OTHERS_COUNT: translate(
            "Settings", "The settings file has values that cannot be used. Their defaults count, and all else in it."
        ),
        SettingsEffect.DEFAULTS: translate(
            "Settings", "The settings file cannot be used. Until it is mended, all settings have their defaults."
        ),
        SettingsEffect.LEFT_OUT: translate(
            "Settings", "The settings file has places or endpoints with an error, which are not used. All else counts."
        ),
        SettingsEffect.NOT_SAVED: translate(
            "Settings", "Not saved: the settings file has an error, which has to be mended there first."
        ),
    }[error.effect]
    problems = _some([_problem_text(problem) for problem in error.problems], "; ")
    problems = problems[0].upper() + problems[1:]
    return summary, translate("Settings", "{problems} ({path})").format(problems=problems, path=error.path)


def settings_news_text(news: SettingsNews) -> str:
    """One line of news about the settings file."""
    parts = []
    if news.error is not None:
        parts.append(" ".join(invalid_settings_texts(news.error)))
    if news.mended:
        parts.append(translate("Settings", "The settings file is in order again."))
    if news.changed:
        changes = _some([_change_text(key, value) for key, value in news.changed.items()], ", ")
        parts.append(translate("Settings", "In force now, from the settings file: {changes}.").format(changes=changes))
    if news.unknown:
        keys = _some([unknown_text(key) for key in news.unknown], "; ")
        text = translate("Settings", "The settings file has keys that this version does not know and keeps: {keys}.")
        parts.append(text.format(keys=keys))
    return " ".join(parts)


def _problem_text(problem: SettingProblem) -> str:
    reason = problem.reason
    if problem.value:
        reason = translate("Settings", "{reason}, not “{value}”").format(reason=reason, value=problem.value)
    if problem.key:
        reason = f"{problem.key} {reason}"
    return _at_line(problem.line, reason)


def unknown_text(unknown: UnknownKey) -> str:
    """The line of an unknown key, and the key that was perhaps meant."""
    text = unknown.key
    if unknown.nearest is not None:
        text = translate("Settings", "{key} (is {nearest} meant?)").format(key=text, nearest=unknown.nearest)
    return _at_line(unknown.line, text)


def _at_line(line: int | None, text: str) -> str:
    return text if line is None else translate("Settings", "line {line}: {text}").format(line=line, text=text)


def _change_text(key: Key, value: Any) -> str:
    name = ".".join(key)
    if value is None:
        return translate("Settings", "{name} taken back").format(name=name)
    return f"{name} = {value_text(value)}"


def _some(texts: Sequence[str], between: str) -> str:
    """The first of several problems; a banner is one line."""
    shown = between.join(texts[:_MOST])
    more = len(texts) - _MOST
    return shown if more <= 0 else translate("Settings", "{shown} and {more} more").format(shown=shown, more=more)
