"""What a museum tells of taxa: tables and texts of a folder, read again when they change."""

from pathlib import Path

import pytest

from identify.information import Information, Leaflet, in_language, span
from linkeddata.records import ModelClass

TABLE = """taxon,language,text,size_mm,distribution,similar,pictures,links,colour
Vanessa cardui,nl,Trekt ver.,45-60,Overal.,Vanessa atalanta; Aglais io,https://m.example/1.jpg,Museum|https://m.example/2,x
Q158603,en,Travels far.,,,,,https://m.example/3,
,en,nobody,,,,,,
Papilio paris,en,x,wide,,,,,
Papilio paris,en,x,9-3,,,,,
Papilio paris,en,x,,,,javascript:alert(1),,
Papilio paris,English!,x,,,,,,
4299368,fr,Loin.,,,,,,,too,many
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "taxa.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "Papilio paris.nl.md").write_text("Groen.\n\nEn groot.\n", encoding="utf-8")
    (tmp_path / "Papilio paris.md").write_text("Green.", encoding="utf-8")
    (tmp_path / "broken.md").write_bytes(b"\xff")
    (tmp_path / "none.csv").write_text("name\nx\n", encoding="utf-8")
    (tmp_path / "other.pdf").write_bytes(b"")
    return tmp_path


def test_a_taxon_is_told_by_all_its_names(folder: Path) -> None:
    told = Information(folder).of("Vanessa cardui", "Q158603", "4299368")
    assert told == Leaflet(
        texts=(("nl", "Trekt ver."), ("en", "Travels far.")),
        distribution=(("nl", "Overal."),),
        size_mm=(45.0, 60.0),
        similar=("Vanessa atalanta", "Aglais io"),
        pictures=("https://m.example/1.jpg",),
        links=(("Museum", "https://m.example/2"), ("https://m.example/3", "https://m.example/3")),
    )
    paris = Information(folder).of("Papilio paris")
    assert paris is not None
    assert dict(paris.texts) == {"nl": "Groen.\n\nEn groot.", "en": "Green."}
    assert Information(folder).of("Panthera leo", "Q140") is None
    assert Information(folder / "nowhere").of("Vanessa cardui") is None


def test_what_cannot_be_read_is_told_with_its_place_and_stops_nothing(folder: Path) -> None:
    information = Information(folder)
    assert information.of("Vanessa cardui") is not None
    told = "\n".join(information.troubles)
    for place in ("row 5", "row 6", "row 7", "row 8", "row 9", "broken.md", "none.csv", "colour is not known"):
        assert place in told
    assert len(information.troubles) == 8


def test_a_file_that_changes_is_read_again(folder: Path) -> None:
    information = Information(folder, look_s=0)
    assert information.of("Panthera leo") is None
    (folder / "Panthera leo.md").write_text("Roars.", encoding="utf-8")
    assert information.of("Panthera leo") is not None


def test_sizes_are_traits_of_classes(folder: Path) -> None:
    classes = [
        ModelClass(id=f"m@1/{n}", model="m", version="1", index=n, label=label, item=item)
        for n, (label, item) in enumerate([("Vanessa cardui", "Q158603"), ("Papilio paris", "")])
    ]
    traits = Information(folder).traits(classes)
    assert {label: one.size_mm for label, one in traits.items()} == {"Vanessa cardui": (45.0, 60.0)}


@pytest.mark.parametrize("text", ["a", "3-", "-3", "9-3", "1-2-3", "1e3"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|begins"):
        span(text)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("nl", "nl"), ("nl-NL", "nl"), ("de", "en"), ("", "en"), ("de;q=1, nl;q=0.1", "nl"), ("*;q=x", "en")],
)
def test_the_reader_gets_the_language_he_asks_for(accepted: str, language: str) -> None:
    assert in_language([("en", "a"), ("nl", "b")], accepted)[0] == language
    assert in_language([("fr", "c")], accepted) == ("fr", "c")
    assert in_language([], accepted) == ("", "")
