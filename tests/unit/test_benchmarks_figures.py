"""What a benchmark says of its runs: equal counts or nothing, medians, and backlogs and memory that grow or do not."""

import os
import time

import pytest

from benchmarks.comparison import Comparison
from benchmarks.cpu import NotSettledError, ProcessTree, wait_until_settled
from benchmarks.engine import EngineRun
from benchmarks.load import Outcome
from benchmarks.report import MARKS, Benchmark, between_marks, merged, read
from benchmarks.rotel import Peer, PeerError
from benchmarks.server import spool_bytes
from benchmarks.side import MismatchError, Run, Samples, await_stored, measure, require_equal
from benchmarks.soak import Usage, judge
from benchmarks.steady import Steady, first_and_last
from benchmarks.sustained import Look, grows, report

MIB = 1 << 20


def a_run(cpu_s, *, spans=1000, backlog=(10, 40, 20)):
    sent = Outcome(items=spans, answer_s=[0.01], wall_s=2.0)
    return Run(sent, cpu_s=cpu_s, queryable_s=3.0, rss_bytes=100 * MIB, backlog=backlog, disk_bytes=66_000)


class FixedLoad:
    """A load that is done at once."""

    accepted = 500

    @staticmethod
    def run():
        return Outcome(items=500, wall_s=0.01)


def test_a_process_that_never_rests_is_not_settled():
    started = time.monotonic()
    with pytest.raises(NotSettledError):
        wait_until_settled(lambda: time.monotonic() - started, flat_s=0.02, timeout_s=0.1)


def test_an_idle_process_is_settled():
    wait_until_settled(lambda: 1.0, flat_s=0.02, timeout_s=1.0)


def test_the_cpu_of_several_processes_is_added():
    alone, twice = ProcessTree(os.getpid()), ProcessTree(os.getpid(), os.getpid())
    assert twice.cpu_s() >= 2 * alone.cpu_s() * 0.99 > 0
    assert twice.rss_bytes() > alone.rss_bytes() > MIB


def test_one_lost_span_fails_the_run():
    require_equal("stored", 512, 512)
    with pytest.raises(MismatchError, match="stored 511, expected 512"):
        require_equal("stored", 511, 512)


def test_a_doubled_span_fails_the_run_at_once():
    with pytest.raises(MismatchError, match="stored 513, expected 512"):
        await_stored(lambda: 513, 512)


def test_waiting_ends_when_the_check_says_that_it_is_in_vain():
    def broken():
        raise PeerError("gone")

    with pytest.raises(PeerError, match="gone"):
        await_stored(lambda: 511, 512, broken)


def test_a_side_that_loses_a_span_in_a_merge_fails(monkeypatch):
    monkeypatch.setattr("benchmarks.side.wait_until_settled", lambda _: None)
    counts = iter([500, 499])
    with pytest.raises(MismatchError, match="after the merges the database had 499"):
        measure(FixedLoad(), ProcessTree(os.getpid()), lambda: next(counts))


def test_samples_are_taken_until_they_are_closed(monkeypatch):
    monkeypatch.setattr("benchmarks.side.SAMPLE_S", 0.01)
    samples = Samples(lambda: 7)
    time.sleep(0.1)
    samples.close()
    seen = list(samples.values)
    time.sleep(0.03)
    assert samples.values == seen
    assert set(seen) == {7}


def test_a_peer_that_repeated_an_export_does_not_count(tmp_path):
    log = tmp_path / "rotel.log"
    log.write_text("INFO Starting Rotel.\n")
    peer = Peer(1, 1, None, log)
    peer.require_sound()
    log.write_text("INFO Starting Rotel.\nINFO Exporting failed, will retry again after delay.\n")
    with pytest.raises(PeerError, match="1 exports of rotel"):
        peer.require_sound()


def test_ratios_compare_medians_and_take_the_peer_at_its_better_setting():
    runs = [a_run(0.5), a_run(0.4), a_run(5.0)]
    peer = {"default": [a_run(2.0)], "large": [a_run(1.0)]}
    figures = Comparison(runs, [EngineRun(1000, 0.4, 1)], peer, [3.0, 9.0, 3.5]).figures()
    assert figures["ours_spans_per_cpu_s"] == 2000
    assert figures["ours_runs_spans_per_cpu_s"] == [2000, 2500, 200]
    assert (figures["engine_spans_per_cpu_s"], figures["ratio_to_engine"]) == (2500, 0.8)
    assert (figures["peer_setting"], figures["peer_spans_per_cpu_s"]) == ("large", 1000)
    assert (figures["peer_default_spans_per_cpu_s"], figures["peer_large_spans_per_cpu_s"]) == (500, 1000)
    assert (figures["ratio"], figures["ratio_to_default"]) == (2.0, 4.0)
    assert figures["collector_us_per_span"] == 3.5
    assert (figures["ours_accepted_spans_per_s"], figures["ours_rss_mb"]) == (500, 100)
    assert (figures["ours_disk_bytes_per_span"], figures["ours_backlog_peak_spans"]) == (66.0, 40)
    assert figures["ours_drain_s"] == 1.0


def test_without_a_peer_nothing_is_said_of_one():
    figures = Comparison([a_run(0.5)]).figures()
    assert not [name for name in figures if name.startswith(("peer", "ratio", "engine", "collector"))]


@pytest.mark.parametrize(("last", "expected"), [(100, False), (290, False), (301, True)])
def test_a_backlog_grows_when_it_ends_more_than_two_seconds_of_load_higher(last, expected):
    assert grows([100, 100, 500, 900, last, last], second_bytes=100) is expected


def test_thirds_leave_the_middle_out():
    assert first_and_last([1, 1, 9, 9, 9, 5, 5]) == (1, 5)


def test_a_rate_that_came_late_is_not_held():
    seen = [Look(spool_bytes=4 * MIB, rss_bytes=second * MIB, cpu_s=second * 0.5) for second in range(1, 7)]
    sent = Outcome(items=600, answer_s=[0.002], wall_s=6.0, late_s=0.1)
    figures = report(Steady(sent, 400.0, seen), 100, "traces")
    assert figures["held"] is True
    assert (figures["cores"], figures["rss_peak_mb"], figures["spool_peak_mb"]) == (0.5, 6, 4.0)
    assert figures["spans_accepted_per_s"] == 100
    sent.late_s = 3.0
    assert report(Steady(sent, 400.0, seen), 100, "traces")["held"] is False


def test_the_spool_is_its_segments(tmp_path):
    for signal, name, size in (("traces", "1.seg", 100), ("metrics", "2.seg", 30), ("traces", "1.idx", 7)):
        folder = tmp_path / "data" / "spool" / signal
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes(size))
    assert spool_bytes(tmp_path) == 130


def test_a_process_that_grows_by_more_than_a_twentieth_is_not_flat():
    steady, growing = (Usage(100, 30, 200), Usage(100, 30, 200)), (Usage(100, 30, 200), Usage(106, 30, 200))
    seen = [{1: steady[late], 2: growing[late], **({3: steady[0]} if late else {})} for late in (0, 0, 0, 0, 1, 1)]
    first, second = judge(seen, 0)
    assert (first["flat"], second["flat"]) == (True, False)
    assert (second["rss_mb"], second["rss_mb_by_minute"]) == ([100.0, 106.0], [106])


def test_threads_that_pile_up_are_not_flat():
    (process,) = judge([{1: Usage(100, threads, 200)} for threads in (30, 30, 40)], 0)
    assert process["flat"] is False


def test_the_warm_up_does_not_count_and_is_shown():
    seen = [{1: Usage(rss, 30, 200)} for rss in (*[50] * 60, 90, 90, 90)]
    (process,) = judge(seen, 60)
    assert (process["flat"], process["rss_mb"], process["rss_mb_by_minute"]) == (True, [90, 90], [50, 90])


def test_the_last_line_of_a_benchmark_is_its_figures():
    result = read(Benchmark(("benchmarks.check",), "check_"), 0, 'parse 1 us\n{"spans": 512}\n', "")
    assert (result.text, dict(result.figures)) == ("parse 1 us", {"spans": 512})
    assert merged([result]) == {"check_spans": 512}


def test_a_benchmark_that_fails_is_shown_with_its_reason_and_has_no_figures():
    result = read(Benchmark(("benchmarks.ingest",)), 1, "1,000 spans\n", "failed: HTTP 400\n")
    assert (result.exit_code, dict(result.figures)) == (1, {})
    assert "failed: HTTP 400" in result.text


def test_writing_the_page_keeps_all_but_its_figures():
    page = f"# Before\n{MARKS[0]}old\n{MARKS[1]}after\n"
    written = between_marks(page, "new")
    assert written == f"# Before\n{MARKS[0]}\nnew\n{MARKS[1]}after\n"
    assert between_marks(written, "new") == written
    with pytest.raises(ValueError, match="no place for figures"):
        between_marks("# Nothing\n", "new")
