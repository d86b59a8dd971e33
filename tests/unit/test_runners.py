"""The runner of the program is loaded when it is first used, and then called without a detour."""

from gglib_desktop.runners import _Late


class Runner:
    def start(self) -> str:
        return "started"


def test_it_is_made_once_and_its_methods_are_then_its_own():
    made: list[Runner] = []

    def make() -> Runner:
        made.append(Runner())
        return made[-1]

    late = _Late(make)
    assert made == []
    assert late.start() == "started"  # type: ignore[operator]
    assert late.start.__self__ is made[0]  # type: ignore[attr-defined]
    assert vars(late)["start"] == made[0].start
    assert len(made) == 1
