"""Signing in by an issuer's word: whose identity it is here, and who may come in with one that is new.

An identity belongs to one user for good. It becomes theirs by making their account, or by being connected while they
are signed in; never because an address looks the same.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from limner.accounts import accounts, sessions, sign_in, users
from limner.accounts.sign_in import Welcome
from limner.accounts.users import User
from limner.db.base import Row, Transaction
from limner.db.types import utc
from limner.errors import InvalidRequest, NotFound
from limner.issuers.base import Identity, Question

TIME_TO_ANSWER = timedelta(minutes=15)


class Refusal(Enum):
    """Why an identity that was vouched for does not come in."""

    UNCONFIRMED = "the issuer has confirmed no address"
    TAKEN = "the address belongs to a user who has not connected this identity"
    CLOSED = "strangers cannot make accounts here"
    DISABLED = "the user may not sign in"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was put; `session_id` is who wants the answer connected to them."""

    question: Question
    onward: str
    session_id: str | None


@dataclass(frozen=True, slots=True)
class Connected:
    """An identity as its user's list shows it."""

    issuer: str
    subject: str
    label: str
    created_at: datetime


def ask(
    tx: Transaction,
    issuer_id: str,
    browser: str,
    redirect_uri: str,
    onward: str,
    now: datetime,
    *,
    session_id: str | None = None,
) -> Question:
    """A question for an issuer, kept for the browser that holds the secret `browser`."""
    question = Question(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), redirect_uri)
    tx.execute(
        """INSERT INTO sign_in_questions
             (digest, browser, issuer_id, nonce, verifier, onward, session_id, expires_at)
           VALUES (:digest, :browser, :issuer_id, :nonce, :verifier, :onward, :session_id, :expires_at)""",
        digest=sessions.digest(question.state),
        browser=sessions.digest(browser),
        issuer_id=issuer_id,
        nonce=question.nonce,
        verifier=question.verifier,
        onward=onward,
        session_id=session_id,
        expires_at=now + TIME_TO_ANSWER,
    )
    return question


def take(tx: Transaction, issuer_id: str, browser: str, state: str, redirect_uri: str, now: datetime) -> Asked | None:
    """The question an answer belongs to, once; None in another browser, from another issuer, and when it is over."""
    row = tx.first(
        """DELETE FROM sign_in_questions WHERE digest = :digest AND browser = :browser AND issuer_id = :issuer_id
             AND expires_at > :now RETURNING nonce, verifier, onward, session_id""",
        digest=sessions.digest(state),
        browser=sessions.digest(browser),
        issuer_id=issuer_id,
        now=now,
    )
    if row is None:
        return None
    return Asked(Question(state, row["nonce"], row["verifier"], redirect_uri), row["onward"], row["session_id"])


def sweep(tx: Transaction, now: datetime) -> None:
    tx.execute("DELETE FROM sign_in_questions WHERE expires_at < :now", now=now)


def enter(tx: Transaction, identity: Identity, now: datetime, *, is_open: bool, welcome: Welcome) -> str | Refusal:
    """Who signs in with this identity: its user, or a new one where that is allowed. The user id."""
    user = find(tx, identity.issuer, identity.subject)
    if user is not None:
        return Refusal.DISABLED if user.is_disabled else user.id
    if identity.email is None:
        return Refusal.UNCONFIRMED
    email = accounts.normal_email(identity.email)
    if users.find(tx, email) is not None:
        return Refusal.TAKEN
    user_id = _new_user(tx, email, now, is_open=is_open, welcome=welcome)
    if user_id is None:
        return Refusal.CLOSED
    users.set_name(tx, user_id, identity.name)
    _put(tx, user_id, identity, now)
    return user_id


def connect(tx: Transaction, user_id: str, identity: Identity, now: datetime, *, welcome: Welcome) -> None:
    """Make it one of the ways in of somebody who is signed in; InvalidRequest where it is another user's.

    Whoever has not proved their address may be waiting for its owner: they connect only what proves it.
    """
    user = users.get(tx, user_id)
    if identity.email is not None and identity.email.strip().lower() == user.email:
        sign_in.prove(tx, user_id, now, welcome)
    elif not user.is_verified:
        raise InvalidRequest(f"Nobody has confirmed yet that {user.email} is yours.", next_step="Confirm it first.")
    _put(tx, user_id, identity, now)
    owner = find(tx, identity.issuer, identity.subject)
    if owner is None or owner.id != user_id:
        raise InvalidRequest(
            "That identity is connected to another user of this server.", next_step="Disconnect it there first."
        )


def disconnect(tx: Transaction, user_id: str, issuer: str, subject: str, *, mails: bool) -> None:
    """InvalidRequest for the last way in: without password, mail or another identity nobody comes back."""
    own = of_user(tx, user_id)
    if (issuer, subject) not in {(each.issuer, each.subject) for each in own}:
        raise NotFound("There is no such identity.")
    if len(own) == 1 and not mails and users.get(tx, user_id).password_digest is None:
        raise InvalidRequest("That is your only way to sign in.", next_step="Set a password first.")
    tx.execute(
        "DELETE FROM identities WHERE issuer = :issuer AND subject = :subject AND user_id = :user_id",
        issuer=issuer,
        subject=subject,
        user_id=user_id,
    )


def find(tx: Transaction, issuer: str, subject: str) -> User | None:
    """Whose identity it is."""
    user_id = tx.scalar(
        "SELECT user_id FROM identities WHERE issuer = :issuer AND subject = :subject", issuer=issuer, subject=subject
    )
    return None if user_id is None else users.get(tx, user_id)


def of_user(tx: Transaction, user_id: str) -> list[Connected]:
    rows = tx.all("SELECT * FROM identities WHERE user_id = :user_id ORDER BY created_at, subject", user_id=user_id)
    return [_connected(row) for row in rows]


def _new_user(tx: Transaction, email: str, now: datetime, *, is_open: bool, welcome: Welcome) -> str | None:
    """Invited people join the accounts they were invited to; others make their own where sign-up is open."""
    if invitations := sign_in.take_invites(tx, email, now):
        user_id = users.add(tx, email, now, verified=True)
        for each in invitations:
            if each.account_id is not None and each.role is not None:
                users.join(tx, user_id, each.account_id, each.role, now)
        return user_id
    if not is_open:
        return None
    account_id, user_id = accounts.create(tx, email, now, verified=True)
    welcome(tx, account_id)
    return user_id


def _put(tx: Transaction, user_id: str, identity: Identity, now: datetime) -> None:
    tx.execute(
        """INSERT INTO identities (issuer, subject, user_id, label, created_at)
           VALUES (:issuer, :subject, :user_id, :label, :now) ON CONFLICT (issuer, subject) DO NOTHING""",
        issuer=identity.issuer,
        subject=identity.subject,
        user_id=user_id,
        label=identity.label,
        now=now,
    )


def _connected(row: Row) -> Connected:
    return Connected(row["issuer"], row["subject"], row["label"] or row["subject"], utc(row["created_at"]))
