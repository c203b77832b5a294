"""What the command lines of the benchmarks have in common."""

import argparse


def positive(text: str) -> int:
    """Return *text* as an integer of at least 1.

    Raises:
        argparse.ArgumentTypeError: it is smaller.
    """
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value
