"""What ends a benchmark without a figure."""


class BenchError(Exception):
    """The run cannot be used: something did not start, did not finish, or delivered something else. One sentence."""
