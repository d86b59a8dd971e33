"""Architectures have the names that people know."""

from gglib_desktop.domain.gguf.architectures import architecture_text


def test_a_known_architecture_has_its_usual_name():
    assert architecture_text("qwen35moe") == "Qwen 3.5 MoE"
    assert architecture_text("llama") == "Llama"


def test_an_unknown_one_keeps_the_header_s_word():
    assert architecture_text("brandnew7") == "brandnew7"
