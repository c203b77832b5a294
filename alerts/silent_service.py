"""A service that sends nothing in hours in which it usually does; a service that is no more."""

from datetime import timedelta

from pydantic import model_validator

from alerts.rule_fields import Duration, RuleFields, Switch, check_between


class NoDataRule(RuleFields):
    """When silence is worth a ticket: after `after`, and as the end of a service: after `retire_after`."""

    enabled: Switch = True
    after: Duration = timedelta(minutes=10)
    retire_after: Duration = timedelta(days=7)

    @model_validator(mode="after")
    def _fits(self) -> "NoDataRule":
        check_between("after", self.after, "2m", "1d")
        check_between("retire_after", self.retire_after, "2d", "30d")
        return self
