"""What a model can answer, and what that is linked to. In: a dataset's classes, or JSON. Out: ``ModelClass``."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from harvest.datasets.manifest import DatasetClass
from linkeddata.ids import GBIF_BACKBONE
from linkeddata.records import Ancestor, ModelClass, Taxon


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


def dated(classes: Iterable[ModelClass], taxa: Iterable[Taxon]) -> tuple[ModelClass, ...]:
    """Return classes with the day on which their keys were read, their checklist, and the keys that they lack.

    Those of the taxon with the same key, item or COL id; where it was resolved more than once, of the last time.

    >>> lion = ModelClass(id="m@1/0", model="m", version="1", index=0, label="Panthera leo", gbif_key="5219404")
    >>> read = Taxon(query="leeuw", gbif_key="5219404", col_id="4CGXP", moment="2026-10-01T12:00:00Z")
    >>> [(one.col_id, one.moment) for one in dated([lion], [read])]
    [('4CGXP', '2026-10-01T12:00:00Z')]
    """
    read: dict[tuple[str, str], Taxon] = {}
    for taxon in sorted(taxa, key=lambda one: one.moment):
        read |= dict.fromkeys(_keys(taxon), taxon)
    return tuple(_dated(one, next((read[key] for key in _keys(one) if key in read), None)) for one in classes)


def _keys(one: ModelClass | Taxon) -> list[tuple[str, str]]:
    told = (("gbif", one.gbif_key), ("item", one.item), ("col", one.col_id))
    return [(scheme, key) for scheme, key in told if key]


def _dated(one: ModelClass, taxon: Taxon | None) -> ModelClass:
    if taxon is None:
        return one
    return replace(
        one,
        item=one.item or taxon.item,
        gbif_key=one.gbif_key or taxon.gbif_key,
        col_id=one.col_id or taxon.col_id,
        aphia_id=one.aphia_id or taxon.aphia_id,
        checklist_key=taxon.checklist_key or one.checklist_key,
        moment=taxon.moment,
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
