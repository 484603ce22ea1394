"""Mail by SMTP, off the event loop: `smtp://user:password@host:587?from=Name <address>` or `smtps://`."""

import asyncio
import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from limner.mail.base import Letter

TIMEOUT_SECONDS = 20
PORTS = {"smtp": 587, "smtps": 465}


class BadMailUrl(Exception):
    """The address of the mail server cannot be used; the message is one sentence."""


class Smtp:
    """STARTTLS is used wherever the server offers it."""

    def __init__(self, url: str, *, public_host: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise BadMailUrl("LIMNER_SMTP_URL must look like smtp://user:password@host:587.")
        self._tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, parts.port or PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        given = parse_qs(parts.query).get("from", [""])[0]
        self._sender = _address(given or f"Limner <limner@{public_host}>")

    async def send(self, letter: Letter) -> None:
        await asyncio.to_thread(self._send, self._message(letter))

    async def check(self) -> None:
        """Sign in and send nothing; OSError says why no letter could be sent."""
        await asyncio.to_thread(self._check)

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message

    def _check(self) -> None:
        with _named(), self._signed_in() as connection:
            connection.noop()

    def _send(self, message: EmailMessage) -> None:
        with _named(), self._signed_in() as connection:
            connection.send_message(message)

    def _signed_in(self) -> smtplib.SMTP:
        connection = self._connection()
        if self._user:
            try:
                connection.login(self._user, self._password)
            except BaseException:
                connection.close()
                raise
        return connection

    def _connection(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)
        connection = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        connection.ehlo_or_helo_if_needed()
        if connection.has_extn("starttls"):
            connection.starttls(context=context)
        return connection


@contextmanager
def _named() -> Generator[None]:
    try:
        yield
    except smtplib.SMTPException as problem:
        raise OSError(f"The mail server refused: {problem}") from problem


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    user, at, domain = address.rpartition("@")
    if not at:
        raise BadMailUrl("LIMNER_SMTP_URL names a sender that is no address.")
    return Address(name, user, domain)
