"""Blanks in a template: found, filled, and never mistaken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limner.errors import InvalidRequest
from limner.prompts import placeholders
from limner.prompts.placeholders import Placeholder


def test_blanks_are_found_in_order_each_once_and_the_first_with_values_decides() -> None:
    text = "{{subject}} on {{ surface = marble | oak |marble}}, {{subject}}, {{light}} and {{light=neon}}"
    assert placeholders.of(text) == (
        Placeholder("subject"),
        Placeholder("surface", ("marble", "oak")),
        Placeholder("light", ("neon",)),
    )


def test_what_is_not_said_is_the_usual_and_what_is_said_is_not_read_again() -> None:
    text = "{{a}} in {{b=red|blue}}"
    assert placeholders.fill(text, {"a": "{{b}}"}) == "{{b}} in red"
    assert placeholders.fill(text, {"a": "a \\1 cat", "b": "blue"}) == "a \\1 cat in blue"


def test_a_json_prompt_has_no_blanks() -> None:
    text = '{"scene":{"light":{"from":"left"}}}'
    assert placeholders.fill(text, {}) == text


@pytest.mark.parametrize("text", ["{{}}", "{{a b}}", "{{1st}}", "{{" + "x" * 41 + "}}"])
def test_a_blank_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest, match="placeholder"):
        placeholders.of(text)


def test_missing_and_unknown_values_are_named() -> None:
    with pytest.raises(InvalidRequest) as missing:
        placeholders.fill("{{a}}", {"a": " "})
    with pytest.raises(InvalidRequest) as unknown:
        placeholders.fill("{{a}}", {"b": "x"})
    assert [each.value.details[0].path for each in (missing, unknown)] == ["values.a", "values.b"]


@given(st.text(max_size=60), st.dictionaries(st.sampled_from("abc"), st.text(min_size=1, max_size=9), max_size=3))
def test_any_text_is_filled_or_refused(text: str, values: dict[str, str]) -> None:
    try:
        placeholders.fill(text, values)
    except InvalidRequest:
        return
