"""What was measured of drafting counts below everything that the user chose, and above what is built in."""

from dataclasses import replace

import pytest

from gglib_desktop.domain.launch.options import (
    LaunchOptions,
    MeasuredDrafting,
    MtpChoice,
    MtpReason,
    Source,
    decide_mtp,
    resolve,
)
from tests.unit.domain.launch.test_form import ENGINE, MODEL, form_context, shown
from tests.unit.domain.launch.test_options import with_layers

AT = 1763000000.0
FOUR, SLOWER = MeasuredDrafting(AT, 4, 0.5), MeasuredDrafting(AT, 0)
NOTHING = LaunchOptions()


def test_it_counts_where_nobody_chose():
    found = resolve(NOTHING, NOTHING, NOTHING, FOUR)
    assert (found.options.spec_draft_n_max, found.options.spec_draft_p_min) == (4, 0.5)
    assert found.source("spec_draft_n_max") is Source.MEASURED
    assert found.measured_at("spec_draft_n_max") == AT
    assert found.measured_at("threads") is None
    assert resolve(NOTHING, NOTHING, NOTHING).measured_at("spec_draft_n_max") is None


@pytest.mark.parametrize("layers", [(0,), (1,), (2,)])
def test_every_choice_of_the_user_is_stronger(layers):
    launch, model, app = (LaunchOptions(spec_draft_n_max=3) if at in layers else NOTHING for at in range(3))
    assert resolve(launch, model, app, FOUR).options.spec_draft_n_max == 3


def test_where_drafting_is_slower_the_numbers_stay_the_built_in_ones():
    assert resolve(NOTHING, NOTHING, NOTHING, SLOWER).options.spec_draft_n_max == 2


@pytest.mark.parametrize(
    ("choice", "measured", "enabled", "reason"),
    [
        (MtpChoice.AUTO, FOUR, True, MtpReason.MEASURED_FASTER),
        (MtpChoice.AUTO, SLOWER, False, MtpReason.MEASURED_SLOWER),
        (MtpChoice.ON, SLOWER, True, MtpReason.CHOSEN),
        (MtpChoice.OFF, FOUR, False, MtpReason.SWITCHED_OFF),
    ],
)
def test_auto_goes_by_it(choice, measured, enabled, reason):
    decision = decide_mtp(choice, model=with_layers(1), engine=ENGINE, suppressed=False, measured=measured)
    assert (decision.enabled, decision.reason) == (enabled, reason)


def test_a_form_tells_when_it_was_measured():
    model = replace(MODEL, facts=with_layers(1).facts)
    where = form_context(model=model, measured=lambda _model, _options: FOUR)
    field = shown(where=where).fields["spec_draft_n_max"]
    assert (field.inherited, field.source, field.measured_at) == (4, Source.MEASURED, AT)
    assert shown(where=where).decision.reason is MtpReason.MEASURED_FASTER
    for_all = shown(where=form_context(Source.APP, model=None, measured=lambda _model, _options: FOUR))
    assert for_all.fields["spec_draft_n_max"].measured_at is None
