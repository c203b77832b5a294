"""Every fault that a file may name: what the daemon is asked for, and what is refused in the file."""

import pytest

from chaos.errors import ExperimentError
from chaos.experiments.experiment_file import parse_experiment


def experiment(method, more=""):
    line = "{service: gateway, sli: availability, margin: 0.01}"
    return parse_experiment(f"{{title: t, hypothesis: [{line}], method: [{method}] {more}}}", name="f", source="f.yaml")


@pytest.mark.parametrize(
    ("line", "kind", "attributes"),
    [
        (
            "latency_injection: {target: e, latency_ms: 400, jitter_ms: 50, distribution: normal, direction: upstream}",
            "latency",
            {"latency": 400, "jitter": 50, "distribution": "normal", "direction": "upstream"},
        ),
        ("network_partition: {target: e}", "partition", {"mode": "refuse", "direction": "both"}),
        (
            "network_partition: {target: e, mode: blackhole, direction: upstream}",
            "partition",
            {"mode": "blackhole", "direction": "upstream"},
        ),
        ("service_failure: {target: e}", "kill", {}),
        ("service_failure: {target: e, mode: kill, every_s: 5}", "kill", {"every_s": 5}),
        ("service_failure: {target: e, mode: hang}", "hang", {}),
        (
            "service_failure: {target: e, mode: http_errors, status: 503, share: 0.5}",
            "http",
            {"status": 503, "share": 0.5, "delay_ms": 0, "abort": False, "match": {}},
        ),
        ("resource_exhaustion: {target: e, resource: cpu, load: 0.9, workers: 2}", "cpu", {"load": 0.9, "workers": 2}),
        ("resource_exhaustion: {target: e, resource: memory, mb: 64}", "memory", {"mb": 64, "mode": "limit"}),
        ("resource_exhaustion: {target: e, resource: file_descriptors}", "file_descriptors", {"spare": 0}),
        ("resource_exhaustion: {target: e, resource: disk, mb: 10}", "disk", {"mb": 10}),
        ("cache_flush: {target: e}", "cache_flush", {}),
        ("pool_starvation: {target: e, connections: 8}", "pool", {"connections": 8}),
        ("command: {target: e}", "command", {}),
        ("container: {target: e, action: pause}", "container", {"action": "pause"}),
    ],
)
def test_a_line_of_the_method_becomes_a_fault_of_the_daemons(line, kind, attributes):
    """The mission's words in the file, the wire's words to the daemon; and the line can be written again."""
    (fault,) = experiment(f"{{{line}}}").method
    assert (fault.kind, fault.target, fault.attributes) == (kind, "e", attributes)
    assert experiment(f"{fault.written()}".replace("None", "null")).method == [fault]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("latency_injection: {target: e}", "method.0.latency_injection.latency_ms: this field is required"),
        (
            "latency_injection: {target: e, latency_ms: 1, distribution: gauss}",
            "method.0.latency_injection.distribution: Input should be 'uniform', 'normal' or 'pareto' (got 'gauss')",
        ),
        (
            "network_partition: {target: e, direction: upstream}",
            "method.0.network_partition: direction upstream needs mode blackhole or reset",
        ),
        (
            "service_failure: {target: e, mode: nap}",
            "method.0.service_failure: mode is none of kill, hang, http_errors",
        ),
        (
            "service_failure: {target: e, every_s: 0.1}",
            "method.0.service_failure.every_s: Input should be greater than or equal to 0.5 (got 0.1)",
        ),
        ("service_failure: {target: e, mode: http_errors}", "method.0.service_failure: http_errors does nothing; give"),
        (
            "service_failure: {target: e, mode: http_errors, status: 100}",
            "method.0.service_failure.status: Input should be greater than or equal to 200 (got 100)",
        ),
        (
            "service_failure: {target: e, mode: http_errors, status: 503, abort: true}",
            "method.0.service_failure: status and abort exclude each other",
        ),
        (
            "resource_exhaustion: {target: e, resource: cpu, load: 1.5}",
            "method.0.resource_exhaustion.load: Input should be less than or equal to 1 (got 1.5)",
        ),
        (
            "resource_exhaustion: {target: e, resource: luck}",
            "method.0.resource_exhaustion: resource is none of cpu, memory, file_descriptors, disk",
        ),
        ("resource_exhaustion: {target: e, resource: disk}", "method.0.resource_exhaustion.mb: this field is required"),
        ("cache_flush: {target: ''}", "method.0.cache_flush.target: String should have at least 1 character (got '')"),
        ("pool_starvation: {target: e}", "method.0.pool_starvation.connections: this field is required"),
        ("command: {target: e, inject: [rm]}", "method.0.command.inject: unknown field"),
        ("container: {target: e, action: drop}", "method.0.container.action: Input should be 'pause' or 'kill'"),
        ("cosmic_ray: {target: e}", "method.0: a line of the method is one of latency_injection, "),
        ("cache_flush: 3", "method.0.cache_flush: Input should be a valid dictionary"),
    ],
)
def test_a_bad_attribute_is_refused_in_the_file_and_not_only_by_the_daemon(line, complaint):
    """Path, value and remedy, before anything is asked of a daemon."""
    with pytest.raises(ExperimentError) as caught:
        experiment(f"{{{line}}}")
    assert str(caught.value).startswith(f"f.yaml: {complaint}")


def test_a_line_of_two_faults_is_refused():
    """Faults that belong together are lines of their own."""
    with pytest.raises(ExperimentError, match=r"method\.0: a line of the method is one of"):
        experiment("{cache_flush: {target: e}, command: {target: e}}")


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("groups: {share: 0.6}", "groups.share: Input should be less than or equal to 0.5 (got 0.6)"),
        ("blast_radius: {share: 0.2}", "blast_radius.share: 1 of the requests are hit, 0.2 are allowed"),
        ("groups: {share: 0.3}, blast_radius: {share: 0.2}", "blast_radius.share: 0.3 of the requests are hit"),
        ("safeguards: {budget_floor: 2}", "safeguards.budget_floor: Input should be less than or equal to 1 (got 2)"),
        ("schedule: sometimes", "schedule: not a cron line"),
        ("toolkit: {}", "toolkit: unknown field"),
    ],
)
def test_limits_that_cannot_be_kept_are_refused(more, complaint):
    with pytest.raises(ExperimentError) as caught:
        experiment("{latency_injection: {target: e, latency_ms: 9}}", f", {more}")
    assert str(caught.value).startswith(f"f.yaml: {complaint}")


def test_groups_need_a_fault_that_can_spare_some_requests():
    """A process is killed for everybody."""
    with pytest.raises(ExperimentError, match="groups: service_failure hits every request"):
        experiment("{service_failure: {target: e}}", ", groups: {share: 0.3}")
    assert experiment("{network_partition: {target: e}}", ", groups: {share: 0.3}").groups.share == 0.3


def test_requests_in_flight_at_a_change_belong_to_no_window():
    """Twice the longest delay, and a second at least."""
    assert experiment("{cache_flush: {target: e}}").settle_s == 1
    slow = "{latency_injection: {target: e, latency_ms: 2000}}, {latency_injection: {target: f, latency_ms: 9}}"
    assert experiment(slow).settle_s == 4
