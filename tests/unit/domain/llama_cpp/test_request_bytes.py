"""Logs of requests in pieces, damaged, and among other text."""

import random
import re

import pytest

from gglib_desktop.domain.llama_cpp.requests.reader import LlamaRequestReader
from gglib_desktop.domain.traffic.requests import (
    Finished,
    Launched,
    Refused,
)
from tests.fakes.request_logs import (
    BEGAN,
    LAUNCH,
    NAMES,
    NOW,
    RELEASE,
    count,
    events_of,
    in_pieces,
    recorded,
)

BAD = b'0.00.300.000 W srv    operator(): got exception: {"error":"'


# -- bytes as they come


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_log_cut_anywhere_tells_the_same(name, anew):
    data = recorded(name)
    whole = events_of(data)
    for seed in range(6):
        chance = random.Random(f"{name} {seed}")
        cuts = [chance.randrange(len(data)) for _ in range(chance.choice([1, 5, 40]))]
        assert in_pieces(data, cuts, anew=anew) == whole


@pytest.mark.parametrize("anew", [False, True])
def test_a_log_that_comes_byte_by_byte_tells_the_same(anew):
    data = recorded("2025")[:1200]
    assert in_pieces(data, list(range(len(data))), anew=anew) == events_of(data)


@pytest.mark.parametrize("name", NAMES)
def test_line_ends_of_another_system(name):
    assert events_of(recorded(name).replace(b"\n", b"\r\n")) == events_of(recorded(name))


@pytest.mark.parametrize(
    "noise", [b"\xff\xfe\x80\n", b"\n", b"\x00\n", b"a" * 1_000_000 + b"\n", b"\xe4" * 70_000 + b"\n"]
)
@pytest.mark.parametrize("name", ["plain", "no_prefix", "verbose_4"])
def test_lines_of_no_meaning_between_those_of_requests(name, noise):
    lines = recorded(name).splitlines(keepends=True)
    data = b"".join(line + noise * (number % 30 == 2) for number, line in enumerate(lines))
    assert events_of(data) == events_of(recorded(name))


# -- lines of any length


@pytest.mark.parametrize(("size", "piece"), [(3000, 99), (70_000, 999), (70_000, 65_536), (1_000_000, 65_536)])
def test_both_ends_of_a_long_line_are_read(size, piece):
    """The message of a refusal quotes the request, and at high verbosity a record may follow without a new line."""
    text = b"x" * size
    data = BAD + text + b'"}\n' + LAUNCH + b"0.00.150.000 D parser: " + text + b"." + RELEASE + BAD + text
    events = in_pieces(data, list(range(0, len(data), piece)), anew=True)
    kinds = [type(event) for event in events]
    # The last line has no end, so it is read only if it is long enough to be read in parts.
    assert kinds == [Refused, Launched, *[Refused] * (size > 65_536), Finished]
    assert in_pieces(data, [], anew=False) == events


def test_a_long_line_is_not_kept():
    reader = LlamaRequestReader(BEGAN)
    for _ in range(100):
        reader.feed(b"x" * 10_000, NOW)
    assert reader.pending_bytes == 4096
    assert not reader.feed(b"\n", NOW)
    assert reader.pending_bytes == 0
    assert len(reader.feed(LAUNCH, NOW)) == 1


# -- text that looks like lines


@pytest.mark.parametrize(
    "quote",
    [
        b'0.00.090.000 D slot launch_slot_: id  0 | task -1 | launching slot : {"prompt":"%s"}\n',
        b'0.00.090.000 D srv  params: {"prompt":"\\n%s"}\n',
        b"0.00.090.000 W srv    operator(): got exception: {last read: '.%s'}\n",
        b"I said: %s\n",
        b"%%%s\n",
    ],
)
def test_quoted_lines_are_no_requests(quote):
    events = events_of(quote % LAUNCH.rstrip())
    assert count(events, Launched) == 0
    assert count(events, Finished) == 0


@pytest.mark.parametrize("line", [LAUNCH, LAUNCH.replace(b"0.00.100.000 ", b""), b"0.00.100.000 " + LAUNCH[15:]])
def test_a_record_may_follow_a_line_without_an_end(line):
    whole = b"0.00.090.000 D No parser definition detected, assuming pure content parser." + line
    assert count(events_of(whole), Launched) == 1


# -- any bytes


def check_nothing_is_invented(data: bytes) -> None:
    events = in_pieces(data, [len(data) // 3, len(data) // 2], anew=True)
    at_work: set[tuple[int | None, int | None]] = set()
    for event in events:
        if isinstance(event, Launched):
            at_work.add((event.slot, event.task))
        elif isinstance(event, Finished):
            assert (event.row.slot, event.row.task) in at_work
    assert count(events, Finished) == count(events, Launched) <= data.count(b"processing task")


@pytest.mark.parametrize("name", NAMES)
def test_damaged_logs_neither_raise_nor_invent_a_request(name):
    chance = random.Random(name)
    original = recorded(name)
    for _ in range(12):
        data = bytearray(original)
        for _ in range(chance.choice([1, 30, 600])):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randrange(40)]
                case 2:
                    data[at:at] = data[at : at + chance.randrange(200)]
                case _:
                    data[at : at + 1] = b"\n"
            data = data or bytearray(b"x")
        check_nothing_is_invented(bytes(data))


def test_lines_in_any_order_neither_raise_nor_invent_a_request():
    lines = [line for name in NAMES for line in recorded(name).splitlines(keepends=True)]
    chance = random.Random(1)
    for _ in range(20):
        check_nothing_is_invented(b"".join(chance.choices(lines, k=300)))


def test_random_bytes_tell_nothing():
    chance = random.Random(2)
    for size in (1, 100, 10_000, 200_000):
        assert not events_of(chance.randbytes(size))


def test_words_in_any_order_neither_raise_nor_invent_a_request():
    """Numbers of any length, cut marks, and colors among them."""
    words = [word for name in NAMES for word in re.findall(rb"\S+|\s+", recorded(name)[:3000])]
    words += [b"9" * 400, b"\x1b[32m", b"slot ", b"[1] ", b"print_timing: id  0 | task 0 | ", b"\n", b"eval time ="]
    chance = random.Random(3)
    for _ in range(20):
        check_nothing_is_invented(b"".join(chance.choices(words, k=3000)))
