"""The menus that sort and filter the list of models: in the menu bar, and at the buttons beside the search field."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Qt, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget
from typing_extensions import override

from gglib_desktop.domain.gguf.capabilities import Capability
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.models.model_row import FileState, FilterField, FilterOption, SizeClass, SortKey
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.look.icons import icon

# The usual direction of each key; the user can reverse it.
_DESCENDING_FIRST = {SortKey.SIZE, SortKey.PARAMETERS, SortKey.LAST_USED}


class MenuButton(QToolButton):
    """A button that opens one of the menus. Assistive technology does not see it: the menu bar has the menu too."""

    def __init__(self, name: str, text: str, icon_name: str, menu: QMenu, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.setIcon(icon(icon_name))
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMenu(menu)


class SortMenu(QMenu):
    """Chooses the order of the list and its direction; both are kept in ``settings``."""

    def __init__(self, models: ModelListViewModel, settings: QSettings, parent: QWidget) -> None:
        super().__init__(parent)
        self._models = models
        self._settings = settings
        self.setTitle(self.tr("&Sort models by"))
        self.menuAction().setObjectName("sort")
        self._keys, self._ways = QActionGroup(self), QActionGroup(self)
        for key, text in self._texts().items():
            self._add(self._keys, f"sort_{key}", text).setData(key)
        self.addSeparator()
        self._ascending = self._add(self._ways, "sort_ascending", self.tr("&Ascending"))
        self._descending = self._add(self._ways, "sort_descending", self.tr("&Descending"))
        self._keys.triggered.connect(self._on_key)
        self._ways.triggered.connect(self._on_way)
        models.order.changed.connect(self._on_sorted)
        self._restore()
        self._render()

    def _texts(self) -> dict[SortKey, str]:
        return {
            SortKey.ADDED: self.tr("Da&te added"),
            SortKey.NAME: self.tr("&Name"),
            SortKey.SIZE: self.tr("&Size"),
            SortKey.PARAMETERS: self.tr("&Parameters"),
            SortKey.LAST_USED: self.tr("&Last used"),
        }

    def _add(self, group: QActionGroup, name: str, text: str) -> QAction:
        action = group.addAction(text)
        action.setObjectName(name.replace(" ", "_"))
        action.setCheckable(True)
        self.addAction(action)
        return action

    def _restore(self) -> None:
        key, descending = self._settings.value("sort"), self._settings.value("descending")
        if isinstance(key, str) and key in set(SortKey):
            self._models.order.sort(SortKey(key), descending=descending in {True, "true"})
        else:
            # The order in which files were found on a disk looks random.
            self._models.order.sort(SortKey.NAME, descending=False)

    @Slot()
    def _on_sorted(self) -> None:
        self._settings.setValue("sort", str(self._models.order.key))
        self._settings.setValue("descending", self._models.order.descending)
        self._render()

    def _render(self) -> None:
        for action in self._keys.actions():
            action.setChecked(action.data() == self._models.order.key)
        (self._descending if self._models.order.descending else self._ascending).setChecked(True)

    @Slot(QAction)
    def _on_key(self, action: QAction) -> None:
        key = SortKey(action.data())
        if key is not self._models.order.key:
            self._models.order.sort(key, descending=key in _DESCENDING_FIRST)

    @Slot(QAction)
    def _on_way(self, action: QAction) -> None:
        self._models.order.sort(self._models.order.key, descending=action is self._descending)


class _ChoiceMenu(QMenu):
    """Stays open while the user chooses several things, with the mouse or the space bar."""

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._choose(self.actionAt(event.position().toPoint())):
            super().mouseReleaseEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space or not self._choose(self.activeAction()):
            super().keyPressEvent(event)

    def _choose(self, action: QAction | None) -> bool:
        if action is None or not action.isCheckable():
            return False
        action.trigger()
        return True


class FilterMenu(QMenu):
    """Chooses the filter of the list: a menu for each field, with the values that the library's models have."""

    def __init__(self, models: ModelListViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._models = models
        self._actions: dict[FilterOption, QAction] = {}
        self.setTitle(self.tr("F&ilter models by"))
        self.menuAction().setObjectName("filter")
        self._fields: dict[FilterField, QMenu] = {}
        for field, text in self._titles().items():
            self._fields[field] = _ChoiceMenu(text, self)
            self.addMenu(self._fields[field]).setObjectName(f"filter_{field}")
        self.addSeparator()
        self.clear_filter = self.addAction(self.tr("Clea&r filter"))
        self.clear_filter.setObjectName("clear_filter")
        self.clear_filter.setShortcut("Ctrl+Shift+F")
        self.clear_filter.triggered.connect(self._on_clear)
        models.filter.choicesChanged.connect(self._fill)
        models.filter.changed.connect(self._render)
        self._fill()

    def text(self) -> str:
        """The chosen values, in words; empty if there are none."""
        by_field: dict[FilterField, list[str]] = {}
        for option in self._shown_options():
            if option in self._models.filter.chosen:
                by_field.setdefault(option.field, []).append(self._option_text(option))
        alternatives = self.tr("{one} or {other}")
        parts = []
        for field, texts in by_field.items():
            if field is FilterField.CAPABILITY:
                parts += texts
                continue
            said = texts[0]
            for text in texts[1:]:
                said = alternatives.format(one=said, other=text)
            parts.append(said)
        return ", ".join(parts)

    def place_text(self, place_id: str) -> str:
        return self._models.place_name(place_id) or self.tr("This computer")

    def _shown_options(self) -> tuple[FilterOption, ...]:
        """A chosen value stays visible, and can be unchosen, after the last such model has gone."""
        gone = sorted(self._models.filter.chosen.difference(self._models.filter.choices))
        return (*self._models.filter.choices, *gone)

    @Slot()
    def _fill(self) -> None:
        for menu in self._fields.values():
            menu.clear()
        self._actions.clear()
        for option in self._shown_options():
            if option.field is FilterField.PLACE:
                continue  # it has a list of its own
            action = self._fields[option.field].addAction(self._option_text(option).replace("&", "&&"))
            action.setObjectName(f"filter_{option.field}_{option.value}".replace(" ", "_"))
            action.setCheckable(True)
            action.setData(option)
            action.triggered.connect(self._on_chosen)
            self._actions[option] = action
        self._render()

    @Slot()
    def _render(self) -> None:
        for option, action in self._actions.items():
            action.setChecked(option in self._models.filter.chosen)
        for field, menu in self._fields.items():
            options = menu.actions()
            # A value that every model has is no choice; capabilities are optional.
            least = 1 if field is FilterField.CAPABILITY or any(map(QAction.isChecked, options)) else 2
            menu.setEnabled(len(options) >= least)
        self.clear_filter.setEnabled(bool(self._models.filter.chosen))

    @Slot()
    def _on_chosen(self) -> None:
        places = {option for option in self._models.filter.chosen if option.field is FilterField.PLACE}
        chosen = {option for option, action in self._actions.items() if action.isChecked()}
        self._models.filter.choose(places | chosen)

    @Slot()
    def _on_clear(self) -> None:
        self._models.filter.choose(())

    def _titles(self) -> dict[FilterField, str]:
        return {
            FilterField.CAPABILITY: self.tr("&Capability"),
            FilterField.QUANTISATION: self.tr("&Quantisation"),
            FilterField.SIZE: self.tr("&Size"),
            FilterField.FOLDER: self.tr("&Folder"),
            FilterField.FILE: self.tr("Fi&le"),
        }

    def _option_text(self, option: FilterOption) -> str:
        if option.field is FilterField.FOLDER:
            return _short_path(option.value) or self.tr("Elsewhere")
        if option.field is FilterField.PLACE:
            return self.place_text(option.value)
        texts: dict[str, str] = {
            Capability.MTP: self.tr("MTP layers"),
            Capability.MOE: self.tr("MoE"),
            Capability.VISION: self.tr("Vision"),
            Capability.EMBEDDING: self.tr("Embedding"),
            Capability.REASONING: self.tr("Reasoning"),
            Capability.TOOLS: self.tr("Tool calls"),
            SizeClass.SMALL: self.tr("Under 4 GiB"),
            SizeClass.MEDIUM: self.tr("4 to 8 GiB"),
            SizeClass.LARGE: self.tr("8 to 16 GiB"),
            SizeClass.VERY_LARGE: self.tr("16 to 32 GiB"),
            SizeClass.HUGE: self.tr("32 GiB and more"),
            FileState.USABLE: self.tr("Usable"),
            FileState.MISSING: self.tr("Missing"),
            FileState.BROKEN: self.tr("Broken"),
            FileState.NO_MODEL: self.tr("Not a model"),
        }
        return texts.get(option.value, option.value)


def _short_path(folder: str) -> str:
    home = home_folder()
    return f"~{folder[len(home) :]}" if folder.startswith(f"{home}/") else folder
