"""What the API knows of two versions of a service."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from api.client import ApiClient
from api.models import ServedVersion, SliCount, Slo
from chaos.errors import ChaosError
from chaos.experiments.hypotheses import Judged
from chaos.judge.decision import NO_REQUESTS, Arm
from chaos.releases.judgement import Asked, Counted
from chaos.releases.lines import Line, Lines, counts_every_request, default_lines, lines_of, passed_over
from chaos.releases.serving import LONGEST, Sides, Stretch, compare
from chaos.runner.counting import Counting, Side
from chaos.runner.measure import LATENESS_S

KNOWN_FOR: Final = timedelta(days=14)
STEP_S: Final = 60
_AGAIN: Final = timedelta(seconds=3 * STEP_S)  # so much of the past is asked for again at the next look
WORST: Final = 3


class NotJudgedError(ChaosError):
    """There is nothing to judge; the message is why, and what there is. `to_come`: waiting may help."""

    def __init__(self, message: str, *, to_come: bool = False) -> None:
        super().__init__(message)
        self.to_come = to_come


@dataclass(slots=True)
class Asking:
    """Asks for one release. Every method raises ApiError when the API refuses or does not answer."""

    api: ApiClient
    asked: Asked
    _steps: list[ServedVersion] = field(default_factory=list)
    _stepped_to: datetime | None = None

    def settled(self) -> "Asking":
        """Return the same with an environment, where the service's objectives name one only.

        Raises:
            NotJudgedError: they name several; their requests must not be mixed.
        """
        if self.asked.environment is not None:
            return self
        names = sorted({slo.environment for slo in self.api.slos() if slo.service == self.asked.service} - {""})
        if len(names) > 1:
            raise NotJudgedError(f"{self.asked.service} runs in {', '.join(names)}; name one with --environment")
        return Asking(self.api, replace(self.asked, environment=names[0])) if names else self

    def sides(self, now: datetime) -> Sides:
        """Return what can be compared as of *now*.

        Raises:
            NotJudgedError: a version is not known, or the new one has no requests in the window.
        """
        end = now - timedelta(seconds=LATENESS_S)
        found = compare(
            self._served(now),
            self.asked.from_version,
            self.asked.to_version,
            end=end,
            step_s=STEP_S,
            min_samples=self.asked.min_samples,
            window=self.asked.window,
        )
        if found is None or not any(step.version == self.asked.from_version for step in self._steps):
            self._require_known(now)
        if found is None:
            window = self.asked.window or LONGEST
            raise NotJudgedError(
                f"{self.asked.service} {self.asked.to_version} answered no request in the last {window}", to_come=True
            )
        return found

    def lines(self, sides: Sides) -> Lines:
        """Return the lines of the service's objectives, drafts included, or those of the old version itself."""
        asked = self.asked
        slos = [slo for slo in self.api.slos() if slo.service == asked.service and self._here(slo)]
        usable = [slo for slo in slos if slo.kind in {"availability", "latency"} and self._whole(slo)]
        notes = passed_over([slo for slo in slos if slo not in usable])
        lines = lines_of(usable, margin=asked.margin)
        if lines:
            return Lines(lines, notes)
        time = (sides.before,) if self._requests(sides.before) else sides.control
        p95_ms = self._sli(max(time, key=lambda each: each.length), asked.from_version).p95_ms
        found = default_lines(asked.service, asked.from_version, p95_ms, margin=asked.margin)
        return Lines(found.lines, (*found.notes, *notes))

    def count(self, lines: tuple[Line, ...], sides: Sides, *, durations: bool = False) -> list[Counted]:
        """Return the counts of both versions; *durations* asks for samples that describe the p95 as well."""
        return [self._count(line, sides, durations=durations) for line in lines]

    def old(self, line: Judged, time: Stretch) -> Arm:
        return self._arm(line, (time,), self.asked.from_version)

    def worst(self, sides: Sides) -> list[str]:
        """Return the worst traces of the new version."""
        return self.api.exemplars(
            self.asked.service,
            start=sides.deployed.start,
            end=sides.deployed.end,
            environment=self.asked.environment,
            version=self.asked.to_version,
            limit=WORST,
        )

    @property
    def _counting(self) -> Counting:
        return Counting(self.api, self.asked.environment)

    def _count(self, line: Line, sides: Sides, *, durations: bool) -> Counted:
        asked, judged = self.asked, line.hypothesis
        control = self._arm(judged, sides.control, asked.from_version)
        treatment = self._arm(judged, sides.treatment, asked.to_version)
        concurrent = sides.comparison == "concurrent"
        return Counted(
            line,
            control,
            treatment,
            before=self.old(judged, sides.before) if concurrent else control,
            whole=self._arm(judged, (sides.deployed,), asked.to_version) if concurrent else treatment,
            durations_ms=self._durations(judged, sides) if durations else ((), ()),
        )

    def _durations(self, line: Judged, sides: Sides) -> tuple[list[float], list[float]]:
        """Return a sample of each side; of several stretches none, as a sample of each would not be one of all."""
        if line.sli != "latency" or len(sides.control) != 1 or len(sides.treatment) != 1:
            return [], []
        versions = (self.asked.from_version, self.asked.to_version)
        control, treatment = (
            self._counting.latencies(self.asked.service, Side(time.start, time.end, version=version)).durations_ms
            for (time,), version in zip((sides.control, sides.treatment), versions, strict=True)
        )
        return control, treatment

    def _arm(self, line: Judged, time: tuple[Stretch, ...], version: str) -> Arm:
        found = [self._counting.arm(line, Side(each.start, each.end, version=version)) for each in time]
        if len(found) == 1:
            return found[0]
        return Arm(sum(each.bad for each in found), sum(each.total for each in found)) if found else NO_REQUESTS

    def _sli(self, time: Stretch, version: str) -> SliCount:
        return self._counting.sli(self.asked.service, Side(time.start, time.end, version=version))

    def _requests(self, time: Stretch) -> int:
        return self._sli(time, self.asked.from_version).total

    def _here(self, slo: Slo) -> bool:
        return self.asked.environment is None or slo.environment in {"", self.asked.environment}

    def _whole(self, slo: Slo) -> bool:
        return counts_every_request(self.api.slo_details(slo.id).definition)

    def _served(self, now: datetime) -> list[ServedVersion]:
        """Return who served when in the last hours; later looks ask for what is new only."""
        start = now - 2 * LONGEST
        if self._stepped_to is not None:
            again = self._stepped_to - _AGAIN
            start = max(start, again - timedelta(seconds=again.timestamp() % STEP_S))
        news = self.api.versions(
            start=start, end=now, service=self.asked.service, environment=self.asked.environment, step_s=STEP_S
        )
        self._steps = [step for step in self._steps if step.first_at < start] + news
        self._stepped_to = now
        return self._steps

    def _require_known(self, now: datetime) -> None:
        """Raise NotJudgedError with what is known, if one of both versions is not."""
        asked = self.asked
        found = self.api.versions(start=now - KNOWN_FOR, end=now, service=asked.service, environment=asked.environment)
        where = f" in {asked.environment}" if asked.environment else ""
        if not found:
            raise NotJudgedError(
                f"{asked.service} answered no request{where} in {KNOWN_FOR.days} days; "
                f"services: {self._services() or 'none'}"
            )
        known = [each.version for each in sorted(found, key=lambda each: each.last_at)]
        names = ", ".join(name or "(no service.version)" for name in known)
        for version, to_come in ((asked.from_version, False), (asked.to_version, True)):
            if version not in known:
                raise NotJudgedError(
                    f"{asked.service} has no version {version!r}{where}; known: {names}", to_come=to_come
                )

    def _services(self) -> str:
        return ", ".join(sorted({service.name for service in self.api.services(window_s=86400)}))
