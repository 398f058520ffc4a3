"""Benchmarks: `manage.py bench` and `make bench`.

Every benchmark runs in a process of its own, on servers of its own, next to a peer and to the limit of what it does,
in one run; only ratios inside a run mean anything. How to read them is in docs/benchmarks.md.
"""
