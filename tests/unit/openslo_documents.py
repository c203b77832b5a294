"""OpenSLO documents for tests, and reading one of them."""

from slo.openslo import read_openslo

GOOD = "{metricSource: {type: spans, spec: {service: checkout, kind: server, good: not error}}}"
TOTAL = "{metricSource: {type: spans, spec: {service: checkout, kind: server}}}"
OBJECTIVES = "[{displayName: availability, target: 0.999}]"
WINDOW = "[{duration: 30d, isRolling: true}]"
AVAILABILITY = f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: checkout-availability}}
spec:
  service: checkout
  indicator:
    metadata: {{name: checkout-availability}}
    spec:
      ratioMetric:
        counter: false
        good:  {GOOD}
        total: {TOTAL}
  timeWindow: {WINDOW}
  budgetingMethod: Occurrences
  objectives: {OBJECTIVES}
"""


def source(spec, kind="spans"):
    return f"{{metricSource: {{type: {kind}, spec: {{{spec}}}}}}}"


def ratio(good, total, side="good", kind="spans"):
    text = AVAILABILITY.replace(GOOD, source(good, kind)).replace(TOTAL, source(total, kind))
    text = text.replace("counter: false", "counter: true") if kind == "metrics" else text
    return text if side == "good" else text.replace("good:  ", "bad: ")


def threshold(spec, objective, kind="spans"):
    """Return a document with a thresholdMetric whose one objective has these fields."""
    start, end = AVAILABILITY.index("      ratioMetric:"), AVAILABILITY.index("  timeWindow:")
    metric = f"      thresholdMetric: {source(spec, kind)}\n"
    text = AVAILABILITY[:start] + metric + AVAILABILITY[end:]
    text = text.replace(OBJECTIVES, f"[{{{objective}}}]")
    return text.replace("Occurrences", "Timeslices") if "timeSliceTarget" in objective else text


def annotated(text):
    return AVAILABILITY.replace("availability}\nspec", f"availability, annotations: {{{text}}}}}\nspec", 1)


def read_one(text, *, strict=True):
    """Return the one objective of *text*, about which there is nothing to say."""
    slos, problems = read_openslo(text, "checkout.yaml", strict=strict)
    assert problems == []
    (slo,) = slos
    return slo


def only_problem(text, *, strict=False, name="checkout.yaml"):
    """Return the one error of *text*, which has no objective then."""
    slos, problems = read_openslo(text, name, strict=strict)
    assert slos == []
    (problem,) = problems
    assert (problem.file, problem.level) == (name, "error")
    return problem


def warned(text, expected):
    """Return the one objective that lenient reading makes of *text* with one warning that holds *expected*.

    Strict reading refuses the same.
    """
    ((slo,), (problem,)) = read_openslo(text, "checkout.yaml")
    assert expected in problem.reason
    assert problem.level == "warning"
    refused, errors = read_openslo(text, "checkout.yaml", strict=True)
    assert refused == []
    assert [(error.level, error.path, error.reason) for error in errors] == [("error", problem.path, problem.reason)]
    return slo
