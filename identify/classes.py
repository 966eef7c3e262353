"""What a model can answer, and what that is linked to. In: a dataset's classes, or JSON. Out: ``ModelClass``."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from harvest.manifest import DatasetClass
from linkeddata.ids import GBIF_BACKBONE
from linkeddata.records import Ancestor, ModelClass


def model_classes(described: Iterable[DatasetClass], model: str, version: str) -> tuple[ModelClass, ...]:
    """Return the classes of a model in the order of its outputs.

    A class with a Q-item or a GBIF key *is* that taxon (``exact``); one without either is ``unlinked``.
    """
    return tuple(
        ModelClass(
            id=f"{model}@{version}/{index}",
            model=model,
            version=version,
            index=index,
            label=one.label,
            rank=one.rank,
            item=one.item,
            gbif_key=one.gbif_key,
            col_id=one.col_id,
            lineage=one.lineage,
            relation="exact" if one.item or one.gbif_key or one.col_id else "unlinked",
            checklist_key=GBIF_BACKBONE if one.gbif_key else "",
        )
        for index, one in enumerate(described)
    )


def to_json(classes: Iterable[ModelClass]) -> str:
    """Return classes as JSON, one field a line."""
    return json.dumps([asdict(one) for one in classes], indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> tuple[ModelClass, ...]:
    """Return the classes in ``text``. Raises ``ValueError`` for anything but what ``to_json`` writes, in its order."""
    raw = json.loads(text)
    if not isinstance(raw, list) or not raw:
        raise ValueError("not a list of classes")
    classes = tuple(_class(entry) for entry in raw)
    if [one.index for one in classes] != list(range(len(classes))):
        raise ValueError("the classes are not numbered from 0")
    return classes


def _class(entry: Any) -> ModelClass:
    try:
        return ModelClass(**entry | {"lineage": tuple(Ancestor(**step) for step in entry["lineage"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a class: {error}") from error
