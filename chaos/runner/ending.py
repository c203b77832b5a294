"""Why a run ends before its time."""

from api.models import Verdict


class EndedEarlyError(Exception):
    """The run cannot go on; the message is why.

    Attributes:
        verdict: "aborted", or "inconclusive" where the run was well and the world was not.
    """

    def __init__(self, message: str, verdict: Verdict = "aborted") -> None:
        super().__init__(message)
        self.verdict = verdict
