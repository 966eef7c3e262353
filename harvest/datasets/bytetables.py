"""A dataset as Parquet with the images inside. In: a dataset on disk, a folder. Out: files that ``datasets`` loads.

``data/SIDE-00000-of-00001.parquet``; the schema carries the features as Hugging Face's ``datasets`` writes them, so
that ``load_dataset`` gives pictures and class labels by name.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harvest.datasets.manifest import Dataset
from harvest.datasets.sharding import Shard, image_of, names_of, numbers_of, shards
from harvest.datasets.tables import SCHEMA, table
from harvest.records import Progress

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_KINDS = {pa.string(): "string", pa.float64(): "float64", pa.int32(): "int32", pa.bool_(): "bool"}
_STEP = {name: {"dtype": "string", "_type": "Value"} for name in ("rank", "name", "gbif_key")}
_REGION = {name: {"dtype": "string", "_type": "Value"} for name in ("concept", "region")}
_LISTS: dict[str, Any] = {
    "lineage": {"feature": _STEP, "_type": "List"},
    "also": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"},
    "regions": {"feature": _REGION, "_type": "List"},
}
NO_CLASS = -1
"""What ``datasets`` writes where the class is not known."""


def write_bytetables(data: Dataset, out: Path, progress: Progress) -> list[Path]:
    """Write the files and return their paths."""
    schema = _schema(data)
    written, done = list[Path](), 0
    (out / "data").mkdir(exist_ok=True)
    for shard in shards(data):
        path = out / "data" / f"{shard.side}-{shard.number:05}-of-{shard.of:05}.parquet"
        # Pictures are packed already: nothing is gained by packing them again.
        pq.write_table(_rows(data, shard, schema), path, compression={"image.bytes": "none"}, row_group_size=100)
        done += len(shard.examples)
        progress("parquet", done, len(data.examples))
        written.append(path)
    return written


def _rows(data: Dataset, shard: Shard, schema: pa.Schema) -> pa.Table:
    numbers = numbers_of(data)
    images = [{"bytes": image_of(data, e), "path": Path(e.path).name} for e in shard.examples]
    labels = [numbers.get(example.concept, NO_CLASS) for example in shard.examples]
    told = table(shard.examples)
    columns = {name: told.column(name) for name in told.column_names if name != "label"}
    return pa.table(
        {"image": pa.array(images, _IMAGE), "label": pa.array(labels, pa.int64()), **columns}, schema=schema
    )


def _schema(data: Dataset) -> pa.Schema:
    """Return the columns: the image, the class, then the row; with the features for ``datasets`` in its metadata."""
    told = [field for field in SCHEMA if field.name != "label"]
    plain = {f.name: {"dtype": _KINDS[f.type], "_type": "Value"} for f in told if f.type in _KINDS}
    features = {
        "image": {"_type": "Image"},
        "label": {"names": list(names_of(data)), "_type": "ClassLabel"},
        **{field.name: (plain | _LISTS)[field.name] for field in told},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}}, ensure_ascii=False)}
    return pa.schema([("image", _IMAGE), ("label", pa.int64()), *told], metadata=metadata)
