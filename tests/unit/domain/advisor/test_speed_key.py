from pathlib import Path

from gglib_desktop.domain.advisor.speed_key import speed_key
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.server import ServerConfig

CONFIG = ServerConfig(1, "Tiny", Path("/m/tiny.gguf"), 9000, threads=2, gpu_layers=9)


def test_a_server_that_has_not_said_what_it_is_is_like_no_other():
    assert speed_key(CONFIG, None) == speed_key(CONFIG, ServerFacts()) == ""


def test_the_layers_on_the_gpu_count_as_they_are():
    assert speed_key(CONFIG, ServerFacts(build="b1")) == "b1 gpu_layers=9 threads=2"
    assert speed_key(CONFIG, ServerFacts(build="b1", gpu_layers=0)) == "b1 gpu_layers=0 threads=2"


def test_drafting_and_the_context_make_no_difference():
    facts = ServerFacts(build="b1")
    assert speed_key(CONFIG.replace(spec_draft_n_max=3, context_size=4096), facts) == speed_key(CONFIG, facts)
