from gglib_desktop.domain.servers.split.workers import Worker, WorkerState


def test_the_states_of_a_worker_are_the_words_of_the_window():
    assert [str(state) for state in WorkerState] == ["running", "paused", "unreachable", "ended"]


def test_the_memory_of_a_worker_is_not_known_until_it_was_seen():
    assert Worker("gpu-box", WorkerState.RUNNING).rss_bytes is None
