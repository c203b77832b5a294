"""What is refused at which load, and what the readings say."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.admission.pressure import (
    CALM,
    LoadReader,
    Pressure,
    PressureSampler,
    Priority,
    cgroup_free,
    decide,
    own_cgroups,
    shedding_level,
    smoothed,
)

LOW, NORMAL, CRITICAL = Priority
ratios = st.floats(0, 1)


def refused(pressure, spool_fill=0.0):
    """Return the priorities that are refused."""
    return [priority.name for priority in Priority if decide(pressure, spool_fill, priority) is not None]


def test_a_calm_collector_refuses_nobody():
    assert refused(CALM) == []
    assert shedding_level(CALM, 0.0) == 0


@pytest.mark.parametrize(
    ("pressure", "spool_fill", "expected"),
    [
        (Pressure(cpu=0.8), 0.0, []),
        (Pressure(cpu=0.81), 0.0, ["LOW"]),
        (Pressure(cpu=1.0), 0.0, ["LOW"]),
        (Pressure(memory=0.9), 0.0, []),
        (Pressure(memory=0.91), 0.0, ["LOW", "NORMAL"]),
        (CALM, 0.69, []),
        (CALM, 0.7, ["LOW"]),
        (CALM, 0.89, ["LOW"]),
        (CALM, 0.9, ["LOW", "NORMAL"]),
        (CALM, 0.999, ["LOW", "NORMAL"]),
        (CALM, 1.0, ["LOW", "NORMAL", "CRITICAL"]),
        (Pressure(cpu=1.0, memory=1.0), 0.0, ["LOW", "NORMAL"]),
    ],
)
def test_each_load_refuses_the_priorities_that_the_documentation_says(pressure, spool_fill, expected):
    assert refused(pressure, spool_fill) == expected
    assert shedding_level(pressure, spool_fill) == len(expected)


@given(ratios, ratios, ratios)
def test_who_is_more_important_is_never_refused_while_who_is_less_is_accepted(cpu, memory, spool_fill):
    found = [decide(Pressure(cpu, memory), spool_fill, priority) is not None for priority in Priority]
    assert found == sorted(found, reverse=True)


@given(st.tuples(ratios, ratios, ratios), st.tuples(ratios, ratios, ratios), st.sampled_from(Priority))
def test_more_load_never_lets_in_what_less_load_refuses(one, other, priority):
    less = [min(pair) for pair in zip(one, other, strict=True)]
    more = [max(pair) for pair in zip(one, other, strict=True)]
    if decide(Pressure(*less[:2]), less[2], priority) is not None:
        assert decide(Pressure(*more[:2]), more[2], priority) is not None


def test_a_refusal_says_what_is_short():
    assert decide(Pressure(memory=0.934), 0.0, NORMAL) == "93 % of the memory is used"
    assert decide(CALM, 0.75, LOW) == "the spool is 75 % full"
    assert decide(CALM, 1.0, CRITICAL) == "the spool is full"


@given(ratios, ratios, st.floats(0, 60))
def test_smoothing_stays_between_the_old_value_and_the_reading(before, reading, elapsed_s):
    found = smoothed(before, reading, elapsed_s)
    assert min(before, reading) - 1e-9 <= found <= max(before, reading) + 1e-9


def test_a_lasting_load_is_seen_after_some_seconds_and_a_short_peak_is_not():
    value = smoothed(0.2, 1.0, 1.0)
    assert value < 0.8
    for _ in range(9):
        value = smoothed(value, 1.0, 1.0)
    assert value > 0.8


class FixedReader(LoadReader):
    """A reader whose clock and counters the test moves."""

    def __init__(self, *times):
        self.times = list(times)
        super().__init__()

    def _times(self):
        return self.times.pop(0)


def test_the_machine_counts_while_a_tenth_of_it_is_ours():
    reader = FixedReader((0.0, 0.0, 0.0))
    reader._cores = 2
    reader.times = [(10.0, 19.0, 3.0), (20.0, 21.0, 4.0)]
    assert reader.read().cpu == pytest.approx(0.95), "19 of 20 CPU seconds were busy, 3 of them ours"
    assert reader.read().cpu == pytest.approx(0.05), "then ours were a twentieth, and others did not matter"


def test_a_machine_that_others_keep_busy_costs_no_telemetry():
    reader = FixedReader((0.0, 0.0, 0.0))
    reader._cores = 2
    reader.times = [(10.0, 20.0, 0.4)]  # all busy, a fiftieth of it ours
    assert reader.read().cpu == pytest.approx(0.02)


def test_a_real_reading_is_a_ratio_and_sees_this_process_work():
    reader = LoadReader()
    before = time.process_time()
    while time.process_time() - before < 0.15:
        pass
    found = reader.read()
    assert 0 < found.cpu <= 1
    assert 0 < found.memory < 1


def cgroup(folder, limit, current, cache):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{current}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cache}\nslab 2\n")
    return folder


def test_a_cgroup_offers_what_its_limit_leaves_and_what_it_can_reclaim(tmp_path):
    assert cgroup_free([cgroup(tmp_path / "a", 1000, 900, 50)]) == [150]
    assert cgroup_free([cgroup(tmp_path / "over", 1000, 1200, 0)]) == [0]


def test_a_cgroup_without_a_limit_offers_no_number(tmp_path):
    assert cgroup_free([cgroup(tmp_path / "b", "max", 900, 0), tmp_path / "missing"]) == []


def test_the_cgroups_around_this_process_are_looked_at_too(tmp_path):
    membership = tmp_path / "cgroup"
    membership.write_text("4:memory:/old\n0::/kubepods/pod1/app\n")
    assert own_cgroups(tmp_path, membership) == [
        tmp_path / "kubepods/pod1/app", tmp_path / "kubepods/pod1", tmp_path / "kubepods", tmp_path
    ]  # fmt: skip
    membership.write_text("4:memory:/old\n")
    assert own_cgroups(tmp_path, membership) == []
    assert own_cgroups(tmp_path, tmp_path / "missing") == []


def sampler(read, monkeypatch):
    monkeypatch.setattr("collector.admission.pressure.SAMPLE_S", 0.01)
    return PressureSampler(read)


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_sampler_reads_in_the_background_until_it_is_stopped(monkeypatch):
    found = sampler(lambda: Pressure(cpu=0.5), monkeypatch)
    assert found.current == CALM
    found.start()
    wait_for(lambda: found.current.cpu == 0.5)
    found.stop()
    assert not found._thread.is_alive()


def test_a_load_that_cannot_be_read_refuses_nobody(monkeypatch):
    readings = [Pressure(cpu=1.0)]

    def read():
        if readings:
            return readings.pop()
        raise OSError("/proc is not there")

    found = sampler(read, monkeypatch)
    found.start()
    wait_for(lambda: not readings and found.current == CALM)
    found.stop()


def test_a_sampler_that_was_never_started_can_be_stopped():
    PressureSampler(lambda: CALM).stop()
