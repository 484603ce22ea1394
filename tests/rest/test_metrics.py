"""/metrics is there for the operator's token alone."""

from pathlib import Path

from tests.service import serving

from limner.errors import ModerationBlocked


async def test_who_has_the_token_reads_what_happened(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_METRICS_TOKEN": "operators-own"}) as service:
        service.stage.errors["bad"] = ModerationBlocked()
        await service.generate()
        await service.generate(prompt="bad")
        async with service.client("operators-own") as operator:
            text = (await operator.get("/metrics")).text
    assert (
        'limner_generations_total{code="",door="rest",model="limner:sketch",provider="limner",status="succeeded"}'
        in text
    )
    assert 'code="moderation_blocked"' in text
    assert 'limner_requests_total{door="rest",status="422"}' in text
    assert "limner_open_holds 0.0" in text
    assert 'limner_generation_seconds_count{door="rest",model="limner:sketch"}' in text
    assert 'limner_provider_errors_total{code="moderation_blocked",provider="limner"}' in text
    assert "limner_database_up 1.0" in text


async def test_for_everybody_else_it_is_not_there(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_METRICS_TOKEN": "operators-own"}) as service:
        with_a_key = await service.http.get("/metrics")
        async with service.client() as stranger:
            without = await stranger.get("/metrics")
    assert (with_a_key.status_code, without.status_code) == (404, 404)


async def test_without_a_token_set_nobody_reads_it(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url) as service, service.client() as anybody:
        assert (await anybody.get("/metrics", headers={"Authorization": "Bearer anything"})).status_code == 404


async def test_a_database_that_is_gone_is_one_of_the_figures(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_METRICS_TOKEN": "operators-own"}) as service:
        await service.services.database.close()
        async with service.client("operators-own") as operator:
            text = (await operator.get("/metrics")).text
    assert "limner_database_up 0.0" in text
