"""Whoever is killed, and whenever: the service answers in time within lease + 1 s, and no fault is left."""

import pytest
from dead_man import LEASE_S, killed_at_random

CLEAN_S = LEASE_S + 3
"""When a probe was not answered within its second, on a loaded machine, it is repeated: the proof takes longer."""


@pytest.mark.e2e
@pytest.mark.parametrize("seed", range(3))
def test_kill_9_at_a_random_moment_leaves_nothing_broken(seed, tmp_path):
    """Of the runner, the daemon and both; the lease of a killed daemon's faults counts from its return."""
    answered_s, clean_s, left = killed_at_random(tmp_path, seed)
    assert left == []
    assert answered_s <= LEASE_S + 1
    assert clean_s <= CLEAN_S


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_kill_9_at_twenty_random_moments_leaves_nothing_broken(seed, tmp_path):
    """Other faults, other moments."""
    answered_s, clean_s, left = killed_at_random(tmp_path, seed)
    assert left == []
    assert answered_s <= LEASE_S + 1
    assert clean_s <= CLEAN_S
