"""Links in messages that work without a login: signed, for one alert and one purpose, and only until they expire."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias, get_args

from alerts.errors import InvalidLink

# "view" opens the same page as "evidence", for who may read and not acknowledge
Purpose: TypeAlias = Literal["acknowledge", "evidence", "view"]

SHOWING: Final[tuple[Purpose, ...]] = ("evidence", "view")
VALID_FOR: Final[dict[Purpose, timedelta]] = {
    "acknowledge": timedelta(hours=24),
    "evidence": timedelta(days=30),
    "view": timedelta(hours=24),
}
SHORTEST_SECRET: Final = 32  # bytes, as many as the digest has
_LONGEST_TOKEN: Final = 1_000
_VERSION: Final = "1"


class LinkSigner:
    """Signs links and checks them, by HMAC-SHA256 (RFC 2104).

    Args:
        secret: the same for whoever signs and whoever checks; at least SHORTEST_SECRET bytes.

    Raises:
        ValueError: the secret is too short.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"{len(secret)} bytes are too short a secret; use {SHORTEST_SECRET} random ones")
        self._secret = secret

    def sign(self, purpose: Purpose, alert_id: str, expires_at: datetime) -> str:
        """Return the token of a link that does *purpose* for one alert, until *expires_at*; it is fit for a URL."""
        told = "\n".join((_VERSION, purpose, str(int(expires_at.timestamp())), alert_id)).encode()
        return f"{_encoded(told)}.{_encoded(self._digest(told))}"

    def sign_at(self, purpose: Purpose, alert_id: str, at: datetime) -> str:
        """Return the token of a link in a message of *at*: the same in every attempt to send that message."""
        return self.sign(purpose, alert_id, at + VALID_FOR[purpose])

    def verify(self, token: str, purpose: Purpose, now: datetime) -> str:
        """Return the alert that *token* was signed for.

        Raises:
            InvalidLink: it was made elsewhere or for something else, was changed, or has expired.
        """
        return self.read(token, (purpose,), now)[1]

    def read(self, token: str, purposes: Sequence[Purpose], now: datetime) -> tuple[Purpose, str]:
        """Return which of *purposes* *token* was signed for, and the alert.

        Raises:
            InvalidLink: it was made elsewhere or for something else, was changed, or has expired.
        """
        told = self._signed(token)
        version, found, expires, alert_id = told.decode().split("\n", 3)
        if version != _VERSION or found not in get_args(Purpose):
            raise InvalidLink("this link was made by another version; open the newest message of the alert")
        purpose = next((each for each in purposes if each == found), None)
        if purpose is None:
            raise InvalidLink(f"this link was made to open something else ({found}); use the other link of the message")
        if now.timestamp() >= int(expires):
            at = datetime.fromtimestamp(int(expires), UTC)
            raise InvalidLink(f"this link expired at {at:%Y-%m-%d %H:%M} UTC; open the newest message of the alert")
        return purpose, alert_id

    def _signed(self, token: str) -> bytes:
        """Return what this signer signed; whatever else is wrong with a token, nobody is told more than this."""
        body, _, signature = token.partition(".")
        told, digest = _decoded(body), _decoded(signature)
        if len(token) > _LONGEST_TOKEN or not hmac.compare_digest(digest, self._digest(told)):
            raise InvalidLink("this link was not made here or was changed on its way; copy it whole from the message")
        return told

    def _digest(self, told: bytes) -> bytes:
        return hmac.digest(self._secret, told, hashlib.sha256)


def token_digest(token: str) -> str:
    """Return what a used token is remembered by: who reads it cannot use the link."""
    return hashlib.sha256(token.encode()).hexdigest()


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Return the bytes of *text*, b"" of what is no base64 in the one way in which we write it."""
    try:
        found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        return b""
    return found if _encoded(found) == text else b""
