"""What somebody may choose, and that what is not chosen is lost with its reason."""

from dataclasses import replace

import pytest

from crowd.campaign import DatasetRules
from crowd.campaignfile import check_dataset
from harvest.datasets.choices import FILE_CHOICES, MACHINE, NOT_SURE, OTHER_STATUS, file_trouble, label_trouble
from harvest.datasets.reserved import reservation
from linkeddata.errors import CampaignError
from linkeddata.records import Label, MediaFile

PLATE = MediaFile(
    iri="https://commons.wikimedia.org/entity/M12",
    title="File:Plate 12.jpg",
    description="Hand-coloured engraving",
    licence="https://creativecommons.org/licenses/by/4.0/",
    creator="Painter A",
    created="circa 1596–1610",
    group="wash",
    sha1="ab" * 20,
)
LABEL = Label(id="1", campaign="c", file=PLATE.iri, concept="Q1", status="accepted", probability=0.8)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (DatasetRules(), ""),
        (DatasetRules(licences=("cc-by",)), ""),
        (DatasetRules(licences=("cc0", "https://creativecommons.org/licenses/by/4.0/")), ""),
        (DatasetRules(licences=("cc-by-sa",)), "licence not chosen"),
        (DatasetRules(from_year=1596, until_year=1596), ""),
        (DatasetRules(from_year=1600), "year not chosen"),
        (DatasetRules(until_year=1595), "year not chosen"),
        (DatasetRules(creators=("painter a",)), ""),
        (DatasetRules(creators=("Painter",)), "creator not chosen"),
        (DatasetRules(styles=("Engraving",)), ""),
        (DatasetRules(styles=("wash", "pencil")), ""),
        (DatasetRules(styles=("pencil",)), "style not chosen"),
        (DatasetRules(exclude=("M12",)), "excluded"),
        (DatasetRules(exclude=("Plate 12.jpg",)), "excluded"),
        (DatasetRules(exclude=("ab" * 20,)), "excluded"),
        (DatasetRules(exclude=("M1", "")), ""),
    ],
)
def test_each_choice_of_files(rules: DatasetRules, reason: str) -> None:
    assert file_trouble(PLATE, rules)[0] == reason
    assert not reason or reason in FILE_CHOICES


def test_a_picture_without_a_date_is_of_no_chosen_year() -> None:
    assert file_trouble(replace(PLATE, created="17th century"), DatasetRules(from_year=1500)) == (
        "year not chosen",
        "17th century",
    )


def test_nothing_without_a_licence_is_taken_whatever_is_chosen() -> None:
    assert file_trouble(replace(PLATE, licence=""), DatasetRules(licences=("",)))[0] == "no licence"


@pytest.mark.parametrize(
    ("label", "rules", "reason"),
    [
        (LABEL, DatasetRules(), ""),
        (LABEL, DatasetRules(labels=("reviewed",)), OTHER_STATUS),
        (replace(LABEL, status="single"), DatasetRules(), "no accepted label"),
        (replace(LABEL, status="single"), DatasetRules(labels=("single",)), ""),
        (LABEL, DatasetRules(min_probability=0.81), NOT_SURE),
        (LABEL, DatasetRules(min_probability=0.8), ""),
        (replace(LABEL, status="reviewed", probability=0.1), DatasetRules(min_probability=0.8), ""),
        (replace(LABEL, status="machine", machine_status="accepted"), DatasetRules(), MACHINE),
        (replace(LABEL, status="machine", machine_status="accepted"), DatasetRules(machine=True), ""),
        (
            replace(LABEL, status="rejected", counted="single", machine_status="accepted"),
            DatasetRules(machine=True),
            "no accepted label",
        ),
    ],
)
def test_each_choice_of_labels(label: Label, rules: DatasetRules, reason: str) -> None:
    assert label_trouble(label, rules) == reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"rank": "tribe"},
        {"max_images": 3},
        {"from_year": 1800, "until_year": 1700},
        {"min_probability": 1.5},
        {"test_share": 0.6, "validation_share": 0.4},
        {"test_groups": ("a",), "validation_groups": ("a",)},
    ],
)
def test_rules_that_cannot_be_meant_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CampaignError, match=next(iter(wrong)).split("_")[-1]):
        check_dataset("here:", replace(DatasetRules(), **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b'plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"', "DMI-PROHIBITED"),
        (b"DMI-PROHIBITED-GENAIMLTRAINING<", "DMI-PROHIBITED-GENAIMLTRAINING"),
        (b"DMI-PROHIBITED-SEEALSO", ""),
        (b"<rdf:li>NoAI</rdf:li>", "NoAI"),
        (b"<rdf:li>piano and noai</rdf:li>", ""),
    ],
)
def test_what_metadata_ask_for(head: bytes, word: str) -> None:
    assert reservation(head) == word
