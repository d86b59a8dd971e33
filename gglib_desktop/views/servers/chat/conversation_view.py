"""The conversation as text: selected, copied and read aloud like any other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from PySide6.QtCore import QEvent, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QTextBrowser, QWidget
from typing_extensions import override

from gglib_desktop.domain.traffic.chat import AnswerText, Role
from gglib_desktop.viewmodels.servers.chat.conversation import Conversation
from gglib_desktop.viewmodels.servers.chat.turns import Turn
from gglib_desktop.views.servers.chat.writer import CODE_SCHEME, TurnWriter
from gglib_desktop.views.words.conversation import turn_note

# Of a text that comes at once, in each turn of the loop: some 3 ms, and painting takes 5.
_MOST_CHARACTERS = 2000
_PAUSE_MS = 4
_NEAR_END_LINES = 2


class _Part(Enum):
    """Of a turn: what is being written."""

    HEAD = auto()
    REASONING = auto()
    TEXT = auto()


@dataclass(frozen=True)
class _Begin:
    role: Role


@dataclass(frozen=True)
class _End:
    turn: Turn


_Work: TypeAlias = _Begin | AnswerText | _End


class ConversationView(QTextBrowser):
    """Writes what is new and nothing twice, a little at a time. Follows the end while that is in view.

    Nothing is loaded, and no link is opened: ``linkChosen`` tells which one was chosen.
    """

    linkChosen = Signal(QUrl)

    def __init__(self, conversation: Conversation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._conversation = conversation
        self._shows_reasoning = False
        self._follows = True
        self._work: deque[_Work] = deque()
        # Where each turn begins.
        self._starts: list[int] = []
        self._part = _Part.HEAD
        self.setObjectName("chatConversation")
        self.setAccessibleName(self.tr("Conversation"))
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        by_keyboard = Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction | by_keyboard)
        self._writer = self._new_writer()
        self._next = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._next.timeout.connect(self._write_on)
        self._connect()
        self._write_anew()

    def show_reasoning(self, shows: bool) -> None:
        if shows != self._shows_reasoning:
            self._shows_reasoning = shows
            self._write_anew()

    @override
    def loadResource(self, kind: int, name: QUrl | str) -> None:
        """Nothing, from nowhere."""

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        # Also while it is being made.
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange} and hasattr(self, "_next"):
            self._write_anew()

    def _connect(self) -> None:
        self.anchorClicked.connect(self._on_anchor)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)
        self._conversation.turnAdded.connect(self._on_added)
        self._conversation.grown.connect(self._on_grown)
        self._conversation.turnEnded.connect(self._on_ended)
        self._conversation.turnsDropped.connect(self._on_dropped)

    # -- news

    @Slot(object)
    def _on_added(self, turn: Turn) -> None:
        self._work.append(_Begin(turn.role))
        if turn.text or turn.reasoning:
            self._work.append(AnswerText(turn.text, turn.reasoning))
        if turn.role is Role.USER or turn.ending is not None:
            self._work.append(_End(turn))
        self._write_soon()

    @Slot(object)
    def _on_grown(self, piece: AnswerText) -> None:
        self._work.append(piece)
        self._write_soon()

    @Slot(object)
    def _on_ended(self, turn: Turn) -> None:
        self._work.append(_End(turn))
        self._write_soon()

    @Slot(int)
    def _on_dropped(self, left: int) -> None:
        if self._work or not left:
            self._write_anew()
        elif left < len(self._starts):
            self._writer.drop_after(self._starts[left])
            del self._starts[left:]

    # -- writing

    def _new_writer(self) -> TurnWriter:
        return TurnWriter(self.document(), self.palette(), self.tr("Copy code"))

    def _write_anew(self) -> None:
        self._work.clear()
        self._starts.clear()
        self.clear()
        self._writer = self._new_writer()
        self._follows = True
        for turn in self._conversation.turns:
            self._on_added(turn)

    def _write_soon(self) -> None:
        if not self._next.isActive():
            self._next.start()

    @Slot()
    def _write_on(self) -> None:
        edit = QTextCursor(self.document())
        # One pass over the paragraphs for all of it.
        edit.beginEditBlock()
        self._write_some()
        edit.endEditBlock()
        if self._work:
            self._next.start()

    def _write_some(self) -> None:
        room = _MOST_CHARACTERS
        while self._work and room > 0:
            work = self._work.popleft()
            if isinstance(work, AnswerText) and len(work.text) + len(work.reasoning) > room:
                now = AnswerText(work.text[: max(0, room - len(work.reasoning))], work.reasoning[:room])
                self._work.appendleft(AnswerText(work.text[len(now.text) :], work.reasoning[room:]))
                work = now
            room -= self._write(work)

    def _write(self, work: _Work) -> int:
        """Returns how many characters that were."""
        match work:
            case _Begin(role):
                self._starts.append(self._writer.position)
                self._part = _Part.HEAD
                self._writer.head(self.tr("You") if role is Role.USER else self.tr("Answer"))
                return 0
            case AnswerText(text, reasoning):
                self._write_reasoning(reasoning)
                self._write_text(text)
                return len(text) + len(reasoning)
            case _End(turn):
                if self._part is _Part.TEXT:
                    self._writer.end_text()
                note = turn_note(turn)
                if note:
                    self._writer.note(note)
                return len(note)

    def _write_reasoning(self, reasoning: str) -> None:
        if not reasoning:
            return
        if self._part is not _Part.REASONING:
            self._part = _Part.REASONING
            if not self._shows_reasoning:
                self._writer.note(self.tr("The reasoning is folded."))
            self._writer.begin_reasoning()
        if self._shows_reasoning:
            self._writer.reasoning(reasoning)

    def _write_text(self, text: str) -> None:
        if text and self._part is not _Part.TEXT:
            self._part = _Part.TEXT
            self._writer.begin_text()
        self._writer.text(text)

    # -- following and links

    @Slot(int)
    def _on_scrolled(self, value: int) -> None:
        slack = _NEAR_END_LINES * self.fontMetrics().lineSpacing()
        self._follows = value >= self.verticalScrollBar().maximum() - slack

    @Slot(int, int)
    def _on_range(self, _least: int, most: int) -> None:
        if self._follows:
            self.verticalScrollBar().setValue(most)

    @Slot(QUrl)
    def _on_anchor(self, url: QUrl) -> None:
        if url.scheme() == CODE_SCHEME:
            QGuiApplication.clipboard().setText(self._writer.code(int(url.path())))
        else:
            self.linkChosen.emit(url)
