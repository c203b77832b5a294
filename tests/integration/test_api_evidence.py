"""The frozen page of an alert and the link that acknowledges it, over real HTTP: who may open what, and once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from alerts.evidence_page import ACKNOWLEDGE_SLOT
from alerts.signing import LinkSigner
from alerts.transition import AlertDetails, Transition
from api.context import Context
from evaluator.alert_store import AlertStore
from storage.acknowledgements import acknowledgements
from storage.alert_evidence import save_evidence
from storage.slo_catalog import SloCatalog
from storage.tokens import Token, Tokens, digest, write_tokens
from tests.integration.api_served import served
from tests.unit.evidence_examples import evidence

pytestmark = pytest.mark.slow

ALERT = "shop-availability-page-29000000"
OTHER = "shop-availability-page-29000001"
SIGNER = LinkSigner(b"s" * 32)
NOW = datetime.now(UTC)
READER = "nl_read_0123456789abcdefghijklmnopqrstuvwxyz"
OPERATOR = "nl_operate_0123456789abcdefghijklmnopqrstuvw"
PAGE = f"<html><body>the page{ACKNOWLEDGE_SLOT}</body></html>"


def link(purpose, alert_id=ALERT, **delta):
    return SIGNER.sign(purpose, alert_id, NOW + timedelta(**delta or {"hours": 1}))


@pytest.fixture
def alerts(database):
    """Two alerts that fire, the first with its evidence."""
    found = AlertStore(database, "one")
    assert found.append([transition(alert_id) for alert_id in (ALERT, OTHER)], NOW)
    save_evidence(database, ALERT, evidence().to_json(), PAGE, at=NOW)
    return found


def transition(alert_id, **fields):
    given = {
        "alert_id": alert_id,
        "sequence": 1,
        "slo_id": "shop-availability",
        "service": "shop",
        "environment": "prod",
        "severity": "page",
        "state": "firing",
        "at": NOW,
        "started_at": NOW,
        "fired_at": NOW,
        "resolved_at": None,
        "summary": "7 % of <requests> failed",
        "details": AlertDetails("SLOErrorBudgetBurn", "shop availability"),
    }
    return Transition(**{**given, **fields})


@pytest.fixture
def serve(database, tmp_path):
    def started(*, guarded=True):
        path = tmp_path / "tokens.yaml"
        known = (("reader", "read", READER), ("operator", "operate", OPERATOR))
        write_tokens(path, [Token(name, frozenset({scope}), digest(secret)) for name, scope, secret in known])
        tokens = Tokens(path) if guarded else None
        context = Context(
            database,
            SloCatalog([tmp_path]),
            CollectorRegistry(),
            "1.2.3",
            {},
            tokens=tokens,
            links=SIGNER,
            public_url="https://nl.example",
        )
        return served(context)

    return started


@pytest.fixture
def api(serve, alerts):
    with serve() as client:
        yield client


def show(api, alert_id=ALERT, **options):
    return api.get(f"/api/v1/alerts/{alert_id}/evidence", **options)


def test_the_page_opens_with_a_signed_link_of_that_alert_and_runs_and_loads_nothing(api):
    answer = show(api, params={"token": link("evidence")})
    assert answer.status_code == 200
    assert "the page" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "private, no-store")


def test_the_page_opens_with_a_token_that_may_read_which_cannot_acknowledge(api):
    answer = show(api, headers={"Authorization": f"Bearer {READER}"})
    assert answer.status_code == 200
    assert "acknowledge" not in answer.text


@pytest.mark.parametrize(
    ("params", "status", "reason"),
    [
        ({}, 401, "the token is missing or unknown"),
        ({"token": "abc.def"}, 403, "not made here or was changed"),
        ({"token": LinkSigner(b"t" * 32).sign("evidence", ALERT, NOW + timedelta(days=1))}, 403, "not made here"),
        ({"token": link("evidence", hours=-1)}, 403, "expired at"),
        ({"token": link("evidence", OTHER)}, 403, "made for another alert"),
        ({"token": link("acknowledge")}, 403, "use the other link of the message"),
    ],
    ids=["none", "invented", "foreign", "expired", "of another alert", "of another purpose"],
)
def test_without_the_right_link_the_page_stays_shut_and_says_why(api, params, status, reason):
    answer = show(api, params=params)
    assert (answer.status_code, "the page" in answer.text) == (status, False)
    assert reason in answer.text


def test_a_link_opens_nothing_else(api):
    token = link("evidence")
    for path in ("/api/v1/alerts", f"/api/v1/alerts/{ALERT}", "/api/v1/services", f"/api/v1/alerts/{ALERT}/evidence/x"):
        assert api.get(path, params={"token": token}).status_code == 401
    assert api.post(f"/api/v1/alerts/{ALERT}/evidence", params={"token": token}).status_code == 401
    assert api.delete("/api/v1/acknowledge", params={"token": link("acknowledge")}).status_code == 401


def shown_to(api, secret=""):
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return api.get(f"/api/v1/alerts/{ALERT}", headers=headers).json()["evidence_url"]


@pytest.mark.parametrize("secret", [READER, OPERATOR], ids=["reader", "operator"])
def test_the_api_shows_a_link_that_opens_the_page_in_a_browser_and_acknowledges_nothing(api, database, secret):
    url = shown_to(api, secret)
    base, _, token = url.partition("?token=")
    assert base == f"https://nl.example/api/v1/alerts/{ALERT}/evidence"
    assert shown_to(api, secret) == url
    answer = show(api, params={"token": token})
    assert answer.status_code == 200
    assert "the page" in answer.text
    assert "acknowledge" not in answer.text
    assert api.post("/api/v1/acknowledge", params={"token": token}).status_code == 403
    assert show(api, OTHER, params={"token": token}).status_code == 403
    assert acknowledgements(database) == []


def test_without_tokens_the_page_needs_no_link_and_without_evidence_there_is_none(serve, alerts):
    with serve(guarded=False) as api:
        assert shown_to(api) == f"https://nl.example/api/v1/alerts/{ALERT}/evidence"
        assert api.get(f"/api/v1/alerts/{OTHER}").json()["evidence_url"] == ""


def test_who_may_only_read_is_told_so(api, serve):
    def may_operate(client, secret="nobody's"):
        return client.get("/api/v1/status", headers={"Authorization": f"Bearer {secret}"}).json()["may_operate"]

    assert may_operate(api, READER) is False
    assert may_operate(api, OPERATOR) is True
    with serve(guarded=False) as unguarded:
        assert may_operate(unguarded) is True


def test_what_was_not_gathered_yet_says_when_to_come_again(api):
    answer = show(api, OTHER, params={"token": link("evidence", OTHER)})
    assert answer.status_code == 404
    assert "up to 10 minutes" in answer.text


def test_without_tokens_the_page_is_open_but_a_wrong_link_is_still_wrong(serve, alerts):
    with serve(guarded=False) as api:
        assert show(api).status_code == 200
        assert show(api, params={"token": link("evidence", OTHER)}).status_code == 403


def test_whoever_opens_an_acknowledging_link_is_asked_and_changes_nothing(api, database):
    for _ in range(3):
        answer = api.get("/api/v1/acknowledge", params={"token": link("acknowledge")})
        assert answer.status_code == 200
        assert answer.text.count("<button>") == 1
        assert "7 % of &lt;requests&gt; failed" in answer.text
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert acknowledgements(database) == []


def test_the_button_acknowledges_once_and_the_used_link_says_so(api, database):
    params = {"token": link("acknowledge")}
    answer = api.post("/api/v1/acknowledge", params=params)
    assert answer.status_code == 200
    assert "Acknowledged at" in answer.text
    for again in (api.post, api.get):
        answer = again("/api/v1/acknowledge", params=params)
        assert answer.status_code == 403
        assert "this link was used. Acknowledged at" in answer.text
    (row,) = acknowledgements(database)
    assert (row.alert_id, row.via) == (ALERT, "link")
    assert params["token"] not in row.token_digest


def test_a_second_link_to_an_alert_that_is_acknowledged_says_by_whom_and_adds_nothing(api, database):
    api.post("/api/v1/acknowledge", params={"token": link("acknowledge")})
    answer = api.get("/api/v1/acknowledge", params={"token": link("acknowledge", hours=2)})
    assert "Already acknowledged" in answer.text
    api.post("/api/v1/acknowledge", params={"token": link("acknowledge", hours=2)})
    assert len(acknowledgements(database)) == 1


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (link("acknowledge", hours=-1), "expired"),
        (link("evidence"), "use the other link"),
        (link("acknowledge", "nowhere-page-1"), "there is no alert"),
        ("a.b", "not made here"),
    ],
    ids=["expired", "of another purpose", "of no alert", "invented"],
)
def test_a_wrong_link_acknowledges_nothing_and_says_what_to_do(api, database, token, reason):
    for method in ("GET", "POST"):
        answer = api.request(method, "/api/v1/acknowledge", params={"token": token})
        assert answer.status_code == 403
        assert reason in answer.text
    assert acknowledgements(database) == []


def test_an_alert_that_is_over_needs_nobody(api, alerts):
    over = replace(transition(ALERT), sequence=2, state="resolved", at=datetime.now(UTC), resolved_at=NOW)
    assert alerts.append([over], NOW)
    answer = api.post("/api/v1/acknowledge", params={"token": link("acknowledge")})
    assert answer.status_code == 403
    assert "the alert is over" in answer.text


def test_who_came_by_the_link_acknowledges_from_the_page_and_then_sees_that_it_was(api):
    text = show(api, params={"token": link("evidence")}).text
    target = text.partition('href="')[2].partition('"')[0]
    assert target.startswith("../../acknowledge?token=")
    answer = api.post(f"/api/v1/alerts/{ALERT}/{target}")
    assert answer.status_code == 200
    after = show(api, params={"token": link("evidence")}).text
    assert "Acknowledged at" in after
    assert "href" not in after
