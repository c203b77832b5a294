"""Messages in words: what a person reads, and templates of the operator's own."""

import html.parser
import logging
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.escaping import ESCAPES, escape_markdown, is_web_address, link
from alerts.evidence import Evidence
from alerts.rendering import FORMATS, Renderer
from tests.unit.alert_messages import (
    EVIDENCE,
    FIRING,
    GROUP,
    LINKS,
    MESSAGES,
    NOW,
    PAGE,
    QUEUE,
    RECOVERED,
    RESOLVED,
    hostile,
    message,
    message_alert,
)

RENDERER = Renderer()


def of(transition, evidence=None):
    return message("key", message_alert(transition, evidence))


def test_the_title_says_how_urgent_what_where_and_how_bad():
    assert RENDERER.title(FIRING) == (
        "[PAGE] checkout in prod: 7.3 % of requests failed in the last 5 minutes (219 of 3,000); objective 99.9 %"
    )
    assert RENDERER.title(RESOLVED).startswith("[RESOLVED] checkout in prod: recovered after 12 min; now 0 %")
    assert RENDERER.title(GROUP).startswith("[PAGE] checkout, prod: 2 firing, 1 recovered; first: 7.3 %")


@pytest.mark.parametrize("form", FORMATS)
def test_a_person_reads_who_how_bad_since_why_budget_and_what_to_do(form):
    body = RENDERER.body(FIRING, form)
    for said in (
        "bad requests on POST /pay",
        "219 of 3,000 bad in 5m, burn rate 73x",
        "1,971 of 36,000 bad in 1h, burn rate 54.75x",
        "2026-03-01 03:00 UTC",
        "inventory (SELECT stock) caused 82 % of the bad requests (1,616)",
        "payment.provider=acme: 91 % of bad, 8 % of good requests; lift 11.38x",
        "deployment of inventory 2.4.1 at 2026-03-01 02:51 UTC",
        "experiment slow stock database since 2026-03-01 02:40 UTC",
        "75 % left",
        "gone at 2026-03-01 16:41 UTC",
        "https://runbooks.example/checkout",
        "/api/v1/acknowledge?token=a-token",
        "/evidence?token=e-token",
        "/trace?trace=4bf92f3577b34da6a3ce929d0e0e4736",
    ):
        assert said in body, said


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_over_needs_nobody_to_acknowledge_it_and_has_no_forecast(form):
    body = RENDERER.body(RESOLVED, form)
    assert "2026-03-01 03:00 UTC until 2026-03-01 03:12 UTC (12 min)" in body
    assert "acknowledge" not in body
    assert "gone at" not in body


@pytest.mark.parametrize("form", FORMATS)
def test_a_group_tells_of_each_alert_and_of_those_that_it_leaves_out(form):
    body = RENDERER.body(GROUP, form)
    assert [body.count(tag) for tag in ("PAGE", "TICKET", "RESOLVED")] == [1 + (form == "html"), 1, 1]
    assert "2 more alerts are not listed" in body


@pytest.mark.parametrize("form", FORMATS)
def test_without_evidence_there_is_no_empty_answer(form):
    body = RENDERER.body(of(PAGE), form)
    assert "Why" not in body
    assert "219 of 3,000" in body


@pytest.mark.parametrize(
    ("transition", "evidence", "said"),
    [
        (replace(PAGE, flapping=True, firings=(NOW, NOW, NOW)), None, "flapping: it fired 3 times lately"),
        (replace(PAGE, fired_at=NOW + timedelta(minutes=2)), None, "03:00 UTC, alert since 2026-03-01 03:02 UTC"),
        (replace(PAGE, details=replace(PAGE.details, error_budget_remaining=-0.5)), None, "overspent by 50 %"),
        (replace(PAGE, details=replace(PAGE.details, threshold_ms=250.0)), None, "objective 99.9 % within 250 ms"),
        (replace(PAGE, service="", environment=""), None, "checkout availability"),
        (
            replace(QUEUE, details=replace(QUEUE.details, measurement=replace(QUEUE.details.measurement, value=None))),
            None,
            "queue.depth{queue=emails} is no data; alerts > 1,000",
        ),
        (PAGE, replace(EVIDENCE, spenders=()), "inventory (SELECT stock) is to blame in the first trace"),
        (
            PAGE,
            replace(EVIDENCE, differences=(replace(EVIDENCE.differences[0], lift=None),)),
            "only bad requests have it",
        ),
        (
            PAGE,
            replace(EVIDENCE, experiments=(replace(EVIDENCE.experiments[0], ended_at=NOW),)),
            "until 2026-03-01 03:00 UTC",
        ),
        (PAGE, replace(EVIDENCE, past=(replace(EVIDENCE.past[0], lasted_s=None, note=""),)), "last time: 2026-02-11"),
        (PAGE, Evidence("a", NOW, NOW, NOW, ""), "75 % left"),
    ],
)
def test_details_are_told_where_they_are_known(transition, evidence, said):
    subject = of(transition, evidence)
    assert said in RENDERER.title(subject) + RENDERER.body(subject, "text")


def test_links_that_no_browser_opens_are_left_out():
    """Without an external URL links are paths; Slack and Teams would refuse the whole message for one of them."""
    alert = replace(
        message_alert(PAGE), alert_url="/alert?id=1", evidence_url="", acknowledge_url="", runbook="javascript:alert(1)"
    )
    for form in FORMATS:
        body = RENDERER.body(message("key", alert), form)
        assert "/alert?id" not in body
        assert "javascript" not in body


class _Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.seen = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.seen |= {name for name, _ in attrs}


@pytest.mark.parametrize("times", [1, 150])
def test_names_that_want_to_break_out_stay_in(times):
    """Also those of 10 kB and more, with line breaks, and in every place where there can be one."""
    subject = hostile(times)
    bodies = {form: RENDERER.body(subject, form) for form in FORMATS}
    plain = {"doctype", "html", "lang", "head", "meta", "charset", "name", "content", "title", "body", "style", "div"}
    plain |= {"p", "ul", "li", "a", "href"}
    assert _Tags(bodies["html"]).seen <= plain
    assert "<!channel>" not in bodies["slack"]
    assert not re.search(r"(?<!\\)<(?!https?://)|(?<!\\)`|(?<!\\)\]\(javascript", bodies["markdown"])
    for body in (*bodies.values(), RENDERER.title(subject)):
        body.encode()
        assert "\x00" not in body
        assert "\u202e" not in body
    for form in ("text", "slack", "markdown"):
        assert not re.search(r"@(here|everyone)", bodies[form])
        assert len(bodies[form]) < 8000 * times
    assert len(RENDERER.title(subject)) <= 300
    assert "\n" not in RENDERER.title(subject)


def test_half_a_surrogate_pair_does_not_reach_any_medium():
    subject = of(replace(PAGE, service="a\ud800b"))
    assert "a b in prod" in RENDERER.title(subject)
    RENDERER.body(subject, "text").encode()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("# a", "\\# a"),
        ("- a", "\\- a"),
        ("1. a", "1\\. a"),
        ("7.3 %", "7.3 %"),
        ("a_b*c`d", "a\\_b\\*c\\`d"),
        ("![x](http://e.example)", "!\\[x\\](http://e.example)"),
        ("a|b~c&d", "a\\|b\\~c&amp;d"),
    ],
)
def test_markdown_is_escaped(text, escaped):
    assert escape_markdown(text) == escaped


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("url", ["https://x.example/|>\"'", "javascript:alert(1)", "/path", "https://x y", "http://a)"])
def test_an_address_that_could_end_its_link_is_none(form, url):
    assert not is_web_address(url)
    assert link(form, "<here>", url) == ESCAPES[form]("<here>")


def test_a_link_carries_its_query_in_every_format():
    url = LINKS.trace("abc", "def")
    assert link("slack", "a|b", url) == "<https://nl.example/trace?trace=abc&amp;span=def|a/b>"
    assert link("html", "a", url) == '<a href="https://nl.example/trace?trace=abc&amp;span=def">a</a>'
    assert link("markdown", "a", url) == "[a](<https://nl.example/trace?trace=abc&span=def>)"
    assert link("text", "a", url) == "a: https://nl.example/trace?trace=abc&span=def"


def test_a_template_of_the_operator_replaces_ours(tmp_path):
    (tmp_path / "title.j2").write_text("{{ message.alerts[0].where }} is <broken>\nnow\n")
    (tmp_path / "html.j2").write_text(
        "<b>{{ title }}</b> {{ message.alerts[0].labels.team }}{{ message.alerts[0].labels.gone }} {{ link('a', 'b') }}"
    )
    own = Renderer(tmp_path)
    assert own.title(FIRING) == "checkout in prod is <broken> now"
    assert own.body(FIRING, "html") == "<b>checkout in prod is &lt;broken&gt; now</b> shop a"
    assert own.body(FIRING, "slack") == RENDERER.body(FIRING, "slack")
    assert own.problems() == []


def test_a_template_may_build_on_ours_and_on_parts_of_its_own(tmp_path):
    (tmp_path / "_footer.j2").write_text("-- {{ message.receiver }}")
    (tmp_path / "text.j2").write_text('{% include "builtin/text.j2" %}\n\n{% include "_footer.j2" %}')
    own = Renderer(tmp_path)
    assert own.body(FIRING, "text").startswith(RENDERER.body(FIRING, "text"))
    assert own.body(FIRING, "text").endswith("\n-- oncall")
    assert own.problems() == []


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        ("one\n{{ message.nothing }}", 2, "has no attribute 'nothing'"),
        ("one\n\n{{ nothing }}", 3, "'nothing' is undefined"),
        ("one\n{% if %}", 2, "TemplateSyntaxError"),
        ("{{ 1 / 0 }}", 1, "ZeroDivisionError"),
        ("{{ ''.__class__.__mro__ }}", 1, "SecurityError"),
        ("{% for n in range(10**9) %}{% endfor %}", 1, "OverflowError"),
        ("{% include 'gone.j2' %}", 1, "TemplateNotFound"),
        ("{# nothing #}", 0, "it renders to nothing"),
    ],
)
def test_a_template_that_raises_names_its_file_and_line_and_the_message_goes_out(
    tmp_path, caplog, template, line, reason
):
    file = tmp_path / "slack.j2"
    file.write_text(template)
    own = Renderer(tmp_path)
    with caplog.at_level(logging.ERROR, "alerts.rendering"):
        assert own.body(FIRING, "slack") == RENDERER.body(FIRING, "slack")
    (problem,) = own.problems()
    assert (problem.file, problem.line) == (file, line)
    assert reason in problem.reason
    place = f"template {file}, line {line}: " if line else f"template {file}: "
    assert caplog.messages == [str(problem)]
    assert str(problem).startswith(place)
    assert str(problem).endswith("the built-in template is used instead")


@pytest.mark.parametrize(
    "condition",
    ["message.status == 'resolved'", "message.alerts|length > 1", "not message.alerts[0].links", "message.truncated"],
)
def test_a_template_that_fails_for_some_messages_only_is_found_all_the_same(tmp_path, condition):
    (tmp_path / "text.j2").write_text("fine\n{% if " + condition + " %}\n{{ nothing }}{% endif %}")
    (problem,) = Renderer(tmp_path).problems()
    assert problem.line == 3


def test_a_template_that_is_no_text_is_a_problem_too(tmp_path):
    (tmp_path / "text.j2").write_bytes(b"\xff\xfe")
    own = Renderer(tmp_path)
    assert own.body(FIRING, "text") == RENDERER.body(FIRING, "text")
    (problem,) = own.problems()
    assert "UnicodeDecodeError" in problem.reason


def test_a_file_that_replaces_nothing_is_named(tmp_path):
    (tmp_path / "slak.j2").write_text("x")
    (tmp_path / "README.md").write_text("x")
    (problem,) = Renderer(tmp_path).problems()
    assert problem.file.name == "slak.j2"
    assert "slack.j2" in problem.reason


def test_a_folder_that_is_missing_is_named_and_harms_no_message(tmp_path):
    own = Renderer(tmp_path / "gone")
    assert own.title(FIRING) == RENDERER.title(FIRING)
    (problem,) = own.problems()
    assert "no such folder" in problem.reason


def test_without_templates_of_their_own_operators_have_no_problems():
    assert RENDERER.problems() == []


@pytest.mark.parametrize("told", MESSAGES)
def test_rendering_needs_no_clock(told):
    assert [RENDERER.body(MESSAGES[told], form) for form in FORMATS] == [
        Renderer().body(MESSAGES[told], form) for form in FORMATS
    ]


def test_an_end_that_does_not_begin_with_the_objectives_name_is_told_as_it_is():
    subject = of(replace(RECOVERED, summary="the service is retired"))
    assert RENDERER.title(subject) == "[RESOLVED] checkout in prod: recovered after 12 min; the service is retired"
