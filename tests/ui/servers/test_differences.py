"""How differences between what was asked for and what runs are worded."""

import pytest

from gglib_desktop.domain.servers.effective import Cause, Difference
from gglib_desktop.views.servers.panel.notices import DifferencesRow, difference_text
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from tests.fakes.accessibility import Role, names


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (
            ("context_size", 131072, 8192, Cause.AUTO_FIT),
            "Context size: asked 131072, running with 8192: the engine made it fit the memory.",
        ),
        (
            ("context_size", 131072, 8192, Cause.MODEL_LIMIT),
            "Context size: asked 131072, running with 8192: the model allows no more.",
        ),
        (("gpu_layers", 999, 0, Cause.NO_GPU), "GPU layers: asked all, running with 0: the engine found no GPU."),
        (
            ("gpu_layers", 20, 12, Cause.AUTO_FIT),
            "GPU layers: asked 20, running with 12: the engine made it fit the memory.",
        ),
        (
            ("parallel", 2, 4, Cause.OVERRIDDEN),
            "Parallel slots: asked 2, running with 4: another setting or extra argument overrides it.",
        ),
        (
            ("spec_draft_n_max", "draft-mtp", None, Cause.UNSUPPORTED),
            "Speculative decoding: asked draft-mtp, not running: this engine did not take it up.",
        ),
        (
            ("alias", "coder", "coder (2)", Cause.NAME_TAKEN),
            "Name for clients: asked coder, running with coder (2): another running server has the name.",
        ),
        (
            ("chat_template", "nonsense", "nonsense", Cause.UNSUPPORTED),
            "Chat template: the engine knows none that is called “nonsense”, and takes this word for all.",
        ),
        (
            ("chat_template", "{{ a }}", "{{ b }}", Cause.UNSUPPORTED),
            "Chat template: another one is in use than was asked for: this engine did not take it up.",
        ),
    ],
)
def test_each_difference_is_one_sentence(difference, text):
    assert difference_text(Difference(*difference)).replace(",", "") == text.replace(",", "")


def test_every_cause_has_words(qapp):
    for cause in Cause:
        assert difference_text(Difference("parallel", 2, 4, cause)).count(":") == 2


def test_each_has_its_line_and_they_go_again(qtbot):
    row = DifferencesRow()
    qtbot.addWidget(row)
    row.resize(600, 200)
    row.show()
    row.show_differences(
        [Difference("parallel", 2, 4, Cause.UNSUPPORTED), Difference("gpu_layers", 9, 0, Cause.NO_GPU)]
    )
    label = row.findChild(WrapLabel, "differences")
    assert label is not None
    lines = label.text().split("\n")
    assert [line.partition(":")[0] for line in lines] == ["Parallel slots", "GPU layers"]
    assert label.height() >= 2 * label.fontMetrics().height()
    assert label.text() in names(row, Role.StaticText)
    row.show_differences([])
    assert row.isHidden()
