import pytest

from chaos.errors import ExperimentError
from chaos.experiments.experiment_file import experiment_files, parse_experiment, read_experiment

GOOD = """
title: Orders answers 300 ms late
description: optional
environment: demo
hypothesis:
  - {service: gateway, sli: availability, margin: 0.01}
  - {service: gateway, sli: latency, threshold_ms: 250, margin: 0.05}
method:
  - latency_injection: {target: gateway-orders, latency_ms: 300, jitter_ms: 0}
baseline_s: 30
duration_s: 30
recovery_s: 20
lease_s: 10
min_samples: 100
"""


def test_a_file_becomes_an_experiment_named_after_it(tmp_path):
    """Every field arrives, and the fault compiles to a request with the lease."""
    path = tmp_path / "orders-late.yaml"
    path.write_text(GOOD, encoding="utf-8")
    experiment = read_experiment(path)
    assert experiment.name == "orders-late"
    assert experiment.services == ["gateway"]
    assert [line.threshold_ms for line in experiment.hypothesis] == [None, 250]
    (request,) = experiment.fault_requests()
    assert (request.kind, request.target, request.lease_ms) == ("latency", "gateway-orders", 10_000)
    assert request.attributes == {"latency": 300, "jitter": 0}


def test_durations_and_samples_have_defaults():
    """The shortest experiment has a title, a hypothesis and a fault."""
    experiment = parse_experiment(
        "{title: t, hypothesis: [{service: a, sli: availability, margin: 0}],"
        " method: [{service_failure: {target: a}}]}",
        name="x",
    )
    assert (experiment.baseline_s, experiment.duration_s, experiment.recovery_s) == (30, 30, 20)
    assert (experiment.lease_s, experiment.min_samples, experiment.environment) == (10, 100, None)
    assert experiment.fault_requests()[0].attributes == {}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("title: Orders answers 300 ms late\n", "", "f.yaml: title: this field is required"),
        (
            "latency_ms: 300",
            "latency_ms: 0",
            "f.yaml: method.0.latency_injection.latency_ms: Input should be greater than 0 (got 0)",
        ),
        (
            "latency_ms: 300",
            "latency_ms: '300'",
            "f.yaml: method.0.latency_injection.latency_ms: Input should be a valid integer (got '300')",
        ),
        ("latency_ms: 300, ", "", "f.yaml: method.0.latency_injection.latency_ms: this field is required"),
        (
            "jitter_ms: 0",
            "jiter_ms: 0",
            "f.yaml: method.0.latency_injection.jiter_ms: unknown field; check its spelling",
        ),
        ("latency_injection:", "cosmic_ray:", "f.yaml: method.0: a line of the method is one of latency_injection, "),
        ("margin: 0.05", "margin: 5", "f.yaml: hypothesis.1.margin: Input should be less than 1 (got 5)"),
        ("threshold_ms: 250, ", "", "f.yaml: hypothesis.1.threshold_ms: this field is required"),
        (
            "sli: availability,",
            "sli: availability, threshold_ms: 9,",
            "f.yaml: hypothesis.0.threshold_ms: unknown field",
        ),
        ("lease_s: 10", "lease_s: 601", "f.yaml: lease_s: Input should be less than or equal to 600 (got 601)"),
        ("lease_s: 10", "lease_s: soon", "f.yaml: lease_s: Input should be a valid number (got 'soon')"),
        ("duration_s: 30", "duration_s: true", "f.yaml: duration_s: Input should be a valid number (got True)"),
        ("min_samples: 100", "min_samples: 0", "f.yaml: min_samples: "),
        ("title: Orders", "name: n\ntitle: Orders", "f.yaml: name: unknown field"),
        ("title: Orders", "title: [", "f.yaml: not YAML: "),
        (GOOD, "", "f.yaml: an experiment is a mapping"),
        (GOOD, "- a\n- b", "f.yaml: an experiment is a mapping"),
    ],
)
def test_a_bad_field_is_named_with_its_file(old, new, complaint):
    """The message leads to the line to correct."""
    assert old in GOOD
    with pytest.raises(ExperimentError) as caught:
        parse_experiment(GOOD.replace(old, new), name="f", source="f.yaml")
    assert str(caught.value).startswith(complaint)


def test_every_bad_field_is_named_at_once():
    """Nobody corrects a file one error at a time."""
    text = GOOD.replace("margin: 0.05", "margin: 5").replace("latency_ms: 300", "latency_ms: -1")
    with pytest.raises(ExperimentError) as caught:
        parse_experiment(text, name="f")
    assert len(str(caught.value).splitlines()) == 2


def test_a_missing_file_is_an_experiment_error(tmp_path):
    """The caller handles one kind of error."""
    with pytest.raises(ExperimentError, match=r"nowhere\.yaml"):
        read_experiment(tmp_path / "nowhere.yaml")


def test_experiment_files_are_listed_by_name(tmp_path):
    """Other files and missing folders do not disturb."""
    for name in ("b.yaml", "a.yml", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in experiment_files([tmp_path, tmp_path / "no"])] == ["a.yml", "b.yaml"]
