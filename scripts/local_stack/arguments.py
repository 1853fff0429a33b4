"""Types of the scripts' options, for argparse."""

import argparse
from collections.abc import Callable


def number_between(least: float, most: float) -> Callable[[str], float]:
    """A number from `least` to `most`; what else is given is an error that says so."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        # NaN is in no range.
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least:.10g} to {most:.10g}")
        return value

    return read
