"""What the two sides of a comparison are called. Pure."""

from dataclasses import dataclass

from api.models import Comparison


@dataclass(frozen=True, slots=True)
class Wording:
    """How reasons speak of control and treatment ("no requests `control`") and of one side as such (`side`)."""

    control: str
    treatment: str
    side: str


WORDINGS: dict[Comparison, Wording] = {
    "concurrent": Wording("in the control arm", "in the treatment arm", "arm"),
    "before/after": Wording("before the fault", "under the fault", "window"),
}
