"""Pictures on this machine with a table of what they show: what a row can say, and what becomes of bad ones."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from harvest.datasets.queried import Around
from harvest.datasets.tabled import Pictures, Tabled, gather_table
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.records import Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Around]:
    """Nobody to ask: names are those that the store has."""
    settings = Settings(home=str(tmp_path / "home"))
    with Store("sqlite://") as store, Client(settings) as client:
        vanessa = Taxon(query="Vanessa cardui", concept="gbif:4299368", name="Vanessa cardui", rank="species")
        store.put([vanessa], agent="urn:deboodt:software:test", moment="2026-01-01T00:00:00Z")
        yield Around(settings=settings, client=client, store=store, agent="urn:deboodt:software:test", moment="")


def painted(folder: Path, name: str, colour: str) -> str:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (40, 30), colour).save(folder / name)
    return hashlib.sha1((folder / name).read_bytes(), usedforsecurity=False).hexdigest()


def gathered(around: Around, folder: Path, rows: Sequence[dict[str, str]], **named: dict[str, str]) -> Tabled:
    path = folder / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(dict.fromkeys(key for row in rows for key in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return gather_table(Pictures(path=path, **named), around)


def test_a_picture_is_known_by_its_bytes_and_has_what_its_rows_tell(around: Around, tmp_path: Path) -> None:
    sha1 = painted(tmp_path / "plates", "1.png", "red")
    (tmp_path / "plates/copy.png").write_bytes((tmp_path / "plates/1.png").read_bytes())
    rows = [
        {"file": "plates/1.png", "taxon": "Vanessa cardui", "licence": "cc0", "creator": "Sepp"},
        {"file": "plates/copy.png", "label": "caterpillar", "credit": "Royal Library"},
    ]
    found = gathered(around, tmp_path, rows)
    (media,) = found.media
    assert (media.iri, media.sha1, media.licence) == (f"urn:sha1:{sha1}", sha1, CC0)
    assert (media.creator, media.group, media.credit) == ("Sepp", "Sepp", "Royal Library")
    assert {(label.concept, label.name) for label in found.labels} == {
        ("gbif:4299368", "Vanessa cardui"),
        ("label:caterpillar", "caterpillar"),
    }
    stored = found.image_of(media)
    assert stored is not None
    assert stored.read_bytes() == (tmp_path / "plates/1.png").read_bytes()
    assert not found.lost


def test_columns_may_be_called_otherwise_and_hold_for_all(around: Around, tmp_path: Path) -> None:
    painted(tmp_path, "1.png", "red")
    rows = [{"pad": "1.png", "masker": "Oceania", "wd": "http://www.wikidata.org/entity/Q55643"}]
    columns = {"file": "pad", "label": "masker", "item": "wd"}
    found = gathered(around, tmp_path, rows, columns=columns, constants={"licence": "CC BY 4.0", "group": "W1"})
    assert [(label.concept, label.item) for label in found.labels] == [("Q55643", "Q55643")]
    assert [(one.licence, one.group) for one in found.media] == [("https://creativecommons.org/licenses/by/4.0/", "W1")]


def test_what_cannot_be_read_is_named_by_its_row_and_the_others_stay(around: Around, tmp_path: Path) -> None:
    painted(tmp_path, "1.png", "red")
    (tmp_path / "torn.png").write_bytes((tmp_path / "1.png").read_bytes()[:60])
    rows = [
        {"file": "1.png", "label": "a", "licence": "cc0"},
        {"file": "", "label": "b"},
        {"file": "2.png", "label": "b"},
        {"file": "torn.png", "label": "b"},
        {"file": "1.png", "label": "b", "licence": "free as in beer"},
        {"file": "1.png", "label": "b", "item": "number 9"},
        {"file": "1.png"},
    ]
    found = gathered(around, tmp_path, rows)
    assert [label.name for label in found.labels] == ["a"]
    assert [(one.subject, one.reason) for one in found.lost] == [
        ("table.csv:3", "bad row"),
        ("table.csv:4", "image missing"),
        ("table.csv:5", "unreadable image"),
        ("table.csv:6", "bad row"),
        ("table.csv:7", "bad row"),
        ("table.csv:8", "bad row"),
    ]
    assert "column licence: 'free as in beer'" in found.lost[3].detail


@pytest.mark.parametrize(
    ("columns", "constants", "told"),
    [
        ({"file": "path"}, {}, "column path is missing; there are file, label"),
        ({"colour": "file"}, {}, "colour: a table of pictures tells file"),
        ({"label": "label", "file": "label"}, {"sha1": "0"}, "sha1: a table of pictures tells file"),
    ],
)
def test_a_column_that_is_not_there_is_said(
    around: Around, tmp_path: Path, columns: dict[str, str], constants: dict[str, str], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        gathered(around, tmp_path, [{"file": "1.png", "label": "a"}], columns=columns, constants=constants)


def test_a_table_must_tell_what_is_shown(around: Around, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column tells what is shown"):
        gathered(around, tmp_path, [{"file": "1.png"}])
