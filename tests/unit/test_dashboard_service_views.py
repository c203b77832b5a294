"""Services: order, state, and charts of their requests, errors and latency."""

from datetime import timedelta

from api import models as m
from dashboard.views import (
    looks,
    services,
)
from tests.unit.dashboard_models import NOW, annotation, read, service, slo


def test_a_service_chart_shows_chaos_as_a_band_and_a_deployment_as_a_line():
    point = m.RedPoint(at=NOW, requests=60, errors=0, p50_ms=1, p95_ms=2)
    detail = m.ServiceDetail(service=service(), series=[point], operations=[])
    items = [annotation("chaos", 1, 2), annotation("deployment", 3, 3), annotation("deployment", 4, 4, ("other",))]
    for option in services.red_charts(detail, items, NOW + timedelta(minutes=10)).values():
        assert len(option["series"][0]["markArea"]["data"]) == 1
        assert len(option["series"][0]["markLine"]["data"]) == 1


def test_services_come_worst_first_by_the_state_of_their_slos():
    found = [service("calm"), service("burnt"), service("bare", error_ratio=0.5)]
    own = [slo("1", service="calm"), slo("2", service="burnt", state="exhausted")]
    assert [item.name for item in services.worst_first(found, own)] == ["burnt", "calm", "bare"]


def test_an_slo_of_another_environment_says_nothing_of_a_service():
    assert services.state(service(), [slo(environment="staging", state="exhausted")]) is looks.SERVICE_WITHOUT_SLO


def test_a_service_without_requests_shows_no_error_ratio():
    idle = service(requests=0, errors=0, error_ratio=None, rate_per_s=0.0, p50_ms=None, p95_ms=None, p99_ms=None)
    text = read(services.listing([idle], [], NOW)).text
    assert "no data" in text
    assert "%" not in text


def test_a_step_without_requests_has_neither_errors_nor_latency():
    points = [
        m.RedPoint(at=NOW, requests=120, errors=12, p50_ms=1, p95_ms=2),
        m.RedPoint(at=NOW + timedelta(seconds=60), requests=0, errors=0, p50_ms=None, p95_ms=None),
    ]
    frame = services.series_frame(points, 120, NOW + timedelta(hours=1))
    assert frame["requests"].tolist() == [2.0, 0.0]
    assert frame["errors"].tolist()[0] == 10.0
    assert frame[["errors", "p50", "p95"]].iloc[1].isna().all()


def test_a_step_that_has_not_ended_has_no_rate_yet():
    points = [m.RedPoint(at=NOW + timedelta(minutes=i), requests=60, errors=0, p50_ms=1, p95_ms=2) for i in range(2)]
    frame = services.series_frame(points, 120, NOW + timedelta(seconds=75))
    assert frame["requests"].tolist()[0] == 1.0
    assert frame["requests"].isna().tolist() == [False, True]
