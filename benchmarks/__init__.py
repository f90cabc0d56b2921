"""Timed runs on generated files; `python -m benchmarks.run` is what `make bench` calls.

Belongs here: data to measure on, what is measured, how it is told. Does not belong here: anything
that the product itself needs.
"""
