"""Why a label stands, in words: every stand and status has its phrase, in both languages, with the right numbers."""

import pytest

from linkeddata import jsonld
from linkeddata.records import Certainty, Label, Voices
from linkeddata.why import WORDS, why

PATH = (
    Certainty("Lucanidae", "family", 0.98),
    Certainty("Lucanus", "genus", 0.95),
    Certainty("Lucanus cervus", "species", 0.9),
)
LABEL = Label(
    id="l", campaign="c", file="f", concept="Q1", name="Lucanus cervus", support=8, dissent=3, voters=11,
    probability=0.9, status="accepted", path=PATH,
    voices=(
        Voices("same", 6, "Lucanus", 0.92),
        Voices("above", 2),
        Voices("against", 1, "Lucanidae", 0.6),
        Voices("removed", 2),
    ),
)  # fmt: skip


def test_who_stands_how_is_told_with_what_follows() -> None:
    assert why(LABEL)["en"] == (
        "6 of 11 people say Lucanus cervus (right 92 % of the time in such choices); "
        "2 say only Lucanus or something above it, which supports it; "
        "1 chose another taxon of Lucanidae (right 60 % of the time in such choices); "
        "2 took it away. That is enough to accept it."
    )
    assert why(LABEL)["nl"].startswith("6 van de 11 mensen zeggen Lucanus cervus")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"voters": 3, "support": 2, "dissent": 1}, "2 of 3 people support it, 1 do not."),
        (
            {"voters": 1, "voices": (Voices("same", 1),), "status": "single"},
            "1 of 1 people says Aves. So few are not enough yet to accept it.",
        ),
        ({"status": "reviewed"}, "A reviewer has confirmed it."),
        (
            {"machine": 2, "machine_probability": 0.75, "status": "machine"},
            "2 accepted it when a machine suggested it, which is counted apart; "
            "counted in, its probability would be 75 %. Nobody says so but machines.",
        ),
        ({}, ""),
        (
            {"voters": 2, "voices": (Voices("above", 2),), "name": "{branch} {x}"},
            "2 of 2 people say only something above it, which supports it.",
        ),
    ],
)  # fmt: skip
def test_labels_of_every_kind(said: dict[str, object], told: str) -> None:
    label = Label(**{"id": "l", "campaign": "c", "file": "f", "concept": "Q1", "name": "Aves", **said})  # type: ignore[arg-type]
    assert why(label).get("en", "") == told


def test_both_languages_have_all_phrases() -> None:
    english, dutch = WORDS["en"], WORDS["nl"]
    assert english.stands.keys() == dutch.stands.keys()
    assert english.statuses.keys() == dutch.statuses.keys()


def test_a_label_says_it_as_linked_data() -> None:
    doc = jsonld.label_document(LABEL, base_url="https://deboodt.example")
    assert doc["why"] == why(LABEL)
    assert [step["label"] for step in doc["path"]] == ["Lucanidae", "Lucanus", "Lucanus cervus"]
    assert doc["voices"][0]["people"] == 6
    assert doc["voices"][0]["choseWithin"] == "Lucanus"
    assert "machineSupport" not in doc
