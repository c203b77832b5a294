from datetime import timedelta
from decimal import Decimal

import pytest
import yaml

from slo.errors import InvalidObjective
from slo.indicator import CounterIndicator, MetricSelector, SpanIndicator
from slo.openslo import read_openslo
from slo.policy import NO_POLICY
from slo.sloth import read_sloth
from slo.sloth_text import imported_text
from slo.standard_policy import standard_policy

HEAD = "version: prometheus/v1\nservice: shop\n"
SLO = """\
  - name: orders
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(orders_total{outcome="failed"}[{{.window}}]))
        total_query: sum(rate(orders_total[{{.window}}]))
"""
CODES = """\
  - name: codes
    objective: 99
    description: Few are told that it is our fault.
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
"""
KUBERNETES = """\
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: shop, namespace: eu}
spec:
  service: shop
  slos:
  - name: orders
    objective: 99.9
    sli:
      events:
        errorQuery: sum(rate(orders_total{outcome="failed"}[{{.window}}]))
        totalQuery: sum(rate(orders_total[{{.window}}]))
    alerting:
      pageAlert: {disable: true}
"""


def read(slos=SLO, head=HEAD):
    return read_sloth(f"{head}slos:\n{slos}", "shop.yml")


def only(found):
    (item,) = found.imported
    return item.slo


def reasons(found, *, lost=False):
    return [remark.reason for remark in found.remarks if remark.lost == lost]


def test_an_objective_over_counters_comes_along():
    slo = only(read())
    assert (slo.id, slo.name, slo.service, slo.environment) == ("shop-orders", "shop-orders", "shop", "")
    assert (slo.target, slo.period, slo.source, slo.draft) == (Decimal("0.999"), timedelta(days=30), "shop.yml", False)
    assert slo.indicator == CounterIndicator(
        "shop", None, None, MetricSelector("orders_total", (("outcome", "failed"),)), MetricSelector("orders_total")
    )
    assert slo.policy == standard_policy(slo.target, slo.period).policy


def test_what_is_counted_now_is_named_with_its_line():
    (remark,) = read().remarks
    assert (remark.line, remark.subject, remark.lost) == (7, "shop-orders", False)
    assert remark.reason == "counts orders_total of service 'shop', as OTLP metrics"


def test_the_kubernetes_form_says_the_same():
    found = read_sloth(KUBERNETES, "shop.yml")
    slo, plain = only(found), only(read())
    assert (slo.id, slo.indicator, slo.target) == (plain.id, plain.indicator, plain.target)
    assert {condition.severity for condition in slo.policy.conditions} == {"ticket"}
    assert "metadata is Kubernetes' own" in reasons(found)


def test_a_period_of_ones_own_moves_the_window_and_the_alerts():
    slo = only(read_sloth(f"{HEAD}slos:\n{SLO}", "shop.yml", period=timedelta(days=7)))
    assert slo.period == timedelta(days=7)
    assert slo.policy == standard_policy(slo.target, timedelta(days=7)).policy
    with pytest.raises(InvalidObjective, match="whole minutes"):
        read_sloth("", "x.yml", period=timedelta(seconds=90))


def test_a_target_is_exact():
    assert only(read(SLO.replace("99.9", "99.99999999999999999"))).target == Decimal("0.9999999999999999999")


def test_labels_stay_in_the_document_and_name_the_owner():
    found = read(SLO + "    labels: {team: b, size: 2}\n", HEAD + "labels: {team: a, repo: shop/shop}\n")
    (item,) = found.imported
    assert item.labels == {"team": "b", "repo": "shop/shop", "size": "2"}
    assert item.slo.owner == "b"
    assert [text for text in reasons(found) if "labels" in text] == [
        "alerts do not carry the labels team, repo",
        "alerts do not carry the labels team, size",
    ]
    document = yaml.safe_load(imported_text(found, "shop.yml"))
    assert document["metadata"]["labels"] == item.labels


def test_everything_about_alerts_is_carried_over_or_listed():
    alerting = """\
    alerting:
      name: OrdersFail
      labels: {category: money}
      annotations: {runbook_url: "https://wiki.example/orders", summary: many fail}
      page_alert: {labels: {severity: critical}, annotations: {shout: "yes"}, volume: 11}
      ticket_alert: {disable: true}
      extra: 1
"""
    found = read(SLO + alerting)
    slo = only(found)
    assert slo.runbook == "https://wiki.example/orders"
    assert {condition.severity for condition in slo.policy.conditions} == {"page"}
    assert [(remark.line, remark.reason) for remark in found.remarks[:-1]] == [
        (11, "the alert is not called 'OrdersFail' but SLOErrorBudgetBurn"),
        (12, "alerts do not carry the labels category"),
        (13, "alerts do not carry the annotations summary"),
        (16, "slos[0].alerting.extra is not known"),
        (14, "alerts do not carry the labels severity"),
        (14, "alerts do not carry the annotations shout"),
        (14, "slos[0].alerting.page_alert.volume is not known"),
    ]
    assert all(remark.instead for remark in found.remarks)


def test_without_alerts_there_is_no_policy():
    off = "    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}\n"
    assert only(read(SLO + off)).policy == NO_POLICY


def test_alerts_that_can_never_fire_are_listed():
    found = read(SLO.replace("99.9", "90"))
    (warning,) = [text for text in reasons(found) if "left out" in text]
    assert "1h/5m page" in warning
    assert len(only(found).policy.conditions) == 3


@pytest.mark.parametrize(
    ("slos", "reason"),
    [
        (SLO.replace("99.9", "100"), "objective 100 must lie between 0 and 100"),
        (SLO.replace("99.9", "0"), "objective 0 must lie"),
        (SLO.replace("99.9", "most"), "must be a number"),
        (SLO.replace("name: orders", "title: orders"), "name is missing"),
        (SLO.replace("name: orders", "name: [a]"), "must be text"),
        (SLO.replace("sli:", "slo:"), "sli is missing"),
        (SLO.replace("total_query", "query"), "total_query is missing"),
        (SLO.replace("events:", "happenings:"), "neither events nor raw nor plugin"),
        (SLO.replace('"failed"', '~"f.*"'), "selects with"),
        (SLO + SLO, "two objectives become 'shop-orders'"),
        ("  - name: a\n    objective: 9\n    sli: {raw: {error_ratio_query: x}}\n", "a ratio without events"),
        ("  - name: a\n    objective: 9\n    sli: {plugin: {id: orders, options: {a: b}}}\n", "plugin 'orders'"),
        ("  - name: a\n    objective: 9\n    sli: {plugin: {}}\n", "plugin ''"),
    ],
)
def test_an_objective_that_cannot_come_along_is_listed_as_lost(slos, reason):
    found = read(slos)
    (lost,) = [remark for remark in found.remarks if remark.lost]
    assert reason in lost.reason
    assert lost.instead
    assert lost.line > 3
    assert len(found.imported) + 1 == slos.count("- name") + slos.count("- title")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version: prometheus/v2\nservice: a\nslos: []", "this is not Sloth's"),
        ("kind: SLO", "this is not Sloth's"),
        ("[1", "this is not YAML"),
        ("- 1", "must be"),
        ("version: prometheus/v1\nslos: []", "service is missing"),
        (HEAD, "slos is missing"),
        (HEAD + "slos: 1", "must be a list"),
        (f"{HEAD}labels: {{a: [1]}}\nslos:\n{SLO}", "must be text"),
        ("apiVersion: sloth.slok.dev/v1\nkind: Other", "kind 'Other' is not known"),
        ("apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel", "spec is missing"),
        ("apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec: {sloPeriod: 7d}", "alert windows of one's own"),
        (f'version: prometheus/v1\nservice: ""\nslos:\n{SLO}', "needs a service name"),
    ],
)
def test_a_document_that_cannot_be_used_is_listed_as_lost(text, reason):
    found = read_sloth(text, "shop.yml")
    assert found.imported == []
    (lost,) = reasons(found, lost=True)
    assert reason in lost


def test_one_bad_document_hides_no_other():
    found = read_sloth(f"kind: SLO\n---\n{HEAD}slos:\n{SLO}", "shop.yml")
    assert only(found).id == "shop-orders"
    assert [(remark.line, remark.lost) for remark in found.remarks] == [(1, True), (9, False)]


def test_fields_that_nothing_reads_are_listed():
    head = HEAD + "slo_plugins: {chain: []}\ncolour: red\n"
    extra = (
        SLO.replace("      events:", "      sort: x\n      events:")
        + "        note: x\n    plugins: {chain: []}\n    x: 1\n"
    )
    found = reasons(read(extra, head))
    assert [text for text in found if "is not known" in text] == [
        "colour is not known",
        "slos[0].x is not known",
        "slos[0].sli.sort is not known",
        "slos[0].sli.events.note is not known",
    ]
    assert len([text for text in found if text.startswith("plugins change")]) == 2


def test_the_written_file_lists_the_remarks_above_the_documents():
    text = imported_text(read(CODES + SLO), "shop.yml")
    comments, _, documents = text.partition("---\napiVersion")
    assert "# 1 objective(s) of shop.yml, which is Sloth's; 1 not imported." in comments
    assert '# line 9: shop-codes: not imported: error_query selects with code=~"5.."' in comments
    assert all(line.startswith("#") for line in comments.splitlines())
    assert yaml.safe_load("apiVersion" + documents)["metadata"]["name"] == "shop-orders"


def test_the_proposal_over_spans_is_an_objective_that_reads_back():
    found = read(CODES)
    (lost,) = [remark for remark in found.remarks if remark.lost]
    text = imported_text(found, "shop.yml")
    assert read_openslo(text, "shop.yml") == ([], [])
    unmarked = "".join(line.removeprefix("#|").removeprefix(" ") for line in text.splitlines(True) if line[:2] == "#|")
    slos, problems = read_openslo(unmarked, "shop.yml")
    assert (slos, problems) == ([lost.proposal], [])
    assert isinstance(lost.proposal.indicator, SpanIndicator)
    assert lost.proposal.description == "Few are told that it is our fault."


def test_odd_signs_in_a_remark_cannot_end_its_comment():
    odd = 'sum(rate(a{b!="x\u2028y\x85"}[{{.window}}]))'
    found = read(SLO.replace('sum(rate(orders_total{outcome="failed"}[{{.window}}]))', f"'{odd}'"))
    text = imported_text(found, "a\nb.yml")
    assert list(yaml.safe_load_all(text)) in ([], [None])
    assert "\\u2028" in text


@pytest.mark.parametrize(("name", "slo_id"), [("Ä ö", "shop"), ("a__B", "shop-a-b"), ("x" * 90, "shop-" + "x" * 58)])
def test_every_name_becomes_a_dns_label(name, slo_id):
    assert only(read(SLO.replace("name: orders", f"name: {name}"))).id == slo_id
