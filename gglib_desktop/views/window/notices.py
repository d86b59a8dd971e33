"""What the banner tells of things that have been done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.window import WindowViewModel
from gglib_desktop.views.window.banner import Banner
from gglib_desktop.views.words.errors import words_for_error


class Notices(QObject):
    """Words them and offers buttons. ``show_folder`` opens a folder in the file manager."""

    def __init__(self, parts: WindowViewModel, banner: Banner, show_folder: Callable[[Path], None]) -> None:
        super().__init__(banner)
        self._library = parts.library
        self._banner = banner
        self._show_folder = show_folder
        parts.servers.reconnected.connect(self._on_adopted)
        parts.servers.attached.detached.connect(self._on_detached)
        parts.library.added.connect(self._on_models_added)
        parts.library.scanned.connect(self._on_scanned)
        parts.library.removed.connect(self._on_removed)
        parts.launch.refused.connect(self._on_start_refused)
        parts.foreign.noneFound.connect(self._on_none_found)

    @Slot(int)
    def _on_adopted(self, count: int) -> None:
        if count == 1:
            text = self.tr("Reconnected to 1 server left running earlier.")
        else:
            text = self.tr("Reconnected to {count} servers left running earlier.")
        self._banner.show_notice(text.format(count=count))

    @Slot(int)
    def _on_models_added(self, count: int) -> None:
        # A single one is selected, which says it.
        if count > 1:
            self._banner.show_notice(self.tr("{count} models added").format(count=count))

    @Slot(int)
    def _on_scanned(self, count: int) -> None:
        if count == 0:
            text = self.tr("No new models found")
        elif count == 1:
            text = self.tr("1 new model found")
        else:
            text = self.tr("{count} new models found").format(count=count)
        self._banner.show_notice(text)

    @Slot(object)
    def _on_removed(self, model: Model) -> None:
        text = self.tr("{name} was removed from the list. Its file stays.").format(name=model.name)
        self._banner.show_notice(text, undo=partial(self._library.bring_back, model.path))

    @Slot(str, object)
    def _on_detached(self, name: str, attach_again: Callable[[], None]) -> None:
        text = self.tr("{name} was detached, and its key forgotten. The endpoint goes on.").format(name=name)
        self._banner.show_notice(text, undo=attach_again)

    @Slot(int, object)
    def _on_start_refused(self, model_id: int, error: InvalidModelFile) -> None:
        show = partial(self._show_folder, error.path.parent)
        remove = partial(self._library.remove, model_id)
        text = self.tr("Not started: {reason}").format(reason=words_for_error(error).text)
        self._banner.show_notice(text, showBroken=show, removeBroken=remove)

    @Slot()
    def _on_none_found(self) -> None:
        self._banner.show_notice(self.tr("No other llama-server processes found."))
