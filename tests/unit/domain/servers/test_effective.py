"""What is read from a server's answers and its log, and which differences follow."""

from pathlib import Path

import pytest

from gglib_desktop.domain.servers.effective import Cause, Difference, ServerFacts, differences, facts_from
from gglib_desktop.domain.servers.server import ServerConfig

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


def config(**changes):
    return ServerConfig(1, "Tiny", Path("/m.gguf"), 9000, **changes)


# -- reading


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


# -- comparing

SHARED = ServerFacts(context_size=8192, slots=4, context_shared=True, drafts=False)


@pytest.mark.parametrize(
    ("asked", "facts", "model_context"),
    [
        ({}, ServerFacts(), None),
        ({"context_size": 8192}, ServerFacts(), None),
        ({"context_size": 8192}, SHARED, 8192),
        # Rounded up to the next multiple of 256.
        ({"context_size": 777}, ServerFacts(context_size=1024, slots=4, context_shared=True), 8192),
        # 2048 alone is one pool for four slots; with --parallel 4 each gets its part.
        ({"context_size": 2048}, ServerFacts(context_size=2048, slots=4, context_shared=True), 8192),
        ({"context_size": 2048, "parallel": 4}, ServerFacts(context_size=512, slots=4, context_shared=False), 8192),
        ({"context_size": 2001, "parallel": 3}, ServerFacts(context_size=768, slots=3, context_shared=False), 8192),
        # How a server that somebody else started shares its context is not known.
        ({"context_size": 2048}, ServerFacts(context_size=512, slots=4), 8192),
        ({}, ServerFacts(context_size=1024, slots=4), 8192),
        ({"extra_args": ("--ctx-size=4096",)}, ServerFacts(context_size=4096, slots=1, context_shared=True), 8192),
        ({}, ServerFacts(context_size=8192, slots=1, context_shared=True), None),
        ({"parallel": -1}, SHARED, None),
        ({"parallel": 2}, ServerFacts(), None),
        ({"parallel": 4}, SHARED, None),
        ({"gpu_layers": 99}, ServerFacts(), None),
        ({"gpu_layers": 99}, ServerFacts(gpu_layers=33, layers=33), None),
        ({"gpu_layers": 0}, ServerFacts(gpu_layers=0), None),
        ({"gpu_layers": -1}, ServerFacts(gpu_layers=0, layers=3), None),
        ({}, ServerFacts(gpu_layers=0, layers=3), None),
        ({"spec_draft_n_max": 2}, ServerFacts(), None),
        ({"spec_draft_n_max": 2}, ServerFacts(drafts=True), None),
        ({"spec_draft_n_max": 2}, ServerFacts(drafts=True, draft_types=frozenset({"draft-mtp", "x"})), None),
        ({"extra_args": ("--spec-type", "ngram-simple")}, ServerFacts(drafts=True), None),
        ({"chat_template": "chatml"}, ServerFacts(), None),
        ({"chat_template": "chatml"}, ServerFacts(chat_template="{%- for m in messages %}"), None),
        ({"chat_template": "{{ messages }}\n"}, ServerFacts(chat_template="{{ messages }}"), None),
        ({}, ServerFacts(chat_template="{{ messages }}"), None),
        ({"alias": "a, b"}, ServerFacts(alias="b"), None),
        ({"alias": "a"}, ServerFacts(), None),
        ({}, ServerFacts(alias="Tiny (2)"), None),
    ],
)
def test_what_was_asked_for_or_is_not_known_is_no_difference(asked, facts, model_context):
    assert differences(config(**asked), facts, model_context) == ()


CUT = ServerFacts(context_size=4096, slots=1, context_shared=True)


@pytest.mark.parametrize(
    ("asked", "facts", "model_context", "difference"),
    [
        (
            {"context_size": 131072},
            ServerFacts(context_size=8192, slots=4, context_shared=True, context_capped=True),
            None,
            ("context_size", 131072, 8192, Cause.MODEL_LIMIT),
        ),
        ({"context_size": 131072}, SHARED, 8192, ("context_size", 131072, 8192, Cause.MODEL_LIMIT)),
        (
            {"context_size": 131072, "parallel": 2},
            ServerFacts(context_size=8192, slots=2, context_shared=False, context_capped=True),
            8192,
            ("context_size", 131072, 16384, Cause.MODEL_LIMIT),
        ),
        ({"context_size": 0}, CUT, 8192, ("context_size", 8192, 4096, Cause.AUTO_FIT)),
        ({}, CUT, 8192, ("context_size", 8192, 4096, Cause.AUTO_FIT)),
        ({"context_size": 8192}, CUT, None, ("context_size", 8192, 4096, Cause.AUTO_FIT)),
        (
            {"context_size": 8192, "extra_args": ("--x",)},
            ServerFacts(context_size=4096, slots=1, context_shared=True, context_fitted=True),
            None,
            ("context_size", 8192, 4096, Cause.AUTO_FIT),
        ),
        (
            {"context_size": 8192, "extra_args": ("--x",)},
            CUT,
            131072,
            ("context_size", 8192, 4096, Cause.OVERRIDDEN),
        ),
        ({"context_size": 8192}, ServerFacts(context_size=4096), None, ("context_size", 8192, 4096, Cause.AUTO_FIT)),
        ({"parallel": 2}, SHARED, None, ("parallel", 2, 4, Cause.UNSUPPORTED)),
        ({"alias": "coder"}, ServerFacts(alias="coder (2)"), None, ("alias", "coder", "coder (2)", Cause.NAME_TAKEN)),
        ({"alias": "x,a (2)"}, ServerFacts(alias="a (3)"), None, ("alias", "x, a (2)", "a (3)", Cause.NAME_TAKEN)),
        ({"alias": "coder"}, ServerFacts(alias="/m/t.gguf"), None, ("alias", "coder", "/m/t.gguf", Cause.UNSUPPORTED)),
        ({"parallel": 2, "extra_args": ("--x",)}, SHARED, None, ("parallel", 2, 4, Cause.OVERRIDDEN)),
        ({"gpu_layers": 99}, ServerFacts(gpu_layers=0, layers=3), None, ("gpu_layers", 99, 0, Cause.NO_GPU)),
        ({"gpu_layers": 99}, ServerFacts(gpu_layers=0), None, ("gpu_layers", 99, 0, Cause.NO_GPU)),
        (
            {"gpu_layers": 99, "device": "none"},
            ServerFacts(gpu_layers=0),
            None,
            ("gpu_layers", 99, 0, Cause.OVERRIDDEN),
        ),
        ({"gpu_layers": 20}, ServerFacts(gpu_layers=12, layers=33), None, ("gpu_layers", 20, 12, Cause.AUTO_FIT)),
        ({"spec_draft_n_max": 2}, SHARED, None, ("spec_draft_n_max", "draft-mtp", None, Cause.UNSUPPORTED)),
        (
            {"spec_draft_n_max": 2, "extra_args": ("--spec-type", "ngram-simple,x")},
            ServerFacts(drafts=True, draft_types=frozenset({"x", "ngram-simple"})),
            None,
            ("spec_draft_n_max", "draft-mtp", "ngram-simple, x", Cause.OVERRIDDEN),
        ),
        (
            {"chat_template": "nonsense"},
            ServerFacts(chat_template="nonsense"),
            None,
            ("chat_template", "nonsense", "nonsense", Cause.UNSUPPORTED),
        ),
        (
            {"chat_template": "{{ mine }}"},
            ServerFacts(chat_template="{{ other }}"),
            None,
            ("chat_template", "{{ mine }}", "{{ other }}", Cause.UNSUPPORTED),
        ),
    ],
)
def test_a_difference_has_its_likely_cause(asked, facts, model_context, difference):
    assert differences(config(**asked), facts, model_context) == (Difference(*difference),)


def test_all_differences_are_told():
    facts = ServerFacts(context_size=1024, slots=1, context_shared=True, drafts=False, gpu_layers=0)
    asked = config(context_size=4096, parallel=2, gpu_layers=9, spec_draft_n_max=1)
    options = [each.option for each in differences(asked, facts)]
    assert options == ["context_size", "parallel", "gpu_layers", "spec_draft_n_max"]
