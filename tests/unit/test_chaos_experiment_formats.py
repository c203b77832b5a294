"""Our short form and Chaos Toolkit's format say the same."""

import json

import pytest
import yaml
from chaoslib.experiment import ensure_experiment_is_valid
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.errors import ExperimentError
from chaos.experiments import fault_specs as faults
from chaos.experiments.experiment import BlastRadius, Experiment, GroupSplit, Safeguards
from chaos.experiments.experiment_file import experiment_of, parse_experiment, read_experiment
from chaos.experiments.hypotheses import AlertHypothesis, AvailabilityHypothesis, LatencyHypothesis, SloHypothesis
from chaos.experiments.toolkit_document import compile_short

words = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)
sentences = st.text(st.characters(codec="utf-8", exclude_characters="$", exclude_categories=("C",)), max_size=40)
ratios = st.floats(0, 0.99)
seconds = st.integers(1, 600).map(float) | st.floats(1, 600)
lines = st.one_of(
    st.builds(AvailabilityHypothesis, service=words, sli=st.just("availability"), margin=ratios),
    st.builds(
        LatencyHypothesis, service=words, sli=st.just("latency"), threshold_ms=st.floats(0.1, 1e4), margin=ratios
    ),
    st.builds(SloHypothesis, slo=words, margin=st.none() | ratios),
    st.builds(AlertHypothesis, alert=words, within_s=st.none() | seconds),
)
splittable = st.one_of(
    st.builds(
        faults.LatencyInjection, target=words, latency_ms=st.integers(1, 9000), jitter_ms=st.integers(0, 99),
        distribution=st.sampled_from(["uniform", "normal", "pareto"]),
        direction=st.sampled_from(["upstream", "downstream"]), seed=st.none() | st.integers(0, 99) | words,
    ),
    st.builds(faults.NetworkPartition, target=words, mode=st.sampled_from(["refuse", "blackhole", "reset"])),
    st.builds(faults.NetworkPartition, target=words, mode=st.just("blackhole"), direction=st.just("upstream")),
    st.builds(
        faults.HttpFailure, target=words, mode=st.just("http_errors"), status=st.integers(400, 599),
        share=st.floats(0.01, 1), delay_ms=st.integers(0, 100),
        match=st.dictionaries(words, words, max_size=2), seed=st.none() | words,
    ),
)  # fmt: skip
whole = st.one_of(
    st.builds(faults.KillFailure, target=words, every_s=st.none() | st.floats(0.5, 600)),
    st.builds(faults.HangFailure, target=words, mode=st.just("hang")),
    st.builds(
        faults.CpuExhaustion, target=words, resource=st.just("cpu"), load=st.floats(0.1, 1),
        workers=st.none() | st.integers(1, 8),
    ),
    st.builds(
        faults.MemoryExhaustion, target=words, resource=st.just("memory"), mb=st.integers(1, 512),
        mode=st.sampled_from(["limit", "ballast"]),
    ),
    st.builds(
        faults.FileDescriptorExhaustion, target=words, resource=st.just("file_descriptors"), spare=st.integers(0, 9)
    ),
    st.builds(faults.DiskExhaustion, target=words, resource=st.just("disk"), mb=st.integers(1, 512)),
    st.builds(faults.CacheFlush, target=words),
    st.builds(faults.PoolStarvation, target=words, connections=st.integers(1, 50)),
    st.builds(faults.CommandFault, target=words),
    st.builds(faults.ContainerFault, target=words, action=st.sampled_from(["pause", "kill"])),
)  # fmt: skip


@st.composite
def experiments(draw):
    groups = draw(st.none() | st.builds(GroupSplit, share=st.floats(0.01, 0.5)))
    return Experiment(
        name="x",
        title=draw(sentences.filter(bool)),
        description=draw(sentences),
        environment=draw(st.none() | words),
        hypothesis=draw(st.lists(lines, min_size=1, max_size=4)),
        method=draw(st.lists(splittable if groups else splittable | whole, min_size=1, max_size=4)),
        groups=groups,
        seed=draw(st.just("") | words),
        baseline_s=draw(seconds),
        duration_s=draw(seconds),
        recovery_s=draw(seconds),
        lease_s=draw(seconds),
        min_samples=draw(st.integers(1, 999)),
        safeguards=Safeguards(budget_floor=draw(ratios), abort=draw(st.booleans()), allow_firing=draw(st.booleans())),
        blast_radius=BlastRadius(services=draw(st.lists(words, max_size=3)), budget_cost=draw(st.none() | ratios)),
        schedule=draw(st.sampled_from(["", "0 10 * * 5"])),
    )


@given(experiments())
@settings(max_examples=25, deadline=None)
def test_a_compiled_experiment_is_valid_for_the_toolkit_and_reads_as_itself(experiment):
    """Through JSON, as files go, and after the toolkit has had it in its hands."""
    document = json.loads(json.dumps(compile_short(experiment)))
    again = json.loads(json.dumps(document))
    ensure_experiment_is_valid(document)
    assert experiment_of(again, name="x", source="x") == experiment


@pytest.fixture
def short():
    return parse_experiment(
        "{title: Late, hypothesis: [{service: a, sli: availability, margin: 0.01}, {alert: x}], duration_s: 40,"
        " method: [{latency_injection: {target: e, latency_ms: 9}}, {network_partition: {target: f}}],"
        " groups: {share: 0.2}}",
        name="late",
    )


def test_stock_chaos_run_holds_the_faults_for_the_duration_and_reverts_each(short):
    """All faults, then the pause, then a rollback a fault, whatever happened before."""
    document = compile_short(short)
    assert [each["provider"]["func"] for each in document["method"]] == ["latency_injection", "network_partition"]
    assert [each.get("pauses") for each in document["method"]] == [None, {"after": 40}]
    assert [each["provider"]["arguments"] for each in document["rollbacks"]] == [
        {"target": "e", "kind": "latency"}, {"target": "f", "kind": "partition"}
    ]  # fmt: skip
    assert document["runtime"]["rollbacks"] == {"strategy": "always"}


def test_stock_chaos_run_hits_no_more_requests_than_the_groups_say(short):
    """The arms are part of the action, or all requests would be hit."""
    for activity in compile_short(short)["method"]:
        assert activity["provider"]["arguments"]["groups"] == {"share": 0.2, "seed": "Late"}


def test_both_forms_are_read_from_yaml_and_json(short, tmp_path):
    """The suffix says nothing; both are named after the file."""
    document = compile_short(short)
    for name, text in (("late.json", json.dumps(document)), ("late.yaml", yaml.safe_dump(document))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert read_experiment(tmp_path / name) == short


FOREIGN = {
    "title": "Somebody's",
    "description": "d",
    "method": [{"type": "probe", "name": "p", "provider": {"type": "http", "url": "http://127.0.0.1/"}}],
    "rollbacks": [],
}


def test_another_experiment_keeps_its_activities():
    """The toolkit's library runs them; compiling gives the very document."""
    found = experiment_of(FOREIGN, name="theirs", source="theirs.json")
    assert (found.title, found.method, found.toolkit) == ("Somebody's", [], FOREIGN)
    assert compile_short(found) == FOREIGN


def test_another_experiment_can_carry_our_hypothesis_in_its_extension():
    """Their faults, our judge."""
    ours = {"name": "ninelives", "hypothesis": [{"slo": "a"}], "duration_s": 5}
    found = experiment_of({**FOREIGN, "extensions": [{"name": "other"}, ours]}, name="x", source="x")
    assert ([line.slo for line in found.objectives], found.duration_s) == (["a"], 5)
    assert found.toolkit is not None


@pytest.mark.parametrize("place", ["method", "rollbacks", "controls", "hypothesis"])
def test_anything_of_other_peoples_in_a_document_makes_the_toolkit_run_it(short, place):
    """A rollback, a safeguard or a probe that is not ours must not be lost."""
    document = compile_short(short)
    activities = document["steady-state-hypothesis"]["probes"] if place == "hypothesis" else document[place]
    activities.append(FOREIGN["method"][0])
    assert experiment_of(document, name="x", source="x").toolkit == document


def written_by_hand(*changes):
    """Our actions and our hypothesis; what else the extension could say stands in the actions."""
    action = {"target": "e", "latency_ms": 9, "lease_s": 4, "groups": {"share": 0.1, "seed": "s"}}
    provider = {"type": "python", "module": "chaos.toolkit.actions", "func": "latency_injection"}
    method = [
        {
            "type": "action",
            "name": "a",
            "pauses": {"after": 7},
            "provider": {**provider, "arguments": {**action, **change}},
        }
        for change in changes
    ]
    ours = {"name": "ninelives", "hypothesis": [{"slo": "a"}]}
    return {"title": "t", "description": "d", "method": method, "extensions": [ours]}


def test_what_the_actions_of_a_document_say_of_all_is_not_lost():
    """Above all not that they spare most requests."""
    found = experiment_of(written_by_hand({}, {"target": "f"}), name="x", source="x")
    assert (found.lease_s, found.groups.share, found.seed, found.duration_s) == (4, 0.1, "s", 14)


def test_actions_that_contradict_each_other_are_refused():
    with pytest.raises(ExperimentError, match="x: method: groups differs from action to action"):
        experiment_of(written_by_hand({}, {"groups": None}), name="x", source="x")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"title": ""}, "f.json: title: a Chaos Toolkit experiment has a title (got '')"),
        ({"description": 3}, "f.json: description: a Chaos Toolkit experiment has a description (got 3)"),
        ({"method": None}, "f.json: method: a Chaos Toolkit experiment has a list of activities (got None)"),
        ({"extensions": ["x"]}, "f.json: extensions: write a list of mappings with a name"),
        ({"extensions": [{"name": "ninelives", "lease_s": 0}]}, "f.json: lease_s: Input should be greater than or "),
        ({"extensions": [{"name": "ninelives", "leas_s": 1}]}, "f.json: leas_s: unknown field"),
        ({"extensions": [{"name": "ninelives", "title": "t"}]}, "f.json: extensions.ninelives.title: unknown field"),
    ],
)
def test_a_bad_document_of_the_toolkits_format_is_named_with_its_field(change, complaint):
    with pytest.raises(ExperimentError) as caught:
        experiment_of({**FOREIGN, **change}, name="f", source="f.json")
    assert str(caught.value).startswith(complaint)


def test_a_bad_argument_of_our_action_is_named_like_a_line_of_the_short_form(short):
    """The same check for both forms."""
    document = compile_short(short)
    document["method"][0]["provider"]["arguments"]["latency_ms"] = -1
    with pytest.raises(ExperimentError, match=r"method\.0\.latency_injection\.latency_ms: Input should be greater"):
        experiment_of(document, name="f", source="f")
