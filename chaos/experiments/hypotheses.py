"""What an experiment claims, line by line."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from api.models import Slo
from chaos.errors import ExperimentError
from chaos.experiments.part import Part

Margin = Annotated[float, Field(ge=0, lt=1)]


class AvailabilityHypothesis(Part):
    """The share of failed requests of `service` rises by at most `margin` (0..1)."""

    service: str = Field(min_length=1)
    sli: Literal["availability"]
    margin: Margin

    @property
    def threshold_ms(self) -> None:
        return None

    def __str__(self) -> str:
        return f"{self.service} availability: at most {self.margin * 100:g} points more failed requests"


class LatencyHypothesis(Part):
    """The share of requests of `service` slower than `threshold_ms` rises by at most `margin` (0..1)."""

    service: str = Field(min_length=1)
    sli: Literal["latency"]
    threshold_ms: float = Field(gt=0)
    margin: Margin

    def __str__(self) -> str:
        return (
            f"{self.service} latency: at most {self.margin * 100:g} points more requests over {self.threshold_ms:g} ms"
        )


class SloHypothesis(Part):
    """Service, indicator and threshold are those of the objective `slo`; without a `margin`, it is 1 - objective."""

    slo: str = Field(min_length=1)
    margin: Margin | None = None

    def resolved(self, slo: Slo) -> AvailabilityHypothesis | LatencyHypothesis:
        """Return the line that *slo* stands for.

        Raises:
            ExperimentError: it is no objective over requests, of which alone arms can be counted.
        """
        margin = round(1 - slo.objective, 12) if self.margin is None else self.margin
        if slo.kind == "availability":
            return AvailabilityHypothesis(service=slo.service, sli="availability", margin=margin)
        if slo.kind == "latency" and slo.threshold_ms is not None:
            return LatencyHypothesis(
                service=slo.service, sli="latency", threshold_ms=float(slo.threshold_ms), margin=margin
            )
        raise ExperimentError(
            f"hypothesis: SLO {self.slo} is of kind {slo.kind}; name one of kind availability or latency"
        )

    def __str__(self) -> str:
        margin = "its own error budget" if self.margin is None else f"{self.margin * 100:g} points"
        return f"SLO {self.slo}: at most {margin} more bad requests"


class AlertHypothesis(Part):
    """An SLO or an alert rule named `alert` fires, at most `within_s` seconds after the injection."""

    alert: str = Field(min_length=1)
    within_s: float | None = Field(default=None, gt=0, le=86_400)

    def __str__(self) -> str:
        limit = "" if self.within_s is None else f" within {self.within_s:g} s"
        return f"alert {self.alert} fires{limit}"


Judged = AvailabilityHypothesis | LatencyHypothesis

LINE_TAGS = ("availability", "latency", "slo_line", "alert_line")


def _tag(value: Any) -> str | None:
    if isinstance(value, SloHypothesis) or (isinstance(value, dict) and "slo" in value):
        return "slo_line"
    if isinstance(value, AlertHypothesis) or (isinstance(value, dict) and "alert" in value):
        return "alert_line"
    found = value.get("sli") if isinstance(value, dict) else getattr(value, "sli", None)
    return None if found is None else str(found)


Hypothesis = Annotated[
    Annotated[AvailabilityHypothesis, Tag("availability")]
    | Annotated[LatencyHypothesis, Tag("latency")]
    | Annotated[SloHypothesis, Tag("slo_line")]
    | Annotated[AlertHypothesis, Tag("alert_line")],
    Discriminator(
        _tag,
        custom_error_type="unknown_line",
        custom_error_message="a line is {service, sli: availability, margin}, "
        "{service, sli: latency, threshold_ms, margin}, {slo} or {alert}",
    ),
]
