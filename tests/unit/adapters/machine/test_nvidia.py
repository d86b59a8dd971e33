"""The memory of NVIDIA's cards: with a library that behaves as the driver's does, and without any."""

from collections.abc import Callable, Sequence
from ctypes import Array, c_char, c_uint
from functools import partial
from typing import Any

import pynvml
import pytest

from gglib_desktop.adapters.machine.nvidia import NvidiaMemory, memory_of_processes
from gglib_desktop.domain.gguf.forecast import GraphicsCard, Memory

GIB = 2**30
OK, TOO_SMALL, UNKNOWN = 0, 7, 999
UNTOLD = 2**64 - 1
Processes = Sequence[tuple[int, int]]


class FakeDriver:
    """``libnvidia-ml.so.1`` with some cards: fills in what its callers point to. Cards: name, total and free bytes.

    Functions named in ``broken`` fail; a card without a name does not tell its memory. ``computing`` and ``painting``
    are processes with the bytes that they use of each card.
    """

    def __init__(
        self,
        *cards: tuple[str, int, int],
        broken: str = "",
        computing: Processes = (),
        painting: Processes = (),
    ) -> None:
        self.cards = cards
        self.opened = 0
        self._asked = 0
        functions = {
            "nvmlInitWithFlags": self._open,
            "nvmlShutdown": self._close,
            "nvmlDeviceGetCount_v2": self._count,
            "nvmlDeviceGetHandleByIndex_v2": self._card,
            "nvmlDeviceGetName": self._name,
            "nvmlDeviceGetMemoryInfo": self._memory,
            "nvmlDeviceGetComputeRunningProcesses_v3": partial(self._processes, computing),
            "nvmlDeviceGetGraphicsRunningProcesses_v3": partial(self._processes, painting),
        }
        vars(self).update(functions)
        if broken:
            vars(self)[broken] = lambda *_arguments: UNKNOWN

    def _open(self, _flags: int) -> int:
        self.opened += 1
        return OK

    def _close(self) -> int:
        self.opened -= 1
        return OK

    def _count(self, count: Any) -> int:
        count._obj.value = len(self.cards)
        return OK

    def _card(self, index: c_uint, _handle: Any) -> int:
        self._asked = index.value
        return OK

    def _name(self, _handle: Any, name: "Array[c_char]", _length: c_uint) -> int:
        name.value = self.cards[self._asked][0].encode()
        return OK

    def _memory(self, _handle: Any, memory: Any) -> int:
        name, memory._obj.total, memory._obj.free = self.cards[self._asked]
        return OK if name else UNKNOWN

    @staticmethod
    def _processes(processes: Processes, _handle: Any, count: Any, listed: Any) -> int:
        count._obj.value = len(processes)
        if listed is None:
            return TOO_SMALL if processes else OK
        for entry, (pid, used) in zip(listed, processes, strict=False):
            entry.pid, entry.usedGpuMemory = pid, used
        return OK


@pytest.fixture
def install(monkeypatch) -> Callable[[FakeDriver | None], None]:
    def put(driver: FakeDriver | None) -> None:
        monkeypatch.setattr(pynvml, "nvmlLib", driver)
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})

    return put


def test_every_card_tells_its_name_and_memory(install):
    driver = FakeDriver(("NVIDIA H100", 80 * GIB, 70 * GIB), ("Größe", 8 * GIB, 1))
    install(driver)
    assert NvidiaMemory().read() == (
        GraphicsCard("NVIDIA H100", Memory(80 * GIB, 70 * GIB)),
        GraphicsCard("Größe", Memory(8 * GIB, 1)),
    )
    assert driver.opened == 0


def test_a_card_that_does_not_tell_is_left_out(install):
    install(FakeDriver(("", 0, 0), ("NVIDIA H100", 80 * GIB, 70 * GIB)))
    assert [card.name for card in NvidiaMemory().read()] == ["NVIDIA H100"]


def test_without_cards_there_are_none(install):
    install(FakeDriver())
    assert NvidiaMemory().read() == ()


@pytest.mark.parametrize("broken", ["nvmlInitWithFlags", "nvmlDeviceGetCount_v2", "nvmlShutdown"])
def test_a_driver_that_fails_is_none(install, broken):
    install(FakeDriver(broken=broken))
    assert NvidiaMemory().read() == ()


def test_without_a_driver_there_are_none(install, monkeypatch):
    def absent(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    install(None)
    monkeypatch.setattr(pynvml, "CDLL", absent)
    assert NvidiaMemory().read() == ()


def test_this_computer_can_be_asked():
    for card in NvidiaMemory().read():
        assert 0 <= card.memory.free_bytes <= card.memory.total_bytes


CARD = ("NVIDIA H100", 80 * GIB, 70 * GIB)


def test_processes_use_memory_of_every_card(install):
    install(FakeDriver(CARD, CARD, computing=[(7, GIB), (8, 5 * GIB), (9, 2 * GIB)]))
    assert memory_of_processes([7, 9]) == 2 * 3 * GIB
    assert memory_of_processes([4711]) is None


def test_one_that_computes_and_paints_is_listed_twice_and_counts_once(install):
    install(FakeDriver(CARD, computing=[(7, GIB)], painting=[(7, 2 * GIB)]))
    assert memory_of_processes([7]) == 2 * GIB


def test_what_the_driver_does_not_know_is_not_known(install):
    install(FakeDriver(CARD, computing=[(7, UNTOLD)], broken="nvmlDeviceGetGraphicsRunningProcesses_v3"))
    assert memory_of_processes([7]) is None


@pytest.mark.parametrize("driver", [FakeDriver(), FakeDriver(CARD, broken="nvmlInitWithFlags")])
def test_without_a_card_the_use_is_not_known(install, driver):
    install(driver)
    assert memory_of_processes([7]) is None


def test_a_card_that_does_not_list_processes_leaves_it_unknown(install):
    driver = FakeDriver(CARD, broken="nvmlDeviceGetGraphicsRunningProcesses_v3")
    vars(driver)["nvmlDeviceGetComputeRunningProcesses_v3"] = lambda *_arguments: UNKNOWN
    install(driver)
    assert memory_of_processes([7]) is None
