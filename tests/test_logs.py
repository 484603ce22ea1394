"""The log of a real server: every line of a call can be found by its ids, and none tells a prompt or a secret."""

from pathlib import Path

from tests.logged import CANARY, logged


def test_the_lines_of_a_call_carry_its_request_and_its_generation(tmp_path: Path, database_url: str) -> None:
    server = logged(tmp_path, database_url, {"a quiet lake": ""})
    [answer] = server.answers
    ids = {"request_id": answer["requestId"], "generation_id": answer["image"]["id"]}
    for event in ("generation begins", "generation succeeded"):
        [line] = server.said(event)
        assert ids.items() <= line.items()
        assert (line["door"], line["model"]) == ("rest", "limner:sketch")
    assert line["seconds"] >= 0
    assert ids["request_id"] in {line["request_id"] for line in server.said("request")}


def test_no_prompt_key_or_link_is_logged_at_any_level(tmp_path: Path, sqlite_url: str) -> None:
    server = logged(tmp_path, sqlite_url, {CANARY: ""})
    link = server.answers[0]["image"]["imageUrl"].rpartition("/i/")[2]
    assert [secret for secret in (CANARY, server.key, link) if secret in server.text] == []


def test_prompts_are_logged_where_the_operator_says_so(tmp_path: Path, sqlite_url: str) -> None:
    server = logged(tmp_path, sqlite_url, {CANARY: ""}, LIMNER_LOG_PROMPTS="on")
    assert [line["prompt"] for line in server.said("generation succeeded")] == [CANARY]
