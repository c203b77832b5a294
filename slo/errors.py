"""What can be wrong with an objective, and how it is told."""

from dataclasses import dataclass
from typing import Literal


class SloError(Exception):
    """Base of every error that this package raises."""


class InvalidObjective(SloError):  # noqa: N818 - the name already says what is wrong
    """An objective, indicator or set of counts that makes no sense."""


class InvalidDuration(SloError):  # noqa: N818 - the name already says what is wrong
    """A duration that cannot be read or has no defined length."""


class InvalidPolicy(SloError):  # noqa: N818 - the name already says what is wrong
    """An alert policy that cannot be read or that could never fire."""


class MissingWindow(SloError):  # noqa: N818 - the name already says what is wrong
    """Counts of a window that the evaluation needs were not handed in."""


class PredicateError(SloError):
    """A predicate that cannot be read.

    Attributes:
        column: where in the text, counted from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


class DocumentError(SloError):
    """A YAML document that is not what it should be.

    Attributes:
        line: where in the file, counted from 1.
        path: which field, such as "spec.objectives[0].target"; "" for the whole document.
        file: which file; "" where only one is being read.
    """

    def __init__(self, message: str, line: int, path: str = "", file: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.path = path
        self.file = file


@dataclass(frozen=True, slots=True)
class SloFileProblem:
    """Something to tell about an SLO file.

    An "error" means that the document was not used; a "warning" that it was, but not quite as written. `line` counts
    from 1 and is None where the whole file is meant; `path` is the field ("spec.service"), "" for the whole document.
    `name` is that of the check of `slo.lint` that found it, "" for what reading the file found.
    """

    file: str
    line: int | None
    reason: str
    level: Literal["error", "warning"] = "error"
    path: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        path = f"{self.path}: " if self.path else ""
        name = f" [{self.name}]" if self.name else ""
        return f"{place}: {self.level}: {path}{self.reason}{name}"
