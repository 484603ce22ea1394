"""A server that does not bill, and one that audits itself."""

from pathlib import Path

from tests.service import Service, serving

from limner.accounts.principal import SCOPES


async def test_without_billing_use_is_recorded_and_nothing_is_charged_or_refused(
    tmp_path: Path, database_url: str
) -> None:
    async with serving(tmp_path, database_url, credits=0, env={"LIMNER_BILLING": "off"}) as service:
        limited = await service.make_key(scopes=frozenset(SCOPES), max_credits_per_call=0, confirm_above_credits=0)
        async with service.client(limited) as http:
            await http.patch("/api/v1/keys/current", json={"cap": {"limit": 0, "period": "day"}})
            made = await http.post("/api/v1/images/generate", json={"prompt": "x", "n": 2, "includeBytes": False})
            assert (made.status_code, made.json()["credits"]) == (200, {"charged": 0, "remaining": 0})
            quote = await http.post("/api/v1/images/generate", json={"prompt": "x", "dryRun": True})
            assert quote.json()["credits"]["wouldCharge"] == 0
        lines = (await service.http.get("/api/v1/usage")).json()["transactions"]
        assert [(line["type"], line["amount"], line["modelId"]) for line in lines] == [
            ("charge", 0, "limner:sketch")
        ] * 2
        assert await service.audit() == []


async def test_the_server_audits_itself_and_raises_the_alarm(any_service: Service) -> None:
    audit = any_service.services.self_audit
    await any_service.generate()
    await audit.run()
    assert audit.problems == []
    await any_service.services.database.write(lambda tx: tx.execute("UPDATE balances SET ledger_balance = 1000"))
    await audit.run()
    assert [problem.check for problem in audit.problems or ()] == ["the ledger balance is the sum of the transactions"]
