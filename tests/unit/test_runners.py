"""The runner of the program is loaded when it is first used, and then called without a detour."""

import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.runners import _Late, create_runner


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


def test_the_kinds_are_named_where_there_is_no_such_kind(tmp_path):
    with pytest.raises(ConfigurationError, match="must be local, mock, podman:IMAGE, docker:IMAGE or ssh://") as caught:
        create_runner("kubernetes:IMAGE", data_dir=tmp_path)
    assert caught.value.field == "kind"


@pytest.mark.parametrize(("kind", "variable"), [("podman:i", "CONTAINER_HOST"), ("docker:i", "DOCKER_HOST")])
def test_a_container_engine_is_never_reached_over_a_network(tmp_path, monkeypatch, kind, variable):
    monkeypatch.setenv(variable, "tcp://10.0.0.1:2375")
    with pytest.raises(ConfigurationError, match="only unix sockets are used") as caught:
        create_runner(kind, data_dir=tmp_path)
    assert caught.value.field == variable
