"""The file that an import writes: OpenSLO documents, and above them what did not come along."""

from collections.abc import Iterator

from slo.openslo_writer import to_openslo
from slo.sloth import SlothImport
from slo.sloth_remark import Remark


def imported_text(found: SlothImport, file: str) -> str:
    """Return the OpenSLO documents of *found*, read from *file*, under a list of its remarks as comments.

    A proposal is a document behind "#| ": without these marks it is the objective over spans.
    """
    lost = sum(remark.lost for remark in found.remarks)
    lines = [f"{len(found.imported)} objective(s) of {file}, which is Sloth's; {lost} not imported.", ""]
    ordered = sorted(found.remarks, key=lambda remark: (not remark.lost, remark.line))
    lines += [f"line {remark.line}: {remark}" for remark in ordered]
    comments = [f"# {printable(line)}".rstrip() for line in lines]
    comments += [mark for remark in found.remarks for mark in _proposal(remark)]
    documents = "".join(f"---\n{to_openslo(item.slo, item.labels)}" for item in found.imported)
    return "\n".join(comments) + "\n" + documents


def printable(text: str) -> str:
    """Return *text* on one line: what would end it is escaped."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _proposal(remark: Remark) -> Iterator[str]:
    if remark.proposal is not None:
        yield "#"
        yield f"# {remark.subject}, counted from spans instead; look it over and remove the marks:"
        yield "#| ---"
        yield from (f"#| {line}".rstrip() for line in to_openslo(remark.proposal).splitlines())
