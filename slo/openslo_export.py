"""Objectives of any files as OpenSLO documents of their own."""

from collections.abc import Iterable
from dataclasses import replace

from slo.errors import InvalidObjective
from slo.model import Slo
from slo.openslo_writer import to_openslo


def openslo_documents(slos: Iterable[Slo]) -> tuple[str, list[str]]:
    """Return one document for each of *slos*, and for those that are not as they were, what is different.

    An objective that shared its document with others, `name:objective`, becomes `name-objective`.
    """
    documents: list[str] = []
    remarks: list[str] = []
    for slo in slos:
        own = replace(slo, id=slo.id.replace(":", "-")[:63].strip("-"))
        if own.id != slo.id:
            remarks.append(f"{slo.id}: has a document and a name of its own now: {own.id}")
        try:
            documents.append(f"---\n{to_openslo(own)}")
        except InvalidObjective as error:
            remarks.append(f"{slo.id}: not exported: {error}")
    return "".join(f"# {remark}\n" for remark in remarks) + "".join(documents), remarks
