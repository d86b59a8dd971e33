"""Writes a conversation into a text document. Nothing in it is markup: all of it is inserted as text."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontDatabase, QPalette, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument

from gglib_desktop.domain.traffic.spans import Span, SpanReader, Style
from gglib_desktop.views.look.theme import quiet_colour
from gglib_desktop.views.look.type_scale import TypeSize, type_font

CODE_SCHEME = "code"
# Laying out a paragraph once more for each new word takes the longer the longer it is.
_LONGEST_PARAGRAPH = 2000
_TURN_GAP, _GAP, _INDENT = 12, 3, 12


class TurnWriter:
    """Writes at the end only. The number in the address ``code:3`` of a link is the index of a code block."""

    def __init__(self, document: QTextDocument, palette: QPalette, copy_code: str) -> None:
        """``copy_code`` is the text of the links that copy a code block."""
        self._cursor = QTextCursor(document)
        self._palette = palette
        self._copy_code = copy_code
        self._spans = SpanReader()
        self._block = QTextBlockFormat()
        self._begins_block = False
        # Ends of lines are written with what follows them, so that no part ends with an empty line.
        self._line_ends = 0
        self._column = 0
        self._code: list[list[str]] = []

    @property
    def position(self) -> int:
        """The end of what has been written."""
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        return self._cursor.position()

    def code(self, index: int) -> str:
        """The text of a code block, as far as it has come."""
        return "".join(self._code[index])

    def drop_after(self, position: int) -> None:
        """Takes away all that was written since ``position``."""
        self._cursor.setPosition(position)
        self._cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        self._cursor.removeSelectedText()

    # -- the parts of a turn

    def head(self, text: str) -> None:
        """Who speaks."""
        self._begin(_block(top=_TURN_GAP))
        self._put(text, self._quiet(strong=True))

    def note(self, text: str) -> None:
        """A remark of ours."""
        self._begin(_block(top=_GAP))
        self._put(text, self._quiet())

    def begin_reasoning(self) -> None:
        self._begin(_block(top=_GAP, indent=_INDENT))

    def reasoning(self, text: str) -> None:
        """The next piece of what a model thinks before it answers."""
        self._put(text, self._quiet())

    def begin_text(self) -> None:
        self._spans = SpanReader()
        self._begin(_block(top=_GAP))

    def text(self, text: str) -> None:
        """The next piece of what is said."""
        for span in self._spans.feed(text):
            self._write(span)

    def end_text(self) -> None:
        for span in self._spans.end():
            self._write(span)

    # -- spans

    def _write(self, span: Span) -> None:
        match span.style:
            case Style.TEXT:
                self._put(span.text, QTextCharFormat())
            case Style.LINK:
                self._put(span.text, self._link(span.text))
            case Style.OPEN:
                self._open_code(span.text)
            case Style.CODE:
                self._code[-1].append(span.text)
                self._put(span.text, self._code_looks())
            case Style.CLOSE:
                self._begin(_block(top=_GAP))

    def _open_code(self, language: str) -> None:
        self._begin(self._code_block(top=_GAP))
        if language:
            self._put(f"{language}   ", self._quiet())
        self._put(self._copy_code, self._link(f"{CODE_SCHEME}:{len(self._code)}"))
        self._code.append([])
        self._begin(self._code_block())

    # -- inserting

    def _begin(self, block: QTextBlockFormat) -> None:
        """What is put next begins a block of this kind; lines in it are blocks of the same kind."""
        self._block, self._begins_block = block, True
        self._line_ends, self._column = 0, 0

    def _put(self, text: str, looks: QTextCharFormat) -> None:
        said = "\n" * self._line_ends + text
        words = said.rstrip("\n")
        self._line_ends = len(said) - len(words)
        if not words:
            return
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        if self._begins_block:
            if self._cursor.position():
                self._cursor.insertBlock(self._block, looks)
            else:
                self._cursor.setBlockFormat(self._block)
            self._begins_block = False
            words = words.lstrip("\n")
        self._cursor.insertText(self._shortened(words), looks)

    def _shortened(self, words: str) -> str:
        """With one more end of a line where a paragraph would become too long."""
        if self._column > _LONGEST_PARAGRAPH and "\n" not in words[:_LONGEST_PARAGRAPH]:
            head, space, tail = words.partition(" ")
            if space or self._column > 2 * _LONGEST_PARAGRAPH:
                words = f"{head}\n{tail}" if space else f"\n{words}"
        end = words.rfind("\n")
        self._column = len(words) - end - 1 if end >= 0 else self._column + len(words)
        return words

    # -- looks

    def _quiet(self, *, strong: bool = False) -> QTextCharFormat:
        looks = QTextCharFormat()
        looks.setFont(type_font(TypeSize.SMALL, strong=strong))
        looks.setForeground(quiet_colour(self._palette))
        return looks

    def _link(self, address: str) -> QTextCharFormat:
        looks = QTextCharFormat()
        looks.setAnchor(True)
        looks.setAnchorHref(address)
        looks.setForeground(self._palette.color(QPalette.ColorRole.Link))
        looks.setFontUnderline(True)
        return looks

    def _code_looks(self) -> QTextCharFormat:
        # In the size of the text: the system's own one does not follow it.
        font = type_font()
        font.setFamilies(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).families())
        font.setStyleHint(QFont.StyleHint.Monospace)
        looks = QTextCharFormat()
        looks.setFont(font)
        return looks

    def _code_block(self, *, top: int = 0) -> QTextBlockFormat:
        block = _block(top=top, indent=_INDENT)
        block.setBackground(self._palette.color(QPalette.ColorRole.AlternateBase))
        block.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        return block


def _block(*, top: int, indent: int = 0) -> QTextBlockFormat:
    block = QTextBlockFormat()
    block.setTopMargin(top)
    block.setLeftMargin(indent)
    block.setRightMargin(indent)
    return block
