"""The objectives in force: files first, then drafts of the services that no file speaks for."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from storage.slo_catalog import SloCatalog
from tests.unit.openslo_documents import AVAILABILITY

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def services(monkeypatch):
    """The (service, environment) pairs that sent requests, as the database would tell."""
    pairs = []
    monkeypatch.setattr(
        "storage.seen_services.request_services", lambda database, since, **_: pairs if since < NOW else []
    )
    return pairs


def _load(catalog):
    found = catalog.load(None, NOW)
    return sorted(found.slos), [(problem.name, problem.level, problem.reason) for problem in found.problems]


def test_an_objective_that_mixes_environments_is_told_as_soon_as_there_are_two(folder, services):
    path = folder / "slo.yaml"
    path.write_text(AVAILABILITY)
    catalog = SloCatalog([folder])
    services.append(("checkout", "prod"))
    assert _load(catalog) == (["checkout-availability", "checkout-prod-latency"], [])
    services.append(("checkout", "stage"))
    ids, ((name, level, reason),) = _load(catalog)
    assert (name, level) == ("several-environments", "warning")
    assert reason.startswith("checkout-availability: checkout reports from several environments (prod, stage)")
    assert "checkout-stage-latency" in ids
    path.write_text(AVAILABILITY.replace("kind: server", "kind: server, environment: prod"))
    assert _load(catalog)[1] == []


def test_a_file_is_read_again_when_it_changes_and_a_reference_may_lead_into_another(folder, services):
    start, end = AVAILABILITY.index("  indicator:"), AVAILABILITY.index("  timeWindow:")
    (folder / "slo.yaml").write_text(AVAILABILITY[:start] + "  indicatorRef: shared\n" + AVAILABILITY[end:])
    catalog = SloCatalog([folder])
    ids, ((_, level, reason),) = _load(catalog)
    assert (ids, level) == ([], "error")
    assert "there is no SLI 'shared'" in reason
    good, total = ({"metricSource": {"type": "spans", "spec": spec}} for spec in ({"good": "not error"}, {}))
    spec = {"ratioMetric": {"good": good, "total": total}}
    sli = {"apiVersion": "openslo/v1", "kind": "SLI", "metadata": {"name": "shared"}, "spec": spec}
    (folder / "sli.json").write_text(json.dumps(sli))
    assert _load(catalog) == (["checkout-availability"], [])


def test_a_service_that_was_not_seen_for_30_days_has_no_draft(services):
    services.append(("checkout", "prod"))
    assert len(SloCatalog([]).load(None, NOW).slos) == 2
    assert SloCatalog([]).load(None, NOW + timedelta(days=31)).slos == {}
