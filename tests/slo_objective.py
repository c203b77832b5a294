"""Objectives of tests, as SLO files say them: what a definition becomes inside is nobody's business here."""

from slo.openslo import read_openslo

TEXT = """apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}, annotations: {{ninelives/alert-policy: {policy}}}}}
spec:
  service: shop
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: spans, spec: {{good: {good}, filter: {filter}}}}}}}
        total: {{metricSource: {{type: spans, spec: {{filter: {filter}}}}}}}
  timeWindow: [{{duration: {window}, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: a, target: {target}}}]
"""


def objective(
    name="shop", *, target="0.999", window="30d", good="not error", filter_text='kind = "server"', policy="burn-rate"
):
    """Return the text of one objective of the service `shop`."""
    given = {"name": name, "target": target, "window": window, "good": good, "policy": policy}
    return TEXT.format(filter=f"'{filter_text}'", **given)


def timeslices(empty, **given):
    """Return the text of an objective on good minutes; a minute without requests is as *empty* says."""
    text = objective(policy="none", **given).replace("budgetingMethod: Occurrences", "budgetingMethod: Timeslices")
    text = text.replace("ninelives/alert-policy:", f"ninelives/empty-slices: {empty}, ninelives/alert-policy:")
    return text.replace("displayName: a,", "displayName: a, timeSliceTarget: 0.95, timeSliceWindow: 1m,")


def read(text):
    """Return the one objective of *text*, which must be without errors."""
    (slo,), problems = read_openslo(text, "shop.yaml")
    assert all(problem.level == "warning" for problem in problems), problems
    return slo
