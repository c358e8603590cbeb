"""Scoring on Spark: functions for ``DataFrame.mapInPandas`` and ``DataFrame.mapInArrow``.

::

    scored = ads.mapInArrow(score_arrow_batches(), schema_of(ads.schema))

The scorer's files are broadcast once; each Python worker makes its scorer once. A row in is a row out, in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobscam.engines import parquet
from jobscam.engines.parcel import NUMBERS, Parcel, packed
from jobscam.errors import InputError
from jobscam.explain import OUTPUT_COLUMNS

if TYPE_CHECKING:
    import pandas as pd


def score_batches(
    arguments: Mapping[str, Any] | Parcel | None = None, *, session: Any = None, **settings: Any
) -> Callable[[Iterable[pd.DataFrame]], Iterator[pd.DataFrame]]:
    """Make what scores batches of pandas frames, for ``DataFrame.mapInPandas``.

    Spark hands whole numbers to pandas as floats where a batch has gaps, so numbers of more than 15 digits (identifiers of
    posts) may change on the way; :func:`score_arrow_batches` has no such trouble.

    Parameters
    ----------
    arguments : mapping, or Parcel
        Arguments of :func:`jobscam.load`; or what :func:`jobscam.engines.parcel.pack` made, which holds the settings too.
    session : pyspark.sql.SparkSession, optional
        By default the active one.
    settings
        `reasons`, `language`, `overrides` of :func:`jobscam.engines.parcel.pack`.

    Returns
    -------
    callable
        To be given to ``mapInPandas`` with the schema of :func:`schema_of`. A row without text is kept, with the status
        ``not_assessable``.

    Raises
    ------
    InputError, ArtifactError, KnowledgeError
        What :func:`jobscam.load` raises, before Spark begins.
    """
    return _PandasBatches(_broadcast(arguments, session, settings))


def score_arrow_batches(
    arguments: Mapping[str, Any] | Parcel | None = None, *, session: Any = None, **settings: Any
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Make what scores Arrow record batches, for ``DataFrame.mapInArrow``; every input value stays as it is.

    Parameters
    ----------
    arguments, session, settings
        As in :func:`score_batches`.
    """
    return _ArrowBatches(_broadcast(arguments, session, settings))


def schema_of(schema: Any) -> Any:
    """Schema of the scored frame: input columns, those of an earlier run left out, and ours.

    Parameters
    ----------
    schema : pyspark.sql.types.StructType
        Of the frame to be scored.
    """
    types = _types()
    ours = [
        types.StructField(name, types.DoubleType() if name in NUMBERS else types.StringType(), True) for name in OUTPUT_COLUMNS
    ]
    return types.StructType([*(field for field in schema.fields if field.name not in OUTPUT_COLUMNS), *ours])


class _PandasBatches:
    """Goes to the workers whole; holds nothing but the broadcast."""

    def __init__(self, shared: Any) -> None:
        self.shared = shared

    def __call__(self, batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in batches:
            yield self.shared.value.score(frame)


class _ArrowBatches(_PandasBatches):
    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        for batch in batches:
            table = pa.Table.from_batches([batch])
            schema = parquet.scored_schema(table.schema)
            found = self.shared.value.score(parquet.frame_of(table))
            yield from pa.Table.from_pandas(found, schema=schema, preserve_index=False).to_batches()


def _broadcast(arguments: Mapping[str, Any] | Parcel | None, session: Any, settings: Mapping[str, Any]) -> Any:
    _types()
    from pyspark.sql import SparkSession

    parcel = packed(arguments, **settings)
    session = session or SparkSession.getActiveSession()
    if session is None:
        raise InputError("there is no active Spark session; make one first, or give it as session")
    return session.sparkContext.broadcast(parcel)


def _types() -> Any:
    try:
        import pyarrow  # noqa: F401
        from pyspark.sql import types
    except ImportError as error:
        raise InputError(f"the engine spark needs more than is installed ({error}): pip install jobscam[spark]") from None
    return types
