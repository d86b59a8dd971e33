"""Logs of llama.cpp's server that tell of requests, and what is read from them."""

from gglib_desktop.domain.llama_cpp.requests.reader import LlamaRequestReader
from gglib_desktop.domain.traffic.requests import Finished, RequestEvent, RequestRow
from tests.fakes.recorded import LOGS

BEGAN = 1_790_000_000.0
NOW = BEGAN + 600
NAMES = sorted(path.stem.removeprefix("requests_") for path in LOGS.glob("requests_*.txt"))

# Of one request, and of another one.
LAUNCH = b"0.00.100.000 I slot launch_slot_: id  0 | task 7 | processing task, is_child = 0\n"
RELEASE = b"0.00.200.000 I slot      release: id  0 | task 7 | stop processing: n_tokens = 9, truncated = 0\n"
PROMPT = b"0.00.190.000 I slot print_timing: id  0 | task 7 | prompt eval time =  10.00 ms /  8 tokens (\n"
EVAL = b"0.00.190.001 I slot print_timing: id  0 | task 7 |        eval time =  20.00 ms /  5 tokens\n"
CANCEL = b"0.00.195.000 W srv          stop: cancel task, id_task = 7\n"
FAILURE = b"0.00.150.000 E srv    send_error: task id = 7, error: Compute error.\n"
IDLE = b"0.00.210.000 I srv  update_slots: all slots are idle\n"
OTHER = b"0.00.210.000 I slot launch_slot_: id  1 | task 8 | processing task, is_child = 0\n"


def recorded(name: str) -> bytes:
    return (LOGS / f"requests_{name}.txt").read_bytes()


def events_of(data: bytes) -> list[RequestEvent]:
    reader = LlamaRequestReader(BEGAN)
    return [*reader.feed(data, NOW), *reader.end(NOW)]


def rows_of(events: list[RequestEvent]) -> list[RequestRow]:
    return [event.row for event in events if isinstance(event, Finished)]


def count(events: list[RequestEvent], kind: type[RequestEvent]) -> int:
    return sum(isinstance(event, kind) for event in events)


def in_pieces(data: bytes, cuts: list[int], *, anew: bool) -> list[RequestEvent]:
    """Reads the pieces in turn, ``anew`` each with a reader that goes on from the state of the one before."""
    events: list[RequestEvent] = []
    reader = LlamaRequestReader(BEGAN)
    start = 0
    for cut in [*sorted(cuts), len(data)]:
        events += reader.feed(data[start:cut], NOW)
        start = cut
        if anew:
            start -= reader.pending_bytes
            assert len(reader.state) < 4096
            reader = LlamaRequestReader(BEGAN, reader.state)
    return [*events, *reader.end(NOW)]


def launched(*lines: bytes) -> LlamaRequestReader:
    reader = LlamaRequestReader(BEGAN)
    reader.feed(LAUNCH + b"".join(lines), NOW)
    return reader
