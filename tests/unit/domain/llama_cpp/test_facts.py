"""What is read from a server's answers and from its log."""

import pytest

from gglib_desktop.domain.llama_cpp.facts import facts_from, is_asleep, is_loading, lists_models, names_told
from gglib_desktop.domain.servers.effective import ServerFacts

PROPS = {
    "default_generation_settings": {"n_ctx": 4096, "params": {"speculative.types": "none"}},
    "total_slots": 2,
    "model_path": "/models/tiny.gguf",
    "build_info": "b1-7e4c0a9",
    "chat_template": "{{ messages }}",
}
# Lines of llama-server b10434.
READY = "0.00.291.111 I srv    load_model: initializing, n_slots = 4, n_ctx_slot = 8192, kv_unified = 'true'\n"
SPLIT = "0.00.053.549 I srv    load_model: initializing, n_slots = 2, n_ctx_slot = 1024, kv_unified = 'false'\n"
CAPPED = (
    "0.00.278.738 W srv    load_model: the slot context (131072) exceeds the training context of the model (8192)"
    " - capping\n"
)
FITTED = (
    "0.01.511.845 I common_params_fit_impl: context size reduced from 64000000 to 11814400 ->"
    " need 101925 MiB less memory in total\n"
)
OFFLOADED = "0.00.018.389 I load_tensors: offloaded 4/4 layers to GPU\n"
ON_CPU = "0.00.018.395 I load_tensors:   CPU_Mapped model buffer size =     2.76 MiB\n"
ON_GPU = "0.00.018.396 I load_tensors:      Vulkan0 model buffer size =    12.76 MiB\n"


def slot(**more):
    return {"id": 0, "n_ctx": 4096, "is_processing": False, **more}


def test_all_that_is_said_is_read():
    facts = facts_from({**PROPS, "model_alias": "Tiny"}, [slot(speculative=False), slot(speculative=False)], SPLIT)
    assert facts == ServerFacts(
        alias="Tiny",
        context_size=4096,
        slots=2,
        model_path="/models/tiny.gguf",
        build="b1-7e4c0a9",
        chat_template="{{ messages }}",
        context_shared=False,
        drafts=False,
    )


@pytest.mark.parametrize(
    ("told", "takes_images", "page"),
    [
        ({"modalities": {"vision": True}, "ui": True}, True, "/"),
        ({"modalities": {"vision": False}, "ui": False}, False, None),
        ({"modalities": "vision", "ui": 1}, None, None),
    ],
)
def test_what_a_chat_may_hold_and_where_the_engines_own_page_is(told, takes_images, page):
    facts = facts_from({**PROPS, **told}, [], "")
    assert facts is not None
    assert (facts.takes_images, facts.page) == (takes_images, page)


@pytest.mark.parametrize("props", [None, [], "props"])
def test_without_props_nothing_is_known(props):
    assert facts_from(props, [slot(speculative=True)], READY) is None


@pytest.mark.parametrize(
    ("props", "slots"),
    [
        ({}, None),
        ({"default_generation_settings": [], "total_slots": True, "model_path": 1, "build_info": None}, {"error": {}}),
        ({"default_generation_settings": {"n_ctx": 4096.5}}, ["slot", slot(speculative="yes"), slot(params=[])]),
        ({"chat_template": {}}, [slot(params={"speculative.types": 3})]),
    ],
)
def test_what_is_not_said_or_not_understood_is_not_known(props, slots):
    assert facts_from(props, slots, "") == ServerFacts()


@pytest.mark.parametrize(
    ("slots", "drafts", "types"),
    [
        ([slot(speculative=True)], True, set()),
        ([slot(speculative=False), slot(speculative=True)], True, set()),
        ([slot(speculative=True, params={"speculative.types": "none,draft-mtp"})], True, {"draft-mtp"}),
        ([slot(speculative=False, params={"speculative.types": "none"})], False, set()),
    ],
)
def test_drafting_is_read_from_the_slots(slots, drafts, types):
    facts = facts_from(PROPS, slots, "")
    assert facts is not None
    assert (facts.drafts, facts.draft_types) == (drafts, types)


@pytest.mark.parametrize(
    ("log", "known"),
    [
        ("", {}),
        (READY, {"context_shared": True}),
        (SPLIT, {"context_shared": False}),
        (CAPPED + READY, {"context_shared": True, "context_capped": True}),
        (FITTED, {"context_fitted": True}),
        (OFFLOADED + ON_CPU + ON_GPU, {"gpu_layers": 4, "layers": 4}),
        (OFFLOADED.replace("4/4", "3/33"), {"gpu_layers": 3, "layers": 33}),
        # b10434 without any GPU: all are counted as offloaded, to a CPU.
        (OFFLOADED + ON_CPU, {"gpu_layers": 0, "layers": 4}),
        # Other builds.
        ("warning: no usable GPU found, --gpu-layers option will be ignored\n", {"gpu_layers": 0}),
    ],
)
def test_the_log_tells_more(log, known):
    assert facts_from({}, None, log) == ServerFacts(**known)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"data": [{"id": "coder"}]}, ("coder",)),
        ({"data": [{"id": "a", "aliases": ["a", "b"]}]}, ("a", "b")),
        ({"data": [{"id": "coder", "aliases": []}]}, ("coder",)),
        ({"data": [{"id": "tiny.gguf"}]}, ("tiny.gguf",)),
        ({"data": [{"id": "someone/model:Q4_K_M"}]}, ("someone/model:Q4_K_M",)),
        ({"data": [{"id": "/models/blobs/sha256-1"}]}, ()),
        ({"data": [{"id": "models/Tiny.GGUF", "aliases": ["models/Tiny.GGUF"]}]}, ()),
        ({"data": [{"id": "C:\\models\\tiny.gguf"}]}, ()),
        ({"data": [{"id": "\\\\nas\\tiny"}]}, ()),
        ({"data": [{"id": 5}]}, ()),
        ({"data": [{"id": "one"}, {"id": "two"}]}, ()),
        ({"data": ["x"]}, ()),
        ({"data": {}}, ()),
        (None, ()),
    ],
)
def test_what_a_server_tells_is_a_name_unless_it_is_a_path(answer, names):
    assert names_told(answer) == names


@pytest.mark.parametrize(
    ("props", "asleep"), [({"is_sleeping": True}, True), ({"is_sleeping": False}, False), ({}, None), (None, None)]
)
def test_that_it_sleeps_is_what_it_says(props, asleep):
    assert is_asleep(props) is asleep
    facts = facts_from(props, [], "")
    assert facts is None or facts.may_sleep is bool(asleep)


@pytest.mark.parametrize(
    ("told", "loads"),
    [
        ({"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, True),
        ({"error": {"message": "Bad gateway"}}, False),
        ({"error": "Loading model"}, False),
        (None, False),
    ],
)
def test_loading(told, loads):
    assert is_loading(told) is loads


@pytest.mark.parametrize(
    ("told", "its_own"),
    [
        ({"data": [{"id": "a", "owned_by": "llamacpp"}]}, True),
        ({"data": [5, {"id": "a", "owned_by": "vllm"}]}, False),
        ({"data": None}, False),
        ([], False),
    ],
)
def test_lists_of_models(told, its_own):
    assert lists_models(told) is its_own
