"""Silences as they are asked for, listed and ended over the API."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api import models as m
from api.client import ApiClient, ApiError
from storage.silences import SilenceRow, save_silence
from tests.integration.alert_past import ago, firing, pending, resolved, store
from tests.integration.slo_past import serving

pytestmark = pytest.mark.slow


@pytest.fixture
def address(database, tmp_path):
    with serving(database, tmp_path) as found:
        yield found


@pytest.fixture
def api(address):
    with ApiClient(f"http://{address}") as client:
        yield client


def asked(*matchers, **fields):
    values = {"matchers": matchers or ['service_name="shop"'], "ends_at": ago(-60), "author": "ann", "comment": "known"}
    return m.NewSilence(**values | fields)


def test_a_silence_begins_at_once_and_names_the_alerts_that_it_matches(api, database):
    store(
        database,
        firing("a", ago(9)),
        pending("b", ago(2)),
        firing("c", ago(9), service="till"),
        *resolved("d", ago(9), ago(3)),
    )
    silence = api.add_silence(asked("{service_name='shop'}".replace("'", '"'), "environment=~prod|test"))
    assert (silence.state, silence.author, silence.comment) == ("active", "ann", "known")
    assert silence.matchers == ['service_name="shop"', 'environment=~"prod|test"']
    assert silence.alert_ids == ["a", "b"]
    assert (silence.starts_at, silence.expired_at, silence.until_resolved) == (silence.created_at, None, False)
    assert api.silences() == [silence]


def test_a_silence_of_the_future_waits(api, database):
    store(database, firing("a", ago(9)))
    silence = api.add_silence(asked(starts_at=ago(-30), until_resolved=True))
    assert (silence.state, silence.until_resolved) == ("pending", True)
    assert api.alerts()[0].silenced_by == []


def test_times_of_other_zones_are_the_same_moments(api):
    zone = timedelta(hours=2)
    end = ago(-60)
    text = (end.replace(tzinfo=None) + zone).isoformat() + "+02:00"
    assert api.add_silence(asked(ends_at=text)).ends_at == end


def test_what_is_ended_stays_on_record_and_ending_it_again_changes_nothing(api):
    first, second = api.add_silence(asked(comment="first")), api.add_silence(asked(comment="second"))
    ended = api.expire_silence(first.id)
    assert (ended.state, ended.expired_at.tzinfo) == ("expired", UTC)
    assert datetime.now(UTC) - ended.expired_at < timedelta(minutes=1)
    assert [item.id for item in api.silences()] == [second.id]
    assert api.expire_silence(first.id) == ended
    assert [item.id for item in api.silences(expired=True)] == [second.id, first.id]


def test_what_is_called_off_never_begins(api):
    silence = api.expire_silence(api.add_silence(asked(starts_at=ago(-30))).id)
    assert silence.state == "expired"
    assert api.silences() == []


def test_an_unknown_silence_is_named(api):
    with pytest.raises(ApiError, match="no silence 'ghost'") as refusal:
        api.expire_silence("ghost")
    assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"starts_at": "2999-01-02T00:00:00Z", "ends_at": "2999-01-01T00:00:00Z"}, ["2999-01-01", "later end"]),
        ({"ends_at": "2020-01-01T00:00:00Z", "starts_at": "2019-01-01T00:00:00Z"}, ["2020-01-01", "in the future"]),
        ({"ends_at": "2999-01-01T00:00:00"}, ["2999-01-01T00:00:00", "add Z"]),
        ({"ends_at": "tomorrow"}, ["ends_at='tomorrow'"]),
        ({"matchers": []}, ["match every alert"]),
        ({"matchers": ['service_name=~".*"']}, ['service_name=~".*"', "match every alert"]),
        ({"matchers": ['service_name!="x"']}, ['service_name!="x"', "match every alert"]),
        ({"matchers": ["checkout"]}, ["'checkout'", 'name="value"']),
        ({"matchers": ['service.name="x"']}, ["service.name"]),
        ({"matchers": ['service_name="a\nb"']}, ["service_name", "control character"]),
        ({"matchers": ['service_name="' + "x" * 10_240 + '"']}, ["characters, more than 1024"]),
        ({"matchers": ['service_name=~"(("']}, ["(("]),
        ({"author": ""}, ["author"]),
        ({"comment": "x" * 10_240}, ["10240 characters"]),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused_with_the_value_and_the_remedy(address, changes, named):
    body = {"matchers": ["a=b"], "ends_at": "2999-01-01T00:00:00Z", "author": "ann", "comment": ""} | changes
    answer = httpx.post(f"http://{address}/api/v1/silences", json=body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    detail = m.Problem.model_validate_json(answer.content).detail
    assert all(part in detail for part in named), detail
    assert httpx.get(f"http://{address}/api/v1/silences?expired=true").json()["items"] == []


def test_a_stored_silence_that_cannot_be_read_hides_no_other(api, database):
    known = api.add_silence(asked())
    row = SilenceRow("odd", ("severity~page",), ago(5), ago(-60), "ann", "", False, ago(5))
    save_silence(database, row, now=ago(5))
    save_silence(database, replace(row, id="empty", matchers=()), now=ago(5))
    assert [item.id for item in api.silences()] == [known.id]
    assert api.alerts() == []
