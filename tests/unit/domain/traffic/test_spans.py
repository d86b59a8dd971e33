"""Code blocks and addresses in a text, however it is cut; all else is text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gglib_desktop.domain.traffic.spans import Span, SpanReader, Style


def spans(text: str, *, step: int = 10**9) -> list[tuple[Style, str]]:
    """All spans; neighbors of one kind in one."""
    reader, found = SpanReader(), list[Span]()
    for at in range(0, len(text), step):
        found += reader.feed(text[at : at + step])
    found += reader.end()
    joined: list[tuple[Style, str]] = []
    for each in found:
        if joined and joined[-1][0] is each.style and each.style in {Style.TEXT, Style.CODE}:
            joined[-1] = (each.style, joined[-1][1] + each.text)
        else:
            joined.append((each.style, each.text))
    return joined


TEXT, LINK, OPEN, CODE, CLOSE = Style
CASES = {
    "Hello\nyou": [(TEXT, "Hello\nyou")],
    "Do:\n```python\nprint(1)\n```\nDone": [
        (TEXT, "Do:\n"),
        (OPEN, "python"),
        (CODE, "print(1)\n"),
        (CLOSE, ""),
        (TEXT, "Done"),
    ],
    "```\na\n": [(OPEN, ""), (CODE, "a\n")],
    "```\r\na\r\n```\r\n": [(OPEN, ""), (CODE, "a\r\n"), (CLOSE, "")],
    "  - x\n    ~~~ sh\n    ls\n    ~~~~": [(TEXT, "  - x\n"), (OPEN, "sh"), (CODE, "    ls\n"), (CLOSE, "")],
    "````\n```\n~~~~\n```` x\n````": [(OPEN, ""), (CODE, "```\n~~~~\n```` x\n"), (CLOSE, "")],
    "`a` and ``` b": [(TEXT, "`a` and ``` b")],
    "``` a `b` c\n``": [(TEXT, "``` a `b` c\n``")],
    "```\nhttps://a.example\n```": [(OPEN, ""), (CODE, "https://a.example\n"), (CLOSE, "")],
    "See https://a.example/b?c=d#e.": [(TEXT, "See "), (LINK, "https://a.example/b?c=d#e"), (TEXT, ".")],
    "[it](http://a.example/b), **http://c.example**": [
        (TEXT, "[it]("),
        (LINK, "http://a.example/b"),
        (TEXT, "), **"),
        (LINK, "http://c.example"),
        (TEXT, "**"),
    ],
    "https://": [(TEXT, "https://")],
    "javascript:alert(1) file:///etc/passwd": [(TEXT, "javascript:alert(1) file:///etc/passwd")],
    '<img src="x"><b>hi</b>': [(TEXT, '<img src="x"><b>hi</b>')],
    "": [],
}


@pytest.mark.parametrize("step", [10**9, 1, 2, 5])
@pytest.mark.parametrize("text", CASES)
def test_what_is_found(text, step):
    assert spans(text, step=step) == CASES[text]


@given(st.text(alphabet="`~h:/tps. \na", max_size=60), st.integers(1, 7))
@settings(max_examples=150, deadline=None)
def test_how_a_text_is_cut_makes_no_difference(text, step):
    assert spans(text, step=step) == spans(text)


def test_what_is_certain_is_shown_at_once():
    reader = SpanReader()
    assert list(reader.feed("Hello wit")) == [Span(TEXT, "Hello wit")]
    assert list(reader.feed(" ``")) == [Span(TEXT, " ``")]
    assert list(reader.feed("\n``")) == [Span(TEXT, "\n")]
    assert list(reader.feed("x")) == [Span(TEXT, "``x")]


@pytest.mark.parametrize("endless", ["https://" + "a" * 3000, "``` " + "a" * 3000])
def test_nothing_is_held_back_forever(endless):
    assert sum(len(span.text) for span in SpanReader().feed(endless)) > 2000
