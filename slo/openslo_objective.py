"""The `objectives` of an SLO document."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from slo.budgeting import OCCURRENCES, Budgeting, EmptySlices, Freshness, Timeslices
from slo.errors import InvalidObjective
from slo.openslo_document import slug
from slo.openslo_fields import positive
from slo.openslo_threshold import Threshold
from slo.openslo_window import read_duration
from slo.window import MINUTE
from slo.yaml_value import YamlFields, YamlValue

BUDGETING_METHODS: Final = ("Occurrences", "Timeslices", "RatioTimeslices")

_FIELDS: Final = (
    "displayName",
    "op",
    "value",
    "target",
    "targetPercent",
    "timeSliceTarget",
    "timeSliceWindow",
    "indicator",
    "indicatorRef",
    "compositeWeight",
)


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective: its id is the document's name, or `name:objective` where there are several."""

    id: str
    title: str
    target: Decimal
    fields: YamlFields

    @property
    def value(self) -> YamlValue:
        return self.fields.owner

    @property
    def threshold(self) -> Threshold | None:
        """What a threshold metric is compared with.

        Raises:
            DocumentError: only one of op and value is written.
        """
        op, value = self.fields.get("op"), self.fields.get("value")
        if op is None and value is None:
            return None
        return Threshold(self.fields.require("op", "lte"), self.fields.require("value", "300"), self.slice_length)

    @property
    def slice_length(self) -> timedelta:
        """How long a time slice is: a number is minutes, a minute where nothing is written."""
        value = self.fields.get("timeSliceWindow")
        if value is None:
            return MINUTE
        return read_duration(value) if value.is_text else _minutes(value)


def read_objectives(values: YamlValue, name: str) -> list[Objective]:
    """Return the objectives of the SLO called *name*.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    items = values.items()
    if not items:
        raise values.error("objectives is empty; write objectives: [{target: 0.999}]")
    found: dict[str, Objective] = {}
    for number, value in enumerate(items, 1):
        fields = value.fields(_FIELDS)
        title = fields.text("displayName") or str(number)
        slo_id = name if len(items) == 1 else f"{name}:{slug(title) or number}"
        if slo_id in found:
            raise value.error(f"two objectives are called {title!r}; give each a displayName of its own")
        found[slo_id] = Objective(slo_id, title, _target(fields), fields)
    return list(found.values())


def read_budgeting(
    method: YamlValue, objective: Objective, floor: Budgeting | None, empty: EmptySlices | None
) -> Budgeting:
    """Return the budgeting method of *objective*; *floor* is that of its indicator's measure, which comes first.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    name = method.choice(BUDGETING_METHODS)
    if name is None:
        raise method.error(f"budgetingMethod {method.text()!r} is not known; write Occurrences or Timeslices")
    if name == "RatioTimeslices":
        raise method.error(
            "RatioTimeslices is a mean of ratios, in which a quiet minute outweighs a busy one, and is not offered; "
            "write Occurrences or Timeslices"
        )
    if floor is not None:
        return _floor(method, objective, floor)
    if name == "Occurrences":
        for field in ("timeSliceTarget", "timeSliceWindow"):
            if (unused := objective.fields.get(field)) is not None:
                unused.warn(f"{field} has no use with Occurrences; remove it, or write Timeslices")
        return OCCURRENCES
    target = objective.fields.require("timeSliceTarget", "0.95")
    _check_slice_window(objective)
    try:
        return Timeslices(target.number(), objective.slice_length, empty or "ignore")
    except InvalidObjective as error:
        place = target if str(error).startswith("timeSliceTarget") else objective.fields.get("timeSliceWindow")
        raise (place or target).error(str(error)) from error


def check_unused_threshold(objective: Objective) -> None:
    """Tell of op and value beside a ratio metric, which OpenSLO forbids."""
    for field in ("op", "value"):
        unused = objective.fields.get(field)
        if unused is not None:
            unused.deviate(f"{field} has a use with thresholdMetric only and is ignored; remove it")


def check_weight(objective: Objective) -> None:
    """Tell that a composite is not combined.

    Raises:
        DocumentError: the weight is not above 0.
    """
    weight = objective.fields.get("compositeWeight")
    if weight is not None:
        positive(weight)
        weight.warn("compositeWeight is not used: every objective has a budget of its own, none is combined of them")


def _floor(method: YamlValue, objective: Objective, floor: Budgeting) -> Budgeting:
    if method.text().lower() != "timeslices":
        method.deviate("a floor counts slices of time, not occurrences; write budgetingMethod: Timeslices")
        return floor
    target = objective.fields.get("timeSliceTarget")
    if target is None:
        objective.value.deviate("timeSliceTarget is missing; write timeSliceTarget: 1")
    elif target.number() != 1:
        target.warn("timeSliceTarget has no use with a floor, which a slice meets or not; write timeSliceTarget: 1")
    _check_slice_window(objective)
    if isinstance(floor, Freshness) and objective.slice_length != MINUTE:
        objective.fields.require("timeSliceWindow", "1m").warn("a freshness is judged every minute; write 1m")
    return floor


def _check_slice_window(objective: Objective) -> None:
    if objective.fields.get("timeSliceWindow") is None:
        objective.value.deviate("timeSliceWindow is missing and read as 1m; write timeSliceWindow: 1m")


def _minutes(value: YamlValue) -> timedelta:
    number = positive(value)
    if number != number.to_integral_value() or number > 24 * 60:
        raise value.error(f"timeSliceWindow {number} must be whole minutes that divide a day; write 5m")
    return int(number) * MINUTE


def _target(fields: YamlFields) -> Decimal:
    percent, ratio = fields.get("targetPercent"), fields.get("target")
    if percent is not None and ratio is not None:
        raise percent.error("target and targetPercent are both written; keep target")
    if percent is not None:
        return _ratio(percent, percent.number() / 100)
    value = fields.require("target", "0.999")
    return _ratio(value, value.number())


def _ratio(value: YamlValue, target: Decimal) -> Decimal:
    if 0 < target < 1:
        return target
    if value.name == "target" and 1 < target < 100:
        raise value.error(f"target {target} is a unit mistake: write {target / 100}")
    limits = "0 and 1, both excluded, such as 0.999" if value.name == "target" else "0 and 100, such as 99.9"
    raise value.error(f"{value.name} {value.number()} must lie between {limits}")
