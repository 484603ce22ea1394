"""The payment supplier's messages, through the front door."""

from pathlib import Path

from tests.peers.stripe import SECRET_KEY, WEBHOOK_SECRET, StripePeer, signed
from tests.service import Service, serving


async def test_a_paid_checkout_arrives_as_credits(tmp_path: Path, sqlite_url: str) -> None:
    with StripePeer() as stripe:
        env = {
            "LIMNER_STRIPE_SECRET_KEY": SECRET_KEY,
            "LIMNER_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "LIMNER_STRIPE_BASE_URL": stripe.base_url,
        }
        async with serving(tmp_path, sqlite_url, env=env) as service, service.client() as supplier:
            url = await service.services.shop.begin(service.account_id, "credits-100", email=None)
            body, signature = signed(stripe.pay(url.rpartition("/")[2])[0])
            forged = await supplier.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": "t=1,v1=0"})
            assert (forged.status_code, forged.json()["error"]["code"]) == (400, "invalid_request")
            for _ in range(2):
                heard = await supplier.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": signature})
                assert heard.status_code == 200
            assert (await service.balance()).ledger == 200
            assert await service.transaction_types() == ["grant", "purchase"]
            assert await service.audit() == []


async def test_a_server_without_payments_hears_none(service: Service) -> None:
    answer = await service.http.post("/webhooks/stripe", content=b"{}")
    assert answer.status_code == 404
