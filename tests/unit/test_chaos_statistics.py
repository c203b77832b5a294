from hypothesis import given
from hypothesis import strategies as st

from chaos.judge.sample_size import samples_to_decide
from slo.confidence import newcombe_interval


@given(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 0.2))
def test_samples_to_decide_is_the_smallest_number_that_decides(control, treatment, margin):
    """With the returned number the margin lies outside the interval, with one fewer it lies inside."""
    needed = samples_to_decide(control, treatment, margin)

    def decides(total):
        interval = newcombe_interval(control, total, treatment, total, confidence=0.95)
        return interval.high <= margin or interval.low > margin

    if needed is None:
        assert abs(treatment - control - margin) < 0.001
    else:
        assert decides(needed)
        assert needed == 1 or not decides(needed - 1)


def test_a_difference_at_the_margin_is_never_decided():
    """No number of samples separates a difference from a margin that equals it."""
    assert samples_to_decide(0.1, 0.2, 0.1) is None
