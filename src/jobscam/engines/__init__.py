"""Scoring beyond one machine: the same scores from Dask and Spark, a partition in and a partition out.

Each engine is imported by whoever uses it: :mod:`jobscam.engines.dask` needs the extra ``dask``,
:mod:`jobscam.engines.spark` the extra ``spark``.
"""
