"""The form of launch options: every defined option, its inherited value, and a search over all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from gglib_desktop.domain.engine.capabilities import EngineDevice
from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.domain.launch.options import Source
from gglib_desktop.domain.options.definition import OptionGroup
from gglib_desktop.domain.options.engine_options import (
    DRAFT_MTP,
    SPEC_TYPE,
    EngineOption,
    engine_option,
    engine_options,
)
from gglib_desktop.domain.options.text import device_names
from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.launch.draft_choices import DraftChoices
from gglib_desktop.views.launch.option_extras import FileField, MtpField, PlaceField, RestartField, WorkersField
from gglib_desktop.views.launch.option_rows import DRAFT_MODEL, DraftModelRow, MtpRow, OptionRow, RowParts, RowWords
from gglib_desktop.views.launch.option_widgets import ENGINE_OPTION, TextField, make_widget
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.look.type_scale import TypeSize, set_type
from gglib_desktop.views.widgets.search_field import SearchField
from gglib_desktop.views.words.errors import field_name
from gglib_desktop.views.words.options import order_text, restart_help, translated

_INDENT = 4
_GAP = 10


class OptionForm(QWidget):
    """Edits one layer of options.

    ``helpers`` are widgets to show under the field with that name; the fields ``without`` are edited elsewhere.
    ``scrolls``: by itself, else what it lies on does.
    """

    def __init__(
        self,
        form: OptionFormViewModel,
        parent: QWidget | None = None,
        *,
        helpers: Mapping[str, QWidget] | None = None,
        without: Collection[str] = (),
        scrolls: bool = True,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("optionForm")
        self._form = form
        drafts = DraftChoices(form)
        drafts.filled.connect(self._order_tabs)
        self._helpers = {"device": DeviceChoices(form), DRAFT_MODEL: drafts, **(helpers or {})}
        self._without = frozenset(without)
        self._search = self._search_field()
        self._nothing = QLabel(self.tr("No setting matches."))
        self._nothing.setObjectName("optionNothing")
        self._nothing.hide()
        self._sections = self._make_sections()
        self._lay_out(scrolls)
        self._order_tabs()
        form.stateChanged.connect(self._render)
        # After their boxes have been made.
        form.devicesFound.connect(self._order_tabs)
        self._render(form.state)

    @property
    def rows(self) -> Iterator[OptionRow]:
        for section in self._sections:
            yield from section.rows

    @property
    def last_stop(self) -> QWidget:
        """Of Tab."""
        return self._stops()[-1]

    def reveal(self, name: str) -> None:
        """Scrolls to the field with that name, and focuses it."""
        self._search.clear()
        for section in self._sections:
            for row in section.rows:
                if row.name == name:
                    section.set_folded(False)
                    row.set_focus()
                    if self._scroll is not None:
                        self._scroll.ensureWidgetVisible(row)

    # -- places

    def _search_field(self) -> SearchField:
        search = SearchField("optionSearch", self.tr("Search settings"))
        example = engine_option("context_size").spec.flags[-1]
        search.setPlaceholderText(self.tr("Search settings: a word, or a flag as {flag}").format(flag=example))
        search.addAction(icon("search"), SearchField.ActionPosition.LeadingPosition)
        search.textChanged.connect(self._on_search)
        search.left.connect(self._on_search_left)
        return search

    def _make_sections(self) -> list[Section]:
        options: dict[OptionGroup, list[EngineOption]] = {group: [] for group in OptionGroup}
        for option in engine_options():
            options[option.spec.group].append(option)
        rows = {group: self._rows(group, members) for group, members in options.items()}
        return [Section(group, members, self) for group, members in rows.items() if members]

    def _rows(self, group: OptionGroup, options: list[EngineOption]) -> list[OptionRow]:
        rows = [self._row(option) for option in options if self._offers(option.name)]
        if group is OptionGroup.BASIC and self._form.places:
            rows.insert(0, self._place_row())
        if group is OptionGroup.BASIC and self._form.worker_places:
            rows.append(self._workers_row())
        if group is OptionGroup.DRAFTING and "mtp" not in self._without:
            rows.insert(0, self._mtp_row())
        # Restarts after a crash belong to the model, not to one launch.
        is_kept = self._form.state.layer is not Source.LAUNCH and "restart" not in self._without
        if group is OptionGroup.OTHER and is_kept:
            rows.append(self._restart_row())
        return rows

    def _offers(self, name: str) -> bool:
        """Where there is one engine, there is no choice."""
        has_choice = name != ENGINE_OPTION or len(self._form.state.engines) > 1
        return has_choice and name not in self._without

    def _row(self, option: EngineOption) -> OptionRow:
        spec = option.spec
        field = make_widget(option, self._form, self)
        flags = " ".join((*spec.flags, *spec.off_flags, spec.environment))
        words = RowWords(
            name=option.name,
            label=translated(spec.label),
            help=translated(spec.help),
            sought=f"{flags} {translated(spec.group)}".lower(),
        )
        below = [self._helpers[option.name]] if option.name in self._helpers else []
        is_text = isinstance(field, TextField)
        file = FileField(field, self) if isinstance(field, TextField) and field.is_file else None
        focus = (field,) if file is None else (field, file.browse)
        parts = RowParts(field=file or field, shows=field, focus=focus, below=below, wide=is_text)
        row = DraftModelRow if option.name == DRAFT_MODEL else OptionRow
        return row(words, parts, self._form, self)

    def _mtp_row(self) -> OptionRow:
        field = MtpField(self._form, self)
        words = RowWords(
            name="mtp",
            label=self.tr("MTP"),
            help=self.tr("Drafts with the model's own MTP layers; Auto: where model and engine can"),
            sought=f"{SPEC_TYPE} {DRAFT_MTP} {translated(OptionGroup.DRAFTING)}".lower(),
        )
        return MtpRow(words, RowParts(field=field, shows=field, focus=field.buttons, wide=True), self._form, self)

    def _place_row(self) -> OptionRow:
        field = PlaceField(self._form, self)
        words = RowWords(name="place", label=field_name("place"), help=self.tr("Where the server starts"))
        return OptionRow(words, RowParts(field=field, shows=field), self._form, self)

    def _workers_row(self) -> OptionRow:
        field = WorkersField(self._form, self)
        help_text = self.tr(
            "The computers that take a part of the model each. The server itself runs here; where it reaches them is "
            "added to its command line when it starts"
        )
        words = RowWords(name="rpc_workers", label=field_name("rpc_workers"), help=help_text)
        return OptionRow(words, RowParts(field=field, shows=field, focus=field.boxes, wide=True), self._form, self)

    def _restart_row(self) -> OptionRow:
        field = RestartField(self._form, self)
        words = RowWords(name="restart", label=field_name("restart"), help=restart_help())
        return OptionRow(words, RowParts(field=field, shows=field), self._form, self)

    def _lay_out(self, scrolls: bool) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, _GAP, 0)
        column.setSpacing(_GAP)
        for section in self._sections:
            column.addWidget(section)
        column.addWidget(self._nothing)
        column.addStretch()
        self._scroll = QScrollArea() if scrolls else None
        if self._scroll is not None:
            self._fill(self._scroll, content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._search)
        if self._form.state.layer is not None:
            layout.addWidget(self._order_label(self._form.state.layer))
        layout.addWidget(self._scroll or content, 1)

    def _order_label(self, edited: Source) -> QLabel:
        label = QLabel(order_text(edited))
        label.setObjectName("optionOrder")
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setWordWrap(True)
        set_type(label, TypeSize.SMALL)
        return label

    def _fill(self, scroll: QScrollArea, content: QWidget) -> None:
        scroll.setObjectName("optionScroll")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        # The area itself needs no stop for Tab.
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @Slot()
    def _order_tabs(self) -> None:
        for before, after in pairwise(self._stops()):
            QWidget.setTabOrder(before, after)

    def _stops(self) -> list[QWidget]:
        order: list[QWidget] = [self._search]
        for section in self._sections:
            order.append(section.header)
            for row in section.rows:
                order += row.focus
        return order

    # -- news

    @Slot(object)
    def _render(self, state: FormState) -> None:
        for section in self._sections:
            section.show_state(state)

    @Slot(str)
    def _on_search(self, text: str) -> None:
        words = text.lower().split()
        for section in self._sections:
            section.search(words)
        self._nothing.setVisible(not any(section.matches for section in self._sections))

    @Slot()
    def _on_search_left(self) -> None:
        """The first found field gets the focus."""
        row = next((row for row in self.rows if row.isVisible()), None)
        if row is not None:
            row.set_focus()


class Section(QWidget):
    """The rows of a group under its title. Those beyond the basic ones can be folded away, and begin so."""

    def __init__(self, group: OptionGroup, rows: list[OptionRow], parent: QWidget) -> None:
        super().__init__(parent)
        self.rows = rows
        self.matches = True
        self._title = translated(group)
        self._set_count = 0
        folds = group not in (OptionGroup.BASIC, OptionGroup.DRAFTING)
        self._fold = self._fold_button(group) if folds else None
        self._folded = folds
        self._searched = False
        self.header: QWidget = QLabel(self._title, self) if self._fold is None else self._fold
        set_type(self.header, strong=True)
        self._body = QWidget(self)
        body = QVBoxLayout(self._body)
        body.setContentsMargins(_INDENT, 0, 0, 0)
        body.setSpacing(_INDENT)
        for row in rows:
            body.addWidget(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_INDENT)
        head = QHBoxLayout()
        head.addWidget(self.header)
        head.addWidget(self._line(), 1)
        layout.addLayout(head)
        layout.addWidget(self._body)
        self._show_fold()

    def set_folded(self, folded: bool) -> None:
        self._folded = folded and self._fold is not None
        self._show_fold()

    def show_state(self, state: FormState) -> None:
        for row in self.rows:
            row.show_state(state)
        self._set_count = sum(state.is_marked(row.name) for row in self.rows)
        if any(state.fields[row.name].problem or state.fields[row.name].warning for row in self.rows):
            self._folded = False
        self._show_fold()

    def search(self, words: list[str]) -> None:
        """Shows the rows that contain all words; all rows without any words. A match is never folded away."""
        self._searched = bool(words)
        found = [row.matches(words) for row in self.rows]
        for row, is_found in zip(self.rows, found, strict=True):
            row.setVisible(is_found)
        self.matches = any(found)
        self.setVisible(self.matches)
        self._show_fold()

    # -- the title

    def _fold_button(self, group: OptionGroup) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"fold_{group.name.lower()}")
        button.setAutoRaise(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(self._on_fold)
        return button

    def _line(self) -> QFrame:
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        return line

    def _show_fold(self) -> None:
        folded = self._folded and not self._searched
        self._body.setVisible(not folded)
        if self._fold is None:
            return
        text = self._title
        if self._set_count:
            text = self.tr("{title} ({count} set)").format(title=self._title, count=self._set_count)
        self._fold.setText(text)
        self._fold.setIcon(icon("fold-closed" if folded else "fold-open"))
        action = self.tr("Unfold {title}") if folded else self.tr("Fold {title}")
        self._fold.setAccessibleName(action.format(title=text))

    @Slot()
    def _on_fold(self) -> None:
        self.set_folded(not self._folded)


class DeviceChoices(QWidget):
    """A check box for each device; the field above still takes any text."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._boxes: dict[str, QCheckBox] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        form.stateChanged.connect(self._render)
        form.devicesFound.connect(self._show_devices)

    @Slot(object)
    def _show_devices(self, devices: Sequence[EngineDevice]) -> None:
        for device in devices:
            text = self.tr("{name}: {description}, {memory}").format(
                name=device.name, description=device.description, memory=size_text(device.memory_bytes)
            )
            box = QCheckBox(text)
            box.setObjectName(f"device_{device.name}")
            box.setAccessibleName(text)
            # A long name of a card must not widen the form.
            box.setMinimumWidth(1)
            box.setToolTip(text)
            box.toggled.connect(partial(self._form.use_device, device.name))
            self._boxes[device.name] = box
            self._layout.addWidget(box)
        if not devices:
            none = QLabel(self.tr("This engine lists no devices: it computes on the CPU."))
            none.setObjectName("deviceNone")
            self._layout.addWidget(none)
        self._render(self._form.state)

    @Slot(object)
    def _render(self, state: FormState) -> None:
        used = device_names(state.fields["device"].value)
        for name, box in self._boxes.items():
            with QSignalBlocker(box):
                box.setChecked(name in used)
