"""Many calls on one account at once: what there is credit for, and not one picture more."""

import asyncio
from pathlib import Path

import pytest
from tests.service import serving


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_thousand_calls_with_credit_for_three_hundred_make_three_hundred_pictures(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with serving(tmp_path, sqlite_url, credits=300) as service:
        answers = await asyncio.gather(
            *(service.generate(prompt=f"one of many, {number}", quality="draft") for number in range(1000))
        )
        codes = [answer.status_code for answer in answers]
        assert (codes.count(200), codes.count(402)) == (300, 700)
        assert (await service.balance()).available == 0
        assert (await service.http.get("/api/v1/images?status=succeeded")).json()["total"] == 300
        assert await service.audit() == []


async def test_forty_calls_with_credit_for_ten_make_ten_pictures(tmp_path: Path, database_url: str) -> None:
    async with serving(tmp_path, database_url, credits=10) as service:
        answers = await asyncio.gather(*(service.generate(prompt=f"{number}", quality="draft") for number in range(40)))
        codes = [answer.status_code for answer in answers]
        assert (codes.count(200), codes.count(402)) == (10, 30)
        assert (await service.balance()).available == 0
        assert await service.audit() == []
