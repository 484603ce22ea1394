"""API keys: their form, what they may, how they end, on both databases."""

import random
import re
from datetime import UTC, datetime, timedelta

import pytest

from limner.accounts import accounts, keys, made_keys
from limner.accounts.keys import NewKey
from limner.accounts.principal import Principal
from limner.db.base import Database
from limner.errors import InsufficientScope, InvalidRequest, ModelNotAllowed, NotFound

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
async def account_id(database: Database) -> str:
    return (await database.write(lambda tx: accounts.create(tx, "owner@example.org", NOW)))[0]


async def make(database: Database, account_id: str, **new: object) -> tuple[keys.ApiKey, str]:
    return await database.write(lambda tx: keys.create(tx, account_id, NewKey(**new), NOW))  # type: ignore[arg-type]


async def principal(database: Database, secret: str, now: datetime = NOW) -> Principal | None:
    return await database.read(lambda tx: keys.principal_of(tx, secret, now))


def test_a_secret_has_the_form_that_scanners_look_for() -> None:
    assert re.fullmatch(r"sk_[0-9A-Za-z]{36}", keys.mint())
    assert re.fullmatch(r"sk_test_[0-9A-Za-z]{36}", keys.mint(is_test=True))
    assert len({keys.mint() for _ in range(100)}) == 100


def test_a_secret_with_anything_altered_is_known_for_wrong_without_the_database() -> None:
    dice = random.Random(7)
    for secret in (keys.mint(), keys.mint(is_test=True)):
        assert keys.looks_right(secret)
        for place in range(len(secret)):
            altered = secret[:place] + dice.choice(keys.ALPHABET.replace(secret[place], "")) + secret[place + 1 :]
            assert not keys.looks_right(altered)
    forged = ("sk_" + "".join(dice.choices(keys.ALPHABET, k=36)) for _ in range(20_000))
    assert not any(keys.looks_right(each) for each in forged)
    for nonsense in ("", "sk_", "sk_test_", "Bearer x", "sk_" + "é" * 36, "sk_" + "٣" * 36, keys.mint() + "\n"):
        assert not keys.looks_right(nonsense)


async def test_the_database_has_a_digest_and_never_the_secret(database: Database, account_id: str) -> None:
    key, secret = await make(database, account_id)
    assert key.shown == f"{secret[:7]}…{secret[-4:]}"
    row = await database.read(lambda tx: tx.first("SELECT * FROM api_keys"))
    assert row is not None
    assert row["digest"] == keys.digest(secret)
    found = await principal(database, secret)
    assert found is not None
    assert (found.account_id, found.api_key_id, found.email) == (account_id, key.id, "owner@example.org")


async def test_a_key_ends_when_it_expires_and_when_it_is_revoked(database: Database, account_id: str) -> None:
    _, expiring = await make(database, account_id, expires_at=NOW + HOUR)
    key, revoked = await make(database, account_id)
    assert await principal(database, expiring, NOW + HOUR - timedelta(milliseconds=1)) is not None
    assert await principal(database, expiring, NOW + HOUR) is None
    await database.write(lambda tx: keys.revoke(tx, account_id, key.id, NOW))
    await database.write(lambda tx: keys.revoke(tx, account_id, key.id, NOW))
    assert await principal(database, revoked) is None


async def test_another_accounts_key_is_not_there(database: Database, account_id: str) -> None:
    key, _ = await make(database, account_id)
    other, _ = await database.write(lambda tx: accounts.create(tx, "other@example.org", NOW))
    for act in (
        lambda tx: keys.get(tx, other, key.id),
        lambda tx: keys.revoke(tx, other, key.id, NOW),
        lambda tx: keys.rotate(tx, other, key.id, NOW, overlap=HOUR),
    ):
        with pytest.raises(NotFound):
            await database.write(act)


async def test_a_rotated_key_is_itself_and_its_old_secret_works_for_the_overlap(
    database: Database, account_id: str
) -> None:
    key, first = await make(database, account_id)
    rotated, second = await database.write(lambda tx: keys.rotate(tx, account_id, key.id, NOW, overlap=HOUR))
    assert rotated.id == key.id
    assert rotated.last_four == second[-4:]
    for secret in (first, second):
        found = await principal(database, secret, NOW + HOUR - timedelta(seconds=1))
        assert found is not None
        assert found.api_key_id == key.id
    assert await principal(database, first, NOW + HOUR) is None
    assert await principal(database, second, NOW + HOUR) is not None
    _, third = await database.write(lambda tx: keys.rotate(tx, account_id, key.id, NOW, overlap=HOUR))
    assert await principal(database, first) is None
    await database.write(lambda tx: keys.revoke(tx, account_id, key.id, NOW))
    assert [await principal(database, secret) for secret in (second, third)] == [None, None]
    with pytest.raises(NotFound, match="has ended"):
        await database.write(lambda tx: keys.rotate(tx, account_id, key.id, NOW, overlap=HOUR))


async def test_a_key_dies_with_its_maker_however_far_above(database: Database, account_id: str) -> None:
    top, _ = await make(database, account_id)
    middle, _ = await make(database, account_id, parent_key_id=top.id)
    low, secret = await make(database, account_id, parent_key_id=middle.id)
    found = await principal(database, secret)
    assert found is not None
    assert found.cap_owner_ids == (low.id, middle.id, top.id)
    await database.write(lambda tx: keys.revoke(tx, account_id, top.id, NOW))
    assert await principal(database, secret) is None
    _, born_late = await make(database, account_id, parent_key_id=middle.id)  # while its maker was being revoked
    assert await principal(database, born_late) is None


async def test_a_key_dies_when_its_maker_expires(database: Database, account_id: str) -> None:
    maker, _ = await make(database, account_id, expires_at=NOW + HOUR)
    _, secret = await make(database, account_id, parent_key_id=maker.id)
    assert await principal(database, secret, NOW + HOUR) is None


async def test_a_made_key_takes_over_its_makers_limits(database: Database, account_id: str) -> None:
    maker, _ = await make(
        database,
        account_id,
        models=("limner:sketch", "openai:gpt-image-2"),
        expires_at=NOW + HOUR,
        max_credits_per_call=5,
        confirm_above_credits=3,
    )
    made = made_keys.within(maker, NewKey(scopes=frozenset({"images:read"})))
    assert (made.models, made.expires_at, made.parent_key_id) == (maker.models, maker.expires_at, maker.id)
    assert (made.max_credits_per_call, made.confirm_above_credits) == (5, 3)
    narrower = made_keys.within(
        maker,
        NewKey(models=("limner:sketch",), expires_at=NOW, max_credits_per_call=2, confirm_above_credits=9),
    )
    assert (narrower.models, narrower.expires_at) == (("limner:sketch",), NOW)
    assert (narrower.max_credits_per_call, narrower.confirm_above_credits) == (2, 3)


async def test_a_made_key_never_gets_more_than_its_maker_has(database: Database, account_id: str) -> None:
    maker, _ = await make(
        database,
        account_id,
        scopes=frozenset({"images:read", "keys:write"}),
        models=("limner:sketch",),
        expires_at=NOW + HOUR,
        is_test=True,
    )
    with pytest.raises(InsufficientScope):
        made_keys.within(maker, NewKey(scopes=frozenset({"images:generate"})))
    read = frozenset({"images:read"})
    with pytest.raises(ModelNotAllowed):
        made_keys.within(maker, NewKey(scopes=read, models=("openai:gpt-image-2",)))
    with pytest.raises(InvalidRequest):
        made_keys.within(maker, NewKey(scopes=read, expires_at=NOW + 2 * HOUR))
    assert made_keys.within(maker, NewKey(scopes=read)).is_test


async def test_last_use_is_kept_and_never_goes_back(database: Database, account_id: str) -> None:
    key, _ = await make(database, account_id)
    await database.write(lambda tx: keys.touch(tx, [(key.id, NOW)]))
    await database.write(lambda tx: keys.touch(tx, [(key.id, NOW - HOUR)]))
    assert (await database.read(lambda tx: keys.get(tx, account_id, key.id))).last_used_at == NOW


async def test_a_suspended_account_is_said_so_and_a_deleted_one_is_unknown(database: Database, account_id: str) -> None:
    _, secret = await make(database, account_id)
    await database.write(lambda tx: tx.execute("UPDATE accounts SET status = 'suspended', status_reason = 'abuse'"))
    found = await principal(database, secret)
    assert found is not None
    assert found.suspended_reason == "abuse"
    await database.write(lambda tx: tx.execute("UPDATE accounts SET status = 'deleted'"))
    assert await principal(database, secret) is None


async def test_scopes_are_words_we_know(database: Database, account_id: str) -> None:
    with pytest.raises(InvalidRequest, match="no scope 'admin'"):
        keys.parse_scopes(["images:read", "admin"])
    key, _ = await make(database, account_id)
    assert "keys:write" not in key.scopes
