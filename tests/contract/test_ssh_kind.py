"""The steps of the test of another computer say how far it works; over an sshd of the test's own."""

import os

import pytest

from gglib_desktop.adapters.runner.place_kinds.ssh import SshKind
from gglib_desktop.adapters.ssh.askpass import Askpass
from gglib_desktop.domain.documents.places import PlaceDraft, Step, StepResult
from tests.fakes.ssh_questions import FakeUser
from tests.fakes.sshd import Sshd

pytestmark = pytest.mark.llama
OK, FAILED, SKIPPED = StepResult.OK, StepResult.FAILED, StepResult.SKIPPED
STEPS = [Step.CONNECTION, Step.HOST_KEY, Step.LOGIN, Step.SHELL, Step.ENGINE, Step.RUN_FOLDER]


@pytest.fixture
def there(sshd: Sshd, data_dir):
    """The kind, with an sshd whose users keep their state in its folder."""
    sshd.configure(f"SetEnv XDG_STATE_HOME={sshd.folder}/state")
    sshd.kill()
    sshd.start()
    data_dir.mkdir(parents=True, exist_ok=True)
    return SshKind(data_dir, os.environ, Askpass(FakeUser(trusts=False), os.environ), lambda _id: str(sshd.config))


async def steps_of(kind: SshKind, engine: str = "") -> list[tuple[Step, StepResult, str]]:
    draft = PlaceDraft("ssh://gpu-box", engine=engine)
    return [(each.step, each.result, each.said) async for each in kind.test(draft, "gpu-box")]


async def test_all_steps_of_a_computer_that_works(there, sshd, engine_path):
    steps = await steps_of(there, str(engine_path))
    assert [step[:2] for step in steps] == [(step, OK) for step in STEPS], steps
    assert steps[4][2].startswith(f"{engine_path}, ")
    assert steps[5][2] == f"{sshd.folder}/state/gglib-desktop/runs"
    assert not (sshd.folder / "state").exists(), "a test changes nothing there"


async def test_an_engine_that_is_not_there(there):
    steps = await steps_of(there, "/no/engine")
    assert [step[1] for step in steps] == [OK] * 4 + [FAILED, SKIPPED]
    assert "there is no such program on that computer" in steps[4][2]


async def test_a_run_folder_that_others_can_write_to(there, sshd, engine_path):
    (sshd.folder / "state/gglib-desktop").mkdir(parents=True)
    (sshd.folder / "state/gglib-desktop").chmod(0o777)
    steps = await steps_of(there, str(engine_path))
    assert [step[1] for step in steps] == [OK] * 5 + [FAILED]
    assert "closed to others (chmod 700)" in steps[5][2]


@pytest.mark.parametrize(
    ("change", "failing", "reason"),
    [
        (Sshd.kill, Step.CONNECTION, "Connection refused"),
        (Sshd.forget_host_key, Step.HOST_KEY, "the question of ssh was not answered"),
        (Sshd.change_host_key, Step.HOST_KEY, "its host key is not the one that is known"),
        (Sshd.forget_user_key, Step.LOGIN, "did not accept the user or the key"),
    ],
)
async def test_the_step_that_fails(there, sshd, change, failing, reason):
    change(sshd)
    if failing is not Step.CONNECTION:
        sshd.kill()
        sshd.start()
    steps = await steps_of(there)
    number = STEPS.index(failing)
    assert [step[1] for step in steps] == [OK] * number + [FAILED] + [SKIPPED] * (5 - number), steps
    assert reason in steps[number][2]
