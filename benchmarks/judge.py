"""How often the judge of experiments is right: `python -m benchmarks.judge [--runs 2000]`.

Runs of experiments are drawn with known ratios, and the code that judges real ones judges them. Each figure is the
worst of its cases, 2,000 runs each; the draws are seeded, so the figures are the same each time.

- `false_deviated`: runs with no effect that deviated; base rates 0 to 30 %, 50 to 5,000 requests an arm, 1 to 5 lines.
- `power`: runs with 5 points more errors, 1,000 requests an arm and the margin of a 99 % or 99.9 % objective that
  deviated; `power_at_5_percent`: where 5 % fail without the fault, five times what the 99 % objective allows.
- `coverage`: how often the 95 % interval holds the true difference.
- `false_abort`: runs in which the watch, looking every second for 60 s, ended what it should not have.
- `false_held`: runs a hair beyond the margin that held.
- `watched_false_deviated`: runs with no effect that deviated, the watch having ended them or not.
- `uncorrected_3_lines`, `uncorrected_5_lines`: the false deviations if each line were taken for itself.
- `abort_delay_requests`: requests an arm, median, until an error ratio of 20 % instead of 1 % ends the run;
  `abort_found`, `abort_deviated`: how many of these runs were ended, and how many then deviated;
  `msprt_delay_requests`: the delay with the mixture SPRT instead.
- `peeking_false_abort`: the false alarms if the watch looked at the 95 % interval every second.
- `incident_found`: runs with trouble in both arms that were ended as an incident, not as harm.
- `srm_false_void`, `srm_found`: runs called void by the sample ratio, with no request lost and with a tenth of one arm.
- `p95_coverage`: how often the interval of the difference of 95th percentiles holds the true one.

The last line is one JSON object; the exit code is 1 when a figure breaks its limit.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping

from benchmarks.judge_parts import parts_figures
from benchmarks.judge_verdicts import verdict_figures
from benchmarks.judge_watch import watch_figures
from benchmarks.options import positive

RUNS = 2_000
MOST = {
    "false_deviated": 0.05,
    "watched_false_deviated": 0.05,
    "false_abort": 0.05,
    "false_held": 0.05,
    "srm_false_void": 0.005,
}
LEAST = {"power": 0.95, "coverage": 0.93, "p95_coverage": 0.93}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=positive, default=RUNS, help="runs in each case")
    runs = parser.parse_args().runs
    figures: dict[str, float] = {}
    for measure in (verdict_figures, watch_figures, parts_figures):
        started = time.perf_counter()
        figures |= measure(runs)
        print(f"{measure.__name__}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    broken = limits_broken(figures)
    for line in broken:
        print(line)
    print(json.dumps({name: round(value, 4) for name, value in figures.items()} | {"runs": runs}))
    return 1 if broken else 0


def limits_broken(figures: Mapping[str, float]) -> list[str]:
    """Return a line for each figure that is beyond its limit."""
    above = [f"{name} is {figures[name]:.4f}, above {most}" for name, most in MOST.items() if figures[name] > most]
    below = [f"{name} is {figures[name]:.4f}, below {least}" for name, least in LEAST.items() if figures[name] < least]
    return above + below


if __name__ == "__main__":
    sys.exit(main())
