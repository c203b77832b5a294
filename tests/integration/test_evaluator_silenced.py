from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.transition import AlertDetails, Transition
from evaluator.silenced import silenced_in
from storage.silences import SilenceRow, save_silence

NOW = datetime.now(UTC).replace(microsecond=123_000)
HOUR = timedelta(hours=1)
DETAILS = AlertDetails("SLOErrorBudgetBurn", "pay")
PAGE = Transition("pay-page-1", 1, "pay", "shop", "prod", "page", "firing", NOW, NOW, NOW, None, "bad", DETAILS)
TICKET = replace(PAGE, alert_id="pay-ticket-1", severity="ticket")
MISLABELLED = replace(PAGE, alert_id="bad-page-1", labels=(("service.name", "x"),))
SILENCE = SilenceRow("s", ('severity="page"', 'slo_id=~"pa.+"'), NOW - HOUR, NOW + HOUR, "ann", "", False, NOW - HOUR)


@pytest.mark.parametrize(
    ("changes", "silenced"),
    [
        ({}, {"pay-page-1", "bad-page-1"}),
        ({"matchers": ('severity="page"', 'slo_id="other"')}, set()),
        ({"matchers": ('service_name="shop"',)}, {"pay-page-1", "pay-ticket-1", "bad-page-1"}),
        ({"starts_at": NOW + timedelta(seconds=1)}, set()),
        ({"starts_at": NOW}, {"pay-page-1", "bad-page-1"}),
        ({"ends_at": NOW}, set()),
        ({"expired_at": NOW}, set()),
        ({"matchers": ("severity~page",)}, set()),  # what cannot be read silences nothing
        ({"matchers": ()}, set()),
    ],
)
def test_an_alert_is_silenced_while_all_matchers_of_a_silence_match_it(database, changes, silenced):
    save_silence(database, replace(SILENCE, **changes), now=NOW)
    assert silenced_in(database)([PAGE, TICKET, MISLABELLED], NOW) == silenced
