"""Remarks of an import: what did not come along, or is different now."""

from dataclasses import dataclass

from slo.model import Slo


@dataclass(frozen=True, slots=True)
class Remark:
    """What could not be carried over or has to be looked at, at which line, and what to write or do instead.

    `subject` is the objective's id, or what else it is about. `lost` means that the objective was not imported; then
    `proposal` may be one that counts spans, for the user to look over.
    """

    line: int
    subject: str
    reason: str
    instead: str
    lost: bool = False
    proposal: Slo | None = None

    def __str__(self) -> str:
        proposed = "; the written file proposes it over spans" if self.proposal is not None else ""
        return f"{self.subject}: {'not imported: ' if self.lost else ''}{self.reason}; {self.instead}{proposed}"
