"""The manifest as Parquet. In: examples. Out: the bytes of a table, the same for the same examples."""

import io
from collections.abc import Sequence
from dataclasses import fields

import pyarrow as pa
import pyarrow.parquet as pq

from harvest.datasets.manifest import Example

_STEP = pa.struct([("rank", pa.string()), ("name", pa.string()), ("gbif_key", pa.string())])
_REGION = pa.struct([("concept", pa.string()), ("region", pa.string())])
_TYPES = {
    "lineage": pa.list_(_STEP),
    "also": pa.list_(pa.string()),
    "regions": pa.list_(_REGION),
    "probability": pa.float64(),
    "support": pa.int32(),
    "simulated": pa.bool_(),
}
SCHEMA = pa.schema([(f.name, _TYPES.get(f.name, pa.string())) for f in fields(Example)])
"""The columns: those of ``manifest.csv``, of which three are lists."""


def table(examples: Sequence[Example]) -> pa.Table:
    """Return the examples as a table, a row each."""
    columns = {name: [_plain(name, getattr(example, name)) for example in examples] for name in SCHEMA.names}
    return pa.table(columns, schema=SCHEMA)


def to_parquet(rows: pa.Table) -> bytes:
    """Return a table as Parquet."""
    out = io.BytesIO()
    pq.write_table(rows, out, compression="zstd")
    return out.getvalue()


def _plain(name: str, value: object) -> object:
    if name == "lineage":
        return [{"rank": a.rank, "name": a.name, "gbif_key": a.gbif_key} for a in value]  # type: ignore[attr-defined]
    if name == "regions":
        return [{"concept": concept, "region": region} for concept, region in value]  # type: ignore[attr-defined]
    return list(value) if isinstance(value, tuple) else value
