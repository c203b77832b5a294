"""Which attribute values the bad events have that the good ones lack.

A value is telling when more bad events have it than chance explains (Fisher's exact test). Counts of one attribute
partition the events: an event has one value, or none of that attribute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from slo.budget import allowed_bad
from slo.confidence import Interval, StatisticError, chance_of_excess, check_confidence, difference_interval
from slo.model import EventCounts

NO_VALUE: Final = "(none)"


@dataclass(frozen=True, slots=True)
class Attribution:
    """One value that bad events have more often than good ones.

    `lift` is the share in bad over the share in good, None when no good event has the value. `difference` is the first
    minus the second, with its interval. `chance` is the probability, at most, that any of the values that were
    compared looks as guilty as this by chance. `remaining_without` is the error budget that would be left without
    these events.
    """

    attribute: str
    value: str
    events: EventCounts
    share_in_bad: float
    share_in_good: float
    lift: float | None
    difference: float
    interval: Interval
    chance: float
    remaining_without: float


def with_no_value(overall: EventCounts, values: Mapping[str, EventCounts], attribute: str) -> dict[str, EventCounts]:
    """Return the counts of one attribute's values, and as "(none)" what *overall* has beyond them.

    Raises:
        StatisticError: the values have more events than there are, so an event was counted under two of them.
    """
    good, bad = (overall.good - sum(e.good for e in values.values()), overall.bad - sum(e.bad for e in values.values()))
    if good < 0 or bad < 0:
        raise StatisticError(
            f"the values of {attribute!r} have more events than the {overall.total} there are; count each once"
        )
    lacking = EventCounts(good, good + bad)
    if not lacking.total:
        return dict(values)
    return {**values, NO_VALUE: values.get(NO_VALUE, EventCounts(0, 0)) + lacking}


def shares_in_bad(
    overall: EventCounts, values: Mapping[str, EventCounts], attribute: str
) -> dict[str, Fraction] | None:
    """Return each value's share of the bad events, "(none)" included; they sum to 1. None without bad events.

    Raises:
        StatisticError: the values have more events than there are.

    >>> shares_in_bad(EventCounts(good=90, total=100), {"v2": EventCounts(good=1, total=9)}, "service.version")
    {'v2': Fraction(4, 5), '(none)': Fraction(1, 5)}
    """
    complete = with_no_value(overall, values, attribute)
    if not overall.bad:
        return None
    return {value: Fraction(events.bad, overall.bad) for value, events in complete.items()}


def attribute_burn(
    overall: EventCounts,
    attributes: Mapping[str, Mapping[str, EventCounts]],
    target: Decimal,
    *,
    distinct: Mapping[str, int] | None = None,
    min_bad: int = 5,
    confidence: float = 0.95,
) -> tuple[Attribution, ...]:
    """Return the values that tell bad events from good ones, the most telling first.

    The order is that of the lower end of the difference's interval, which weighs size against certainty. Values seen
    in fewer than *min_bad* bad events are left out, and those that chance explains. As hundreds of values may be
    compared, chance gets as many tries: each value's probability is multiplied by their number (Bonferroni). Nothing
    is returned without both good and bad events.

    Args:
        overall: all events.
        attributes: for each attribute the counts of its values; what lacks the attribute need not be counted.
        target: of the objective, for the budget that would be left.
        distinct: how many values an attribute has, where only those with the most bad events are handed in. The rest
            of its events is then not taken for "(none)", and chance had its try at all of them.
        min_bad: how many bad events a value needs.
        confidence: of each interval, and that no value is there by chance, however many are compared.

    Raises:
        StatisticError: an attribute's values have more events than there are, or *confidence* is not within 0 and 1.
    """
    check_confidence(confidence)
    candidates, compared = [], 0
    for attribute, values in attributes.items():
        known = max((distinct or {}).get(attribute, 0), len(values))
        counted = with_no_value(overall, values, attribute) if known == len(values) else values
        candidates += [(attribute, value, events) for value, events in counted.items()]
        compared += max(known, len(counted))
    if not overall.good:
        return ()
    # chance had its try at every value, also at those with too few bad events: their being few is part of the draw
    found = [
        _attribution(overall, target, confidence, candidate, chance)
        for candidate in candidates
        if candidate[2].bad >= min_bad
        and (chance := compared * chance_of_excess(candidate[2], overall)) <= 1 - confidence
    ]
    return tuple(sorted(found, key=lambda a: (-a.interval.low, a.attribute, a.value)))


def _attribution(
    overall: EventCounts, target: Decimal, confidence: float, candidate: tuple[str, str, EventCounts], chance: float
) -> Attribution:
    attribute, value, events = candidate
    in_bad, in_good = Fraction(events.bad, overall.bad), Fraction(events.good, overall.good)
    others = EventCounts(overall.good - events.good, overall.total - events.total)
    return Attribution(
        attribute=attribute,
        value=value,
        events=events,
        share_in_bad=float(in_bad),
        share_in_good=float(in_good),
        lift=float(in_bad / in_good) if in_good else None,
        difference=float(in_bad - in_good),
        interval=difference_interval(events.good, overall.good, events.bad, overall.bad, confidence=confidence),
        chance=chance,
        remaining_without=float(1 - others.bad / allowed_bad(others, target)),  # never empty: all of it is no excess
    )
