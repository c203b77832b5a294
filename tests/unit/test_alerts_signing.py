"""Signed links: who may use them, for what, until when."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import InvalidLink
from alerts.signing import SHORTEST_SECRET, VALID_FOR, LinkSigner, token_digest

NOW = datetime(2026, 3, 1, 3, 14, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SIGNER = LinkSigner(b"s" * 32)


def written(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@given(st.text(max_size=63).filter(lambda text: text.isprintable()))
def test_a_signed_link_leads_back_to_its_alert(alert_id):
    token = SIGNER.sign("acknowledge", alert_id, LATER)
    assert SIGNER.verify(token, "acknowledge", NOW) == alert_id
    assert all(char.isalnum() or char in "-_." for char in token), "a URL carries it as it is"


def test_the_same_link_is_made_again_for_every_attempt_to_send_it():
    assert SIGNER.sign("evidence", "a-1", LATER) == SIGNER.sign("evidence", "a-1", LATER)


def test_a_link_ends_at_the_moment_that_it_was_signed_for():
    token = SIGNER.sign("evidence", "a-1", LATER)
    assert SIGNER.verify(token, "evidence", LATER - timedelta(seconds=1)) == "a-1"
    with pytest.raises(InvalidLink, match="expired at 2026-03-01 04:14 UTC; open the newest message"):
        SIGNER.verify(token, "evidence", LATER)


def test_a_link_that_shows_something_acknowledges_nothing():
    with pytest.raises(InvalidLink, match="something else"):
        SIGNER.verify(SIGNER.sign("evidence", "a-1", LATER), "acknowledge", NOW)


@given(st.integers(min_value=0), st.characters(codec="utf-8"))
def test_no_changed_link_is_believed(place, char):
    token = SIGNER.sign("acknowledge", "shop-availability-page-29000000", LATER)
    place %= len(token)
    changed = token[:place] + char + token[place + 1 :]
    if changed != token:
        with pytest.raises(InvalidLink, match="not made here or was changed"):
            SIGNER.verify(changed, "acknowledge", NOW)


@given(st.text(max_size=200))
def test_no_invented_link_is_believed(text):
    with pytest.raises(InvalidLink, match="not made here"):
        SIGNER.verify(text, "evidence", NOW)


@pytest.mark.parametrize("token", ["", ".", "a" * 100_000, f"{'a' * 2000}.b"])
def test_links_of_impossible_lengths_are_refused(token):
    with pytest.raises(InvalidLink, match="not made here"):
        SIGNER.verify(token, "evidence", NOW)


def test_a_link_signed_with_another_secret_is_refused():
    token = LinkSigner(b"t" * 32).sign("evidence", "a-1", LATER)
    with pytest.raises(InvalidLink, match="not made here"):
        SIGNER.verify(token, "evidence", NOW)


def test_a_link_of_another_version_says_so():
    told = b"2\nevidence\n9999999999\na-1"
    token = f"{written(told)}.{written(hmac.digest(b's' * 32, told, hashlib.sha256))}"
    with pytest.raises(InvalidLink, match="another version"):
        SIGNER.verify(token, "evidence", NOW)


def test_a_short_secret_is_no_secret():
    with pytest.raises(ValueError, match="31 bytes are too short"):
        LinkSigner(b"s" * (SHORTEST_SECRET - 1))


def test_a_link_that_acknowledges_lives_a_day_and_one_that_shows_a_month():
    assert (VALID_FOR["acknowledge"], VALID_FOR["evidence"]) == (timedelta(days=1), timedelta(days=30))
    for purpose, length in VALID_FOR.items():
        assert SIGNER.sign_at(purpose, "a-1", NOW) == SIGNER.sign(purpose, "a-1", NOW + length)


def test_a_used_token_is_remembered_by_a_digest_that_does_not_show_it():
    assert token_digest("abc") == hashlib.sha256(b"abc").hexdigest()
