"""Where an alert goes in a tree of routes: cases after the documents and the behaviour of Alertmanager."""

from datetime import timedelta

import pytest

from alerts.config import read_config
from alerts.route import GroupTiming, Route

RECEIVERS = "\n".join(
    f'  - {{name: {name}, webhook_configs: [{{url: "https://{name}.example"}}]}}'
    for name in ("root", "a", "a1", "a2", "b", "c", "x")
)
TREE = """
  receiver: root
  group_by: [alertname]
  group_wait: 10s
  routes:
    - matchers: ['owner=~"team-a.*"']
      receiver: a
      group_by: [owner, environment]
      group_interval: 1m
      routes:
        - matchers: ['environment="test"']
          receiver: a1
          group_by: [...]
        - matchers: ['environment="prod"']
          receiver: a2
          repeat_interval: 1h30m
          continue: true
        - matchers: ['environment=~"prod|demo"']
          group_by: []
    - matchers: ['owner="team-b"', 'severity!="info"']
      receiver: b
      continue: true
    - matchers: ['owner="team-b"']
      receiver: c
"""


def tree(text=TREE):
    return read_config(f"route:{text}\nreceivers:\n{RECEIVERS}\n", "alerts.yaml").route


CASES = {
    "no child matches": ({"alertname": "x"}, [("root", {"alertname": "x"})]),
    "no label at all": ({}, [("root", {})]),
    "a child matches and none of its own": ({"owner": "team-a2"}, [("a", {"owner": "team-a2"})]),
    "a grandchild": (
        {"owner": "team-a", "environment": "test", "k": "v"},
        [("a1", {"environment": "test", "k": "v", "owner": "team-a"})],
    ),
    "continue among siblings, and what is inherited": (
        {"owner": "team-a", "environment": "prod"},
        [("a2", {"environment": "prod", "owner": "team-a"}), ("a", {})],
    ),
    "a receiver that is inherited": ({"owner": "team-a", "environment": "demo"}, [("a", {})]),
    "an expression must match the whole value": ({"owner": "my-team-a"}, [("root", {})]),
    "continue into the next": ({"owner": "team-b"}, [("b", {}), ("c", {})]),
    "all matchers of a route": ({"owner": "team-b", "severity": "info"}, [("c", {})]),
}


@pytest.mark.parametrize(("labels", "expected"), CASES.values(), ids=list(CASES))
def test_an_alert_goes_to(labels, expected):
    assert [(found.receiver, dict(found.group_labels)) for found in tree().routes_of(labels)] == expected


def test_timings_are_inherited_and_overridden():
    prod = tree().routes_of({"owner": "team-a", "environment": "prod"})[0]
    assert prod.timing == GroupTiming(timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=90))
    assert tree("\n  receiver: root").routes_of({})[0].timing == GroupTiming(
        timedelta(0), timedelta(minutes=5), timedelta(hours=4)
    )


def test_a_group_is_named_by_the_matchers_on_the_way_and_its_labels():
    found = tree().routes_of({"owner": "team-a", "environment": "test"})[0]
    way = '{}/{owner=~"team-a.*"}/{environment="test"}'
    assert found.group_key == f'{way}:{{environment="test", owner="team-a"}}'


def test_labels_with_odd_values_name_different_groups():
    route = Route("root", group_by=("a", "b"))
    labels = [{"a": 'x", b="y'}, {"a": "x", "b": "y"}, {"a": "x\ny"}, {"a": "x\\ny"}, {"a": "x" * 10_000}]
    assert len({route.routes_of(item)[0].group_key for item in labels}) == len(labels)


def test_an_empty_label_is_none():
    assert Route("root", group_by=("a",)).routes_of({"a": ""})[0].group_labels == ()


def test_a_route_that_does_not_match_leads_nowhere():
    assert tree().routes[0].routes_of({"owner": "x"}) == ()
