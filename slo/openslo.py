"""Reading OpenSLO v1 documents of every kind.

Specification: https://github.com/OpenSLO/OpenSLO (apiVersion openslo/v1), with metric sources of our own: spans,
metrics and cache. `docs/slo-files.md` lists what is read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from slo.errors import DocumentError, SloFileProblem
from slo.lint import Finding, lint
from slo.model import Slo
from slo.openslo_alerting import check_target, read_policy_spec
from slo.openslo_condition import read_condition
from slo.openslo_document import API_VERSION, DNS_LABEL, Document, Shelf, read_description, read_document
from slo.openslo_indicator import read_counted
from slo.openslo_sli import RatioSli, read_sli, sources
from slo.openslo_slo import FoundSlo, SloDocument
from slo.yaml_document import yaml_documents

__all__ = ["API_VERSION", "DNS_LABEL", "LintFacts", "read_openslo", "read_openslo_files"]

# what others refer to is checked first, so that a reference to something broken is told as such
_ORDER = ("Service", "DataSource", "SLI", "AlertNotificationTarget", "AlertCondition", "AlertPolicy")


@dataclass(frozen=True, slots=True)
class LintFacts:
    """What checks of objectives know beyond the files.

    `retention` is how long counted minutes are kept; `services` the (service, environment) pairs that send telemetry.
    """

    retention: timedelta | None = None
    services: frozenset[tuple[str, str]] = frozenset()


def read_openslo(text: str, file: str, *, strict: bool = False) -> tuple[list[Slo], list[SloFileProblem]]:
    """Return the objectives of one file's *text* and what is wrong with the rest of it.

    A document with an error yields no objective and hides no other document.
    """
    return read_openslo_files({file: text}, strict=strict)


def read_openslo_files(
    files: Mapping[str, str], *, strict: bool = False, facts: LintFacts | None = None
) -> tuple[list[Slo], list[SloFileProblem]]:
    """Return the objectives of several files (name to text) and their problems; an id used twice keeps its first.

    Args:
        files: the files; each may refer to documents of the others. One that ends in .json is JSON.
        strict: whether what OpenSLO forbids, and what is left out, is an error; else it is a warning.
        facts: what the checks of `slo.lint` may know.
    """
    reading = _Reading(files, strict=strict)
    found = reading.objectives()
    problems = [*reading.problems(), *_findings(found, facts or LintFacts())]
    order = {file: position for position, file in enumerate(files)}
    unique = dict.fromkeys(problems)
    return [item.slo for item in found], sorted(unique, key=lambda problem: (order[problem.file], problem.line or 0))


class _Reading:
    """All documents of some files."""

    def __init__(self, files: Mapping[str, str], *, strict: bool) -> None:
        self._shelf = Shelf()
        self._documents: list[Document] = []
        self._problems: list[SloFileProblem] = []
        for file, text in files.items():
            for value in yaml_documents(text, file, strict=strict):
                if isinstance(value, DocumentError):
                    self._tell(value)
                    continue
                try:
                    document = read_document(value)
                    if document.kind != "SLO":
                        self._shelf.put(document)
                except DocumentError as error:
                    self._problems += value.source.problems
                    self._tell(error)
                else:
                    self._documents.append(document)

    def objectives(self) -> list[FoundSlo]:
        """Return the objectives; problems are complete afterwards."""
        for kind in _ORDER:
            for document in self._shelf.of(kind):
                self._check(document)
        first: dict[str, Document] = {}
        found: list[FoundSlo] = []
        for document in self._documents:
            if document.kind != "SLO":
                continue
            slo = SloDocument(document, self._shelf)
            items = slo.read()
            if first.setdefault(document.name, document) is document:
                found += items
            else:
                slo.tell(document.same_name(first[document.name]))
        return found

    def problems(self) -> list[SloFileProblem]:
        return self._problems + [problem for each in self._documents for problem in each.whole.source.problems]

    def _check(self, document: Document) -> None:
        try:
            _check_spec(document, self._shelf)
        except DocumentError as error:
            document.whole.source.tell(error)

    def _tell(self, error: DocumentError) -> None:
        self._problems.append(SloFileProblem(error.file, error.line, str(error), "error", error.path))


def _check_spec(document: Document, shelf: Shelf) -> None:
    """Raise a DocumentError if the document could be of use to nobody."""
    match document.kind:
        case "Service":
            read_description(document.spec.fields(("description",)))
        case "DataSource":
            fields = document.spec.fields(("description", "type", "connectionDetails"))
            read_description(fields)
            fields.require("type", "spans").text()
            if "connectionDetails" not in fields.values:
                document.spec.deviate("connectionDetails is missing; write connectionDetails: {}")
        case "SLI":
            sli = read_sli(document.spec, shelf)
            if isinstance(sli, RatioSli) and all(source.is_ours for source in sources(sli)):
                read_counted(sli, "any", None)
        case "AlertNotificationTarget":
            check_target(document.spec)
        case "AlertCondition":
            read_condition(document.spec)
        case _:
            read_policy_spec(document.spec, shelf)


def _findings(found: list[FoundSlo], facts: LintFacts) -> Iterable[SloFileProblem]:
    places = {item.slo.id: item for item in found}
    for finding in lint([item.slo for item in found], retention=facts.retention, services=facts.services):
        yield _as_problem(finding, places[finding.slo_id])


def _as_problem(finding: Finding, item: FoundSlo) -> SloFileProblem:
    return SloFileProblem(
        item.slo.source, item.place.line, finding.reason, "warning", item.place.path, name=finding.name
    )
