"""What examples may be taken for: species, what is known as a genus only, several datasets as one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harvest.datasets.manifest import Dataset, DatasetClass, Example
from identify.learning.together import joined
from identify.learning.truths import taught_by_all, truths_of
from linkeddata.errors import DatasetError
from linkeddata.records import Ancestor

GENUS = DatasetClass(concept="Q_Conus", label="Conus", rank="genus", gbif_key="1")
SPECIES = tuple(
    DatasetClass(concept=f"Q_{name}", label=f"{genus} {name}", rank="species", lineage=(Ancestor("genus", genus, key),))
    for genus, name, key in (("Conus", "ammiralis", "1"), ("Conus", "textile", "1"), ("Cypraea", "tigris", "2"))
)


def example(one: DatasetClass, number: int, split: str = "train", **changes: object) -> Example:
    told = dict.fromkeys(Example.__dataclass_fields__, "")
    told |= {"concept": one.concept, "label": one.label, "rank": one.rank, "gbif_key": one.gbif_key, "split": split}
    told |= {"file": f"{one.label} {number} {split}", "sha1": f"{one.label} {number} {split}"}
    plain = {"lineage": one.lineage, "also": (), "regions": (), "support": 2, "probability": 0.9, "simulated": True}
    return Example(**{**told, **plain, **changes})  # type: ignore[arg-type]


def dataset(examples: list[Example], classes: tuple[DatasetClass, ...]) -> Dataset:
    return Dataset(folder=Path("d"), sha256="0", examples=tuple(examples), classes=classes, counts={})


ALL = [example(one, n) for one in (*SPECIES, GENUS) for n in range(3)]


def test_a_class_that_others_are_below_of_is_no_class_but_teaches_what_is_below() -> None:
    truths = truths_of(dataset(ALL, (*SPECIES, GENUS)))
    assert [one.label for one in truths.data.classes] == ["Conus ammiralis", "Conus textile", "Cypraea tigris"]
    meant = {e.label: truths.sets[truths.shown[i]].tolist() for i, e in enumerate(truths.data.examples)}
    assert meant["Conus"] == [True, True, False, False]
    assert meant["Cypraea tigris"] == [False, False, True, False]
    assert truths.sets[truths.none].tolist() == [False, False, False, True]
    assert len(truths.learned) == 12


def test_a_genus_that_is_no_class_of_the_dataset_teaches_by_its_name() -> None:
    truths = truths_of(dataset(ALL, SPECIES))
    place = [e.label for e in truths.data.examples].index("Conus")
    assert truths.sets[truths.shown[place]].tolist() == [True, True, False, False]


def test_what_is_known_as_a_genus_only_measures_nothing() -> None:
    held = [example(GENUS, 9, "test"), example(SPECIES[0], 9, "test"), example(SPECIES[0], 8, "stranger", label="")]
    truths = truths_of(dataset([*ALL, *held], (*SPECIES, GENUS)))
    assert [truths.data.examples[i].label for i in truths.held("test")] == ["Conus ammiralis"]
    assert truths.shown[-1] == -1


def test_classes_with_too_few_pictures_are_left_out_and_none_left_is_said() -> None:
    truths = truths_of(dataset(ALL[:-4], (*SPECIES, GENUS)), min_images=3)
    assert [one.label for one in truths.data.classes] == ["Conus ammiralis", "Conus textile"]
    assert {e.label for e in truths.data.examples} == {"Conus ammiralis", "Conus textile"}
    with pytest.raises(DatasetError, match="no class has 9 pictures"):
        truths_of(dataset(ALL, SPECIES), min_images=9)


def test_a_label_is_as_sure_as_the_crowd_and_one_that_says_nothing_is_sure() -> None:
    own = [replace(ALL[0], probability=p) for p in (0.8, 0.0, 0.1, 1.0)]
    assert truths_of(dataset(own, SPECIES)).sure == pytest.approx([0.8, 1.0, 0.5, 1.0])


def test_datasets_go_together_without_a_leak() -> None:
    parts = [
        dataset(
            [
                example(SPECIES[0], 1, sha1="same", group="ink"),
                example(SPECIES[0], 2, sha1="own", cluster="c", group="chalk"),
                example(SPECIES[0], 3, sha1="free"),
            ],
            SPECIES[:1],
        ),
        dataset(
            [
                example(SPECIES[1], 1, "test", sha1="held", group="ink"),
                example(SPECIES[1], 2, "validation", sha1="copy", cluster="c"),
                example(SPECIES[0], 3, sha1="free"),
            ],
            SPECIES[:2],
        ),
    ]
    whole = joined(parts)
    assert [(one.sha1, one.split) for one in whole.examples] == [
        ("free", "train"),
        ("held", "test"),
        ("copy", "validation"),
    ]
    assert [(one.label, one.images, one.train) for one in whole.classes] == [
        ("Conus ammiralis", 1, 1),
        ("Conus textile", 2, 0),
    ]
    assert np.unique([one.file for one in whole.examples]).size == 3


def test_validations_groups_teach_where_others_are_left_to_test_on() -> None:
    splits = ("train", "validation", "test")
    data = dataset([example(SPECIES[0], n, split) for n, split in enumerate(splits)], SPECIES[:1])
    assert [one.split for one in taught_by_all(data).examples] == ["train", "train", "test"]
    only = replace(data, examples=data.examples[:2])
    assert taught_by_all(only) is only
