"""Findings about spans: their parents, names, times, weights and what is missing of them."""

from collections.abc import Iterator, Sequence

from storage import telemetry_remedies as remedies
from storage.telemetry_finding import FEWEST, Finding, Row, finding

ORPHANS_WARN, ORPHANS_CRITICAL = 0.01, 0.2
CALLS_WARN = 0.05
NAMES_WITH_IDS = 20
QUARANTINED_CRITICAL = 0.1
CUT_WARN = 0.01


def orphans(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        orphaned, children = row["orphans"], row["children"]
        ratio = orphaned / children
        if orphaned < FEWEST or ratio < ORPHANS_WARN:
            continue
        yield finding(
            "orphan_spans",
            row,
            "critical" if ratio >= ORPHANS_CRITICAL else "warning",
            f"the parent of {ratio:.1%} of spans never arrived ({orphaned:,} of {children:,} in a sample of traces)",
            remedy=remedies.REMOTE_ORPHANS if row["remote"] * 2 >= orphaned else remedies.LOCAL_ORPHANS,
            evidence={"orphans": orphaned, "children": children, "orphan_ratio": ratio, "remote": row["remote"]},
        )


def propagation(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        calls, callee = row["calls"], row["callee"]
        lost = calls - row["continued"]
        if lost < FEWEST or lost / calls < CALLS_WARN or row["new_traces"] < lost * CALLS_WARN:
            continue
        yield finding(
            "broken_propagation",
            row,
            "critical",
            f"{lost:,} of {calls:,} calls to {callee} have no span there, while {callee} began {row['new_traces']:,} "
            "traces of its own",
            remedy=remedies.PROPAGATION.format(service=row["service"], callee=callee),
            evidence={"calls": calls, "continued": row["continued"], "new_traces": row["new_traces"]},
        )


def span_names(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        with_ids, templates = row["with_ids"], row["templates"]
        if with_ids < NAMES_WITH_IDS or templates * 4 > with_ids:
            continue
        yield finding(
            "ids_in_span_names",
            row,
            "warning",
            f"{with_ids:,} of {row['names']:,} span names hold ids; without them they are {templates:,}",
            remedy=remedies.SPAN_NAMES,
            evidence={"names": row["names"], "names_with_ids": with_ids, "templates": templates},
        )


def folded(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        spans, folded_spans = row["spans"], row["folded"]
        yield finding(
            "cardinality_overflow",
            row,
            "warning",
            f"{folded_spans:,} of {spans:,} spans have a name or route beyond the limit, and are counted as __other__",
            remedy=remedies.SPAN_NAMES,
            evidence={"spans": spans, "folded_spans": folded_spans},
        )


def sampling(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        sampled, ratio = row["sampled"], row["mean_ratio"]
        if sampled < FEWEST:
            continue
        yield finding(
            "sampling_without_weights",
            row,
            "warning",
            f"{sampled:,} spans say that they are sampled ({row['told_by']}, about 1 in {1 / ratio:.3g}), but not in "
            "a form that gives them weight: counts are too low",
            remedy=remedies.SAMPLING,
            evidence={"sampled": sampled, "mean_ratio": ratio},
        )


def clocks(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        bad, spans, skew_s = row["quarantined_spans"], row["spans"], row["median_skew_s"]
        skewed = bad > row["without_time"]
        where = f"{abs(skew_s):,.0f} s {'ahead' if skew_s > 0 else 'behind'} on median" if skewed else "no start time"
        evidence = {"quarantined": bad, "spans": spans, "without_time": row["without_time"]}
        yield finding(
            "quarantined_times",
            row,
            "critical" if bad >= spans * QUARANTINED_CRITICAL else "warning",
            f"{bad:,} of {spans:,} spans have a time that cannot be true ({where}): objectives leave them out",
            remedy=remedies.CLOCK if skewed else remedies.NO_TIME,
            evidence=evidence | ({"median_skew_s": skew_s} if skewed else {}),
        )


def old_names(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        spans, old = row["spans"], row["with_old_names"]
        yield finding(
            "old_semantic_conventions",
            row,
            "info",
            f"{old:,} of {spans:,} spans use replaced names ({', '.join(row['examples'][:4])}); both are read",
            remedy=remedies.OLD_NAMES,
            evidence={"spans": spans, "with_old_names": old},
        )


def dropped(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        spans, cut = row["spans"], row["cut_spans"]
        lost = {name: row[f"{name}_lost"] for name in ("attributes", "events", "links") if row[f"{name}_lost"]}
        told = ", ".join(f"{count:,} {name}" for name, count in lost.items())
        yield finding(
            "dropped_by_the_sdk",
            row,
            "warning" if cut / spans >= CUT_WARN else "info",
            f"the SDK dropped {told} of {cut:,} of {spans:,} spans",
            remedy=remedies.DROPPED,
            evidence={"spans": spans, "cut_spans": cut} | {f"{name}_lost": count for name, count in lost.items()},
        )
