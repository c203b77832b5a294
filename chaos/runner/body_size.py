"""Runs as small as the API takes them; the local journal keeps them whole. Pure."""

from typing import Any, Final

from api.models import Run

MOST_BYTES: Final = (2 << 20) - (64 << 10)  # the API takes 2 MiB, and a mark needs room too
MOST_EVENTS: Final = 200
LONGEST_MESSAGE: Final = 1000
LONGEST_OUTPUT: Final = 200


def shortened(run: Run) -> Run:
    """Return *run* as it is where its JSON has at most `MOST_BYTES`; otherwise without what weighs most.

    Left out in this order, until it fits, each with a mark in its place: long texts of the journal, the journal, the
    document, the middle of the timeline.
    """
    for cut in (_brief_journal, _no_journal, _no_document, _fewer_events):
        size = len(run.model_dump_json().encode())
        if size <= MOST_BYTES:
            return run
        run = cut(run, size)
    return run


def _brief_journal(run: Run, _: int) -> Run:
    return run.model_copy(update={"journal": _brief(run.journal)})


def _no_journal(run: Run, size: int) -> Run:
    return run if run.journal is None else run.model_copy(update={"journal": _mark("journal", size)})


def _no_document(run: Run, size: int) -> Run:
    return run if run.document is None else run.model_copy(update={"document": _mark("document", size)})


def _fewer_events(run: Run, _: int) -> Run:
    events = [each.model_copy(update={"message": _brief(each.message, LONGEST_MESSAGE)}) for each in run.events]
    half = MOST_EVENTS // 2
    if len(events) > MOST_EVENTS:
        middle = events[half].model_copy(
            update={"step": "problem", "message": f"[{len(events) - MOST_EVENTS} events left out, to fit into 2 MiB]"}
        )
        events = [*events[:half], middle, *events[-half:]]
    return run.model_copy(update={"events": events, "summary": _brief(run.summary, LONGEST_MESSAGE)})


def _mark(what: str, size: int) -> dict[str, str]:
    return {"left_out": f"the {what}: the run has {size:,} bytes, the API takes 2 MiB; the runner's data folder has it"}


def _brief(value: Any, longest: int = LONGEST_OUTPUT) -> Any:
    if isinstance(value, dict):
        return {key: _brief(each, longest) for key, each in value.items()}
    if isinstance(value, list):
        return [_brief(each, longest) for each in value]
    if isinstance(value, str) and len(value) > longest:
        return f"{value[:longest]}[{len(value) - longest} characters left out]"
    return value
