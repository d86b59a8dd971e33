"""What refers to itself is collected in the thread of the event loop, wherever Python is at work."""

import asyncio
import gc
import threading

from gglib_desktop.garbage import collect_garbage
from tests.fakes.waiting import poll


class Circle:
    """Tells in which thread it is destroyed."""

    def __init__(self, ended_in: list[threading.Thread]) -> None:
        self.itself = self
        self._ended_in = ended_in

    def __del__(self) -> None:
        self._ended_in.append(threading.current_thread())


async def test_garbage_of_a_thread_is_collected_in_this_one():
    assert not gc.isenabled()
    ended_in: list[threading.Thread] = []
    await asyncio.to_thread(Circle, ended_in)
    # More objects than Python lets come together before it looks for circles.
    kept: list[list[int]] = [[] for _ in range(2 * gc.get_threshold()[0])]
    collecting = asyncio.create_task(collect_garbage(0.001))
    await poll(lambda: ended_in)
    assert ended_in == [threading.current_thread()]
    assert kept
    collecting.cancel()
    await asyncio.wait({collecting})
