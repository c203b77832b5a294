"""The pages: their scripts, addresses and titles."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One page; pages about one entity are not in the menu but have an address."""

    path: str
    title: str
    in_menu: bool = True

    @property
    def script(self) -> str:
        return f"pages_/{self.path or 'overview'}_page.py"


ENTRIES = (
    Entry("", "Overview"),
    Entry("services", "Services"),
    Entry("traces", "Traces"),
    Entry("metrics", "Metrics"),
    Entry("logs", "Logs"),
    Entry("slos", "SLOs"),
    Entry("alerts", "Alerts"),
    Entry("cache", "Cache"),
    Entry("chaos", "Chaos"),
    Entry("ingest", "Ingest"),
    Entry("service", "Service", in_menu=False),
    Entry("trace", "Trace", in_menu=False),
    Entry("slo", "SLO", in_menu=False),
    Entry("alert", "Alert", in_menu=False),
    Entry("experiment", "Experiment", in_menu=False),
    Entry("run", "Chaos run", in_menu=False),
)

_SCRIPTS = {entry.path: entry.script for entry in ENTRIES}


def script_of(path: str) -> str:
    """Return the script of the page at *path*.

    Raises:
        KeyError: No page has this address.
    """
    return _SCRIPTS[path.strip("/")]
