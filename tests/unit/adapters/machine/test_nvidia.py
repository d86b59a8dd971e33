"""The memory of NVIDIA's cards: with a library that behaves as the driver's does, and without any."""

from collections.abc import Callable
from ctypes import Array, c_char, c_uint
from typing import Any

import pynvml
import pytest

from gglib_desktop.adapters.machine.nvidia import NvidiaMemory
from gglib_desktop.domain.gguf.forecast import GraphicsCard, Memory

GIB = 2**30
OK, UNKNOWN = 0, 999


class FakeDriver:
    """``libnvidia-ml.so.1`` with some cards: fills in what its callers point to. Cards: name, total and free bytes.

    Functions named in ``broken`` fail; a card without a name does not tell its memory.
    """

    def __init__(self, *cards: tuple[str, int, int], broken: str = "") -> None:
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
