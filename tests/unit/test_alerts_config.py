"""alerts.yaml: what it says is in force, and what is wrong with it is told with file, line, field, value and remedy."""
# ruff: noqa: E501 -- a fault and what is told of it stand on one line

from datetime import timedelta
from pathlib import Path

import pytest

from alerts.config import AlertingConfig, default_config, read_config
from alerts.config_problems import InvalidConfig
from alerts.config_values import parse_time_span
from alerts.errors import InvalidAlert
from alerts.route import GroupTiming, Route

WHOLE = """
route:
  receiver: team
  group_by: [service_name, environment]
  routes:
    - {matchers: ['severity="page"'], receiver: oncall, continue: true}
receivers:
  - name: oncall
    pagerduty_configs: [{routing_key_file: pd}]
    webhook_configs: [{url: "https://hook.example", secret_file: hmac}, {url_file: hook}]
  - name: team
    slack_configs: [{api_url_file: slack}]
    msteamsv2_configs: [{webhook_url: "https://teams.example/x"}]
    email_configs:
      - {to: "a@example.com, b@example.com", from: nl@example.com, smarthost: "smtp.example.com:587",
         auth_username: u, auth_password_file: mail, require_tls: false}
    apprise_configs: [{url: "ntfy://topic"}]
    allow_private_addresses: true
alertmanagers: ["http://am-1:9093", "http://am-2:9093"]
heartbeat: {url: "https://hc.example/1"}
allow_private_addresses: false
templates: templates
rules:
  - {name: QueueTooLong, metric: queue.depth, service: orders, condition: "> 1000", for: 2m, labels: {team: shop}}
no_data: {enabled: false, after: 15m}
"""
SMALL = """route: {receiver: a%s}
receivers:
  - {name: a, webhook_configs: [{url: "https://a.example"}]}
"""


def problems(text, **options):
    with pytest.raises(InvalidConfig) as caught:
        read_config(text, "alerts.yaml", **options)
    return [str(problem) for problem in caught.value.problems]


def test_a_whole_file(tmp_path):
    for name, text in {"pd": "key\n", "hmac": "s", "hook": "https://h.example", "slack": "x", "mail": "p"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "templates").mkdir()
    config = read_config(WHOLE, "alerts.yaml", folder=tmp_path)
    assert config.warnings == ()
    assert config.channels_of == {
        "oncall": ("oncall/webhook-1", "oncall/webhook-2", "oncall/pagerduty-1"),
        "team": ("team/slack-1", "team/msteamsv2-1", "team/email-1", "team/apprise-1"),
    }
    assert config.alertmanagers == ("http://am-1:9093", "http://am-2:9093")
    assert config.told == config.channels_of | {"": ("alertmanager-1", "alertmanager-2")}
    assert AlertingConfig().told == {}
    assert config.heartbeat.secret_value("url") == "https://hc.example/1"
    assert config.templates == tmp_path / "templates"
    assert (config.rules[0].name, config.rules[0].labels) == ("QueueTooLong", {"team": "shop"})
    assert (config.no_data.enabled, config.no_data.after) == (False, timedelta(minutes=15))
    oncall, team = config.receivers
    assert oncall.pagerduty_configs[0].secret_value("routing_key") == "key"
    assert oncall.webhook_configs[1].secret_value("url") == "https://h.example"
    assert oncall.webhook_configs[1].secret_value("secret") == ""
    mail = team.email_configs[0]
    assert (mail.to, mail.sender) == (("a@example.com", "b@example.com"), "nl@example.com")
    assert (mail.host, mail.port, mail.require_tls) == ("smtp.example.com", 587, False)
    assert (oncall.allow_private_addresses, team.allow_private_addresses) == (False, True)
    labels = {"severity": "page", "service_name": "s"}
    assert [found.receiver for found in config.route.routes_of(labels)] == ["oncall"]
    assert [found.receiver for found in config.route.routes_of({})] == ["team"]


def test_secrets_are_shown_nowhere():
    text = SMALL % "" + '    # a comment\nheartbeat: {url: "https://hc.example/hidden"}\n'
    assert "hidden" not in repr(read_config(text, "alerts.yaml"))
    config = SMALL.replace("https://a.example", "https://user:hidden@a.example/hidden") % ""
    assert "hidden" not in repr(read_config(config, "alerts.yaml"))
    for wrong in ("ftp://hidden", "hidden", "[hidden]", "{hidden: 1}", "https:// hidden", "https://[hidden"):
        told = problems((SMALL % "").replace('"https://a.example"', f'"{wrong}"' if wrong[0] not in "[{" else wrong))
        assert "hidden" not in "".join(told).replace("url.hidden", "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SMALL % ", routes: [{receiver: b}]", "1: error: route.routes[0].receiver: there is no receiver 'b'; the receivers are a"),
        ("route: {receiver: b}", "1: error: route.receiver: there is no receiver 'b'; the receivers are none; write receivers:"),
        (SMALL % "" + "  - {name: a, webhook_configs: [{url: 'https://b.example'}]}\n", "4: error: receivers[1].name: two receivers are named 'a'; rename one, or put their channels together"),
        (SMALL % "" + "  - {name: b}\n", "4: error: receivers[1]: receiver 'b' has no channel; add one, such as webhook_configs: [{url: …}]"),
        ((SMALL % "").replace("route: {receiver: a}", ""), "2: error: receivers: no route leads to them; write route: {receiver: a}"),
        ((SMALL % "").replace("receiver: a}", "group_by: []}"), "1: error: route: receiver is missing; write receiver: with the name of one of the receivers"),
        (SMALL % ", matchers: [a=b]", "1: error: route.matchers: the first route takes every alert; move the matchers to a route below it"),
        (SMALL % ", continue: true", "1: error: route.continue: nothing comes after the first route; leave continue out"),
        (SMALL % ", group_by: [x, '']", "1: error: route.group_by[1]: '' is no label; write letters, digits and _, or '...' alone for every label"),
        (SMALL % ", group_by: [x, x]", "1: error: route.group_by[1]: 'x' is written twice; keep one"),
        (SMALL % ", group_by: [x, ...]", "1: error: route.group_by: '...' already means every label; write it alone"),
        (SMALL % ", repeat_interval: 0s", "1: error: route.repeat_interval: 0 would repeat without end; write a longer time, such as 4h"),
        (SMALL % ", group_wait: 5", "1: error: route.group_wait: 5 is no duration; write it with its unit, such as 5m or 1h30m"),
        (SMALL % ", group_wait: soon", "1: error: route.group_wait: 'soon' is no duration; write whole numbers with w, d, h, m, s or ms, such as 5m or 1h30m"),
        (SMALL % ", routes: [{matchers: [a]}]", "1: error: route.routes[0].matchers[0]: 'a' is no matcher; write name=\"value\", or with != , =~ , !~"),
        (SMALL % ", routes: [{matchers: [5]}]", "1: error: route.routes[0].matchers[0]: 5 is no matcher; write 'name=\"value\"' in quotes"),
        (SMALL % ", routes: [{matchers: a=b}]", "1: error: route.routes[0].matchers: matchers must be a list; write - before each item, not 'a=b'"),
        (SMALL % ", match: {a: b}", "1: error: route.match: unknown field match; write matchers: ['name=\"value\"']; known here: receiver, matchers, continue, group_by, group_wait, group_interval, repeat_interval, routes"),
        (SMALL % ", continue: [1]", "1: error: route.continue: continue must be true or false, not a list"),
        (SMALL % ", continue: maybe", "1: error: route.continue: continue must be true or false, not 'maybe'"),
        (SMALL % "" + "    send_resolved: false\n", "is not YAML"),
        ((SMALL % "").replace("url:", "send_resolved: false, url:"), "3: error: receivers[0].webhook_configs[0].send_resolved: unknown field send_resolved; whoever was told that an alert fires is always told that it is over; known here: url, url_file, secret, secret_file"),
        ((SMALL % "").replace("url:", "url_file: x, url:"), "3: error: receivers[0].webhook_configs[0]: url and url_file are both there; keep one"),
        ((SMALL % "").replace('url: "https://a.example"', ""), "3: error: receivers[0].webhook_configs[0]: url is missing; write url_file: with the path of the file that holds it, or url:"),
        ((SMALL % "").replace("https://a", "ftp://a"), "3: error: receivers[0].webhook_configs[0].url: this is no address of a web server; write https://host/path"),
        ((SMALL % "").replace("name: a", "name: ''"), "3: error: receivers[0].name: name is empty; write at least one"),
        ((SMALL % "").replace("name: a,", ""), "3: error: receivers[0].name: name is missing; write name:"),
        ("receivers:\n- name: a\n  email_configs:\n  - {to: x, from: a@b, smarthost: 'h:25'}", "4: error: receivers[0].email_configs[0].to[0]: 'x' is no e-mail address; write name@host"),
        ("receivers:\n- name: a\n  email_configs:\n  - {to: [], from: a@b, smarthost: 'h:25'}", "4: error: receivers[0].email_configs[0].to: to is empty; write at least one"),
        ("receivers:\n- name: a\n  email_configs:\n  - {to: 5, from: a@b, smarthost: 'h:99999'}", "4: error: receivers[0].email_configs[0].smarthost: 'h:99999' is no mail server; write host:port, such as smtp.example.com:587"),
        ("receivers:\n- name: a\n  apprise_configs: [{url: ntfy}]", "3: error: receivers[0].apprise_configs[0].url: this is no address for Apprise; write service://…, such as ntfy://topic"),
        ("rules: [{name: A, metric: m, condition: '> 1'}, {name: A, metric: m, condition: '> 2'}]", "1: error: rules[1].name: two rules are named 'A'; rename one"),
        ("rules: [{name: A}]", "1: error: rules[0]: 'metric' is missing; write `metric: ...` (the name of a metric that services send)"),
        ("no_data: {after: 1s}", "1: error: no_data: 'after' is 1s; write a duration from 2m to 1d"),
        ("alertmanagers: [am]", "1: error: alertmanagers[0]: this is no address of a web server; write https://host/path"),
        ("routes: {}", "1: error: routes: unknown field routes; write route; known here: route, receivers, alertmanagers, heartbeat, allow_private_addresses, templates, rules, no_data"),
        ("route: {}\nroute: {}", "2: error: route: route is written twice; keep one"),
        ("- a\n- b", ": error: the file holds several documents; keep one, without ---"),
        ("# nothing", ": error: the file is empty; write a route and receivers"),
        ("a text", "1: error: it must be a mapping; write field: value, not 'a text'"),
        ("route: [\n", "2: error: this is not YAML: did not find expected node content"),
        ("route: !x y", "1: error: route: route cannot be read: could not determine a constructor for the tag '!x'; write it in quotes"),
        ("route: 2026-13-01", "1: error: route: route cannot be read: month must be in 1..12; write it in quotes"),
        ("route:", None),
        ("a: &a [x, x]\nb: &b [*a, *a, *a, *a]\n" + "".join(f"c{n}: &c{n} [{', '.join(['*' + ('b' if n == 0 else f'c{n - 1}')] * 9)}]\n" for n in range(9)), "there are more than 100,000 values; write fewer aliases"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place_and_a_remedy(text, told):
    if told is None:
        assert read_config(text, "alerts.yaml") == AlertingConfig()
    else:
        assert any(told in line and line.startswith("alerts.yaml:") for line in problems(text)), problems(text)


def test_all_that_is_wrong_is_told_at_once():
    assert len(problems(SMALL % ", group_by: [''], routes: [{matchers: [x]}]")) == 2
    assert len(problems(SMALL % ", group_by: [x, x], routes: [{receiver: b}]" + "  - {name: b2}\n")) == 3


def test_a_secret_that_cannot_be_read_and_a_missing_folder_are_warnings(tmp_path):
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "large").write_text("x" * 5000)
    (tmp_path / "bytes").write_bytes(b"\xff")
    text = """route: {receiver: a}
templates: nowhere
receivers:
  - name: a
    webhook_configs: [{url_file: missing}, {url_file: empty}]
    slack_configs:
      - {api_url_file: large}
      - {api_url_file: bytes}
"""
    config = read_config(text, "alerts.yaml", folder=tmp_path)
    assert [(found.level, found.line, found.path) for found in config.warnings] == [
        ("warning", 2, "templates"),
        ("warning", 5, "receivers[0].webhook_configs[0].url_file"),
        ("warning", 5, "receivers[0].webhook_configs[1].url_file"),
        ("warning", 7, "receivers[0].slack_configs[0].api_url_file"),
        ("warning", 8, "receivers[0].slack_configs[1].api_url_file"),
    ]
    reasons = " ".join(found.reason for found in config.warnings)
    for told in ("No such file", "is empty; write url alone", "more than 4096 characters", "not UTF-8", "is no folder"):
        assert told in reasons
    with pytest.raises(InvalidAlert, match=r"url_file .*missing cannot be read"):
        config.receivers[0].webhook_configs[0].secret_value("url")


def test_a_receiver_that_no_route_leads_to_is_a_warning():
    text = (
        SMALL % ", routes: [{receiver: a, matchers: [x=y]}]"
    ) + "  - {name: b, webhook_configs: [{url: 'https://b'}]}\n"
    (warning,) = read_config(text, "alerts.yaml").warnings
    assert str(warning) == (
        "alerts.yaml:4: warning: receivers[1].name: no route leads to 'b'; name it in a route, or leave it out"
    )


def test_a_heartbeat_whose_address_cannot_be_read_is_a_warning(tmp_path):
    (warning,) = read_config("heartbeat: {url_file: nowhere}", "alerts.yaml", folder=tmp_path).warnings
    assert (warning.line, warning.path) == (1, "heartbeat.url_file")


def test_the_webhooks_of_the_setting_make_the_receiver_where_there_is_no_file():
    config = default_config(["http://127.0.0.1:9/x", "https://b.example"])
    assert config.channels_of == {"default": ("default/webhook-1", "default/webhook-2")}
    assert config.receivers[0].allow_private_addresses
    (found,) = config.route.routes_of(
        {"alertname": "a", "slo_id": "s", "severity": "page", "environment": "e", "k": "v"}
    )
    assert dict(found.group_labels) == {"alertname": "a", "slo_id": "s", "severity": "page", "environment": "e"}
    assert found.timing == GroupTiming(group_interval=timedelta(0))
    assert default_config() == AlertingConfig()
    assert default_config().route == Route("")


@pytest.mark.parametrize(("written", "labels"), [("", ["environment", "service_name"]), (", group_by: []", [])])
def test_alerts_are_grouped_by_whom_they_concern_unless_the_file_says_otherwise(written, labels):
    config = read_config(SMALL % written, "alerts.yaml")
    (found,) = config.route.routes_of({"service_name": "shop", "environment": "prod", "x": "1"})
    assert sorted(dict(found.group_labels)) == labels


def test_the_webhooks_of_the_setting_are_told_beside_what_the_file_says():
    config = read_config(SMALL % ", group_by: [x]", "alerts.yaml", webhooks=["http://127.0.0.1:9"])
    assert [found.receiver for found in config.route.routes_of({"x": "1"})] == ["default", "a"]
    assert list(config.channels_of) == ["default", "a"]
    told = problems((SMALL % "").replace("name: a", "name: default"), webhooks=["http://127.0.0.1:9"])
    assert "'default' is the receiver of NINELIVES_WEBHOOKS; write another name" in told[0]


def test_paths_stay_as_they_are_without_a_folder():
    text = (SMALL % "").replace('url: "https://a.example"', "url_file: /run/secrets/x")
    assert read_config(text, "f").receivers[0].webhook_configs[0].url_file == Path("/run/secrets/x")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("1h30m", 5400), ("1w", 604800), ("1d2h3m4s5ms", 93784.005), ("90s", 90)]
)
def test_durations(text, seconds):
    assert parse_time_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "-5m", "5 m", "1m1h", "5M", "1.5h", "999999999w", "4000d"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match=r"is no duration|longer than ten years"):
        parse_time_span(text)


def test_a_template_that_raises_is_a_warning_of_the_file_that_names_it(tmp_path):
    (tmp_path / "text.j2").write_text("{{ 1 / 0 }}", "utf-8")
    config = read_config(f"rules: []\ntemplates: {tmp_path}", "alerts.yaml")
    (warning,) = map(str, config.warnings)
    assert warning.startswith("alerts.yaml:2: warning: templates: template")
    assert "text.j2, line 1: ZeroDivisionError: division by zero; the built-in template is used instead" in warning
