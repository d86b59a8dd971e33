"""Where a server does not run with what was asked for."""

from pathlib import Path

import pytest

from gglib_desktop.domain.servers.effective import Cause, Difference, ServerFacts, differences
from gglib_desktop.domain.servers.server import ServerConfig


def config(**changes):
    return ServerConfig(1, "Tiny", Path("/m.gguf"), 9000, **changes)


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
        # How a server of another program shares its context is not known.
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
