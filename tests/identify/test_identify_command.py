"""Naming images from the command line: sources, forms of answers, a run that is killed, into a museum's system."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pyoxigraph
import pytest
from click.testing import CliRunner, Result

from harvest.standin.server import StandIn
from harvest.standin.world import World
from identify.bundle import Bundle
from identify.cli import cli
from identify.journal import Journal

Picture = Callable[..., bytes]
CARDUI, PARIS, PRIAMUS = "Vanessa cardui", "Papilio paris", "Ornithoptera priamus"
SIGN_IN = {"DEBOODT_CONTACT": "keeper@museum.example"}


@pytest.fixture
def home(tmp_path: Path, colour_bundle: Callable[..., Bundle], picture: Picture) -> Path:
    """A home folder with a model, and plates: red, green, blue, one broken."""
    colour_bundle(tmp_path / "home/models")
    plates = tmp_path / "plates"
    plates.mkdir()
    for name, colour in (("a red.jpg", "red"), ("b green.jpg", "lime"), ("c blue.jpg", "blue")):
        (plates / name).write_bytes(picture(colour))
    (plates / "d broken.jpg").write_bytes(b"\xff\xd8 no picture")
    return tmp_path


def identify(home: Path, *arguments: str, code: int = 0, **environment: str) -> Result:
    """Run the command in ``home``."""
    given = ["--home", str(home / "home"), "--quiet", "identify", "--model", "colours", *arguments]
    result = CliRunner().invoke(cli, given, env=environment, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_folder_becomes_answers_in_every_form(home: Path) -> None:
    plates = str(home / "plates")
    told: dict[str, list[str]] = {}
    for ending in ("jsonl", "csv", "parquet", "jsonld"):
        out = home / f"out.{ending}"
        identify(home, plates, "-o", str(out), code=9)
        if ending == "jsonl":
            told[ending] = [row.get("label", row.get("lost")) for row in rows(out)]
        elif ending == "csv":
            table = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
            told[ending] = [row["label"] or row["lost"] for row in table]
            assert (table[0]["item"], table[0]["word"], table[0]["weights"][:1].isalnum()) == (
                "Q158603",
                "certain",
                True,
            )
            assert table[0]["alternatives"].startswith(f"{CARDUI} 0.99")
        elif ending == "parquet":
            told[ending] = [row["label"] or row["lost"] for row in pyarrow.parquet.read_table(out).to_pylist()]
        else:
            content = json.loads(out.read_text(encoding="utf-8"))
            told[ending] = [one["body"]["label"] for one in content["items"]] + ["unreadable image"]
            quads = list(pyoxigraph.parse(out.read_bytes(), format=pyoxigraph.RdfFormat.JSON_LD))
            assert len(quads) > 60
        assert not list(home.glob(".out*")), "nothing is left beside the answers"
    assert set(map(tuple, told.values())) == {(CARDUI, PARIS, PRIAMUS, "unreadable image")}


def test_without_a_file_answers_are_printed(home: Path) -> None:
    result = identify(home, str(home / "plates/a red.jpg"))
    assert result.output.startswith(f"{home / 'plates/a red.jpg'}: {CARDUI} (species) certain ")


@pytest.mark.parametrize("out", ["out.txt", "out", "out.xlsx"])
def test_an_ending_that_is_not_known_is_refused_before_anything_is_asked(home: Path, out: str) -> None:
    result = CliRunner().invoke(cli, ["identify", "--model", "colours", str(home), "-o", out])
    assert "answers are written as" in str(result.exception)


def test_a_manifest_makes_objects_of_several_images(home: Path) -> None:
    manifest = home / "objects.csv"
    lines = [
        "file,object,object_number",
        "plates/a red.jpg,red,RP-1",
        "plates/d broken.jpg,red,RP-1",
        "plates/a red.jpg,red,RP-1",
        f"{home}/plates/c blue.jpg,blue,RP-2",
        "plates/none.jpg,,RP-3",
    ]
    manifest.write_text("\n".join(lines), encoding="utf-8")
    out = home / "out.jsonl"
    identify(home, str(manifest), "-o", str(out), code=9)
    first, second, third = rows(out)
    assert (first["path"], first["label"], first["object_number"], len(first["images"])) == ("red", CARDUI, "RP-1", 3)
    assert "image 2" in first["lost_images"][0]
    assert (second["label"], "images" in second) == (PRIAMUS, False)
    assert third["lost"] == "no image"
    manifest.write_text("file,object\n" + "plates/a red.jpg,x\n" * 11, encoding="utf-8")
    with pytest.raises(Exception, match="row 12: x has more than 10 images"):
        identify(home, str(manifest))
    manifest.write_text("name\nx\n", encoding="utf-8")
    with pytest.raises(Exception, match="no column of files"):
        identify(home, str(manifest))


def test_addresses_are_fetched_and_those_that_fail_are_lost(
    home: Path, picture: Picture, stand_in: Callable[[World], StandIn]
) -> None:
    server = stand_in(World())
    server.publish("/plates/red.jpg", picture("red"), "image/jpeg")
    out = home / "out.jsonl"
    urls = [f"{server.url}/plates/red.jpg", f"{server.url}/plates/none.jpg"]
    identify(home, *urls, "-o", str(out), code=9, **SIGN_IN, DEBOODT_ALLOW_PRIVATE="yes", DEBOODT_TRIES="1")
    assert [row.get("label", row.get("lost")) for row in rows(out)] == [CARDUI, "no image"]
    assert "404" in rows(out)[1]["detail"]


def test_what_is_known_beside_the_images_counts(home: Path) -> None:
    plates, out = str(home / "plates/a red.jpg"), home / "out.jsonl"
    (home / "list.txt").write_text("Q977492\nQ148013\n", encoding="utf-8")
    identify(home, plates, "-o", str(out), "--checklist", str(home / "list.txt"))
    (row,) = rows(out)
    assert row["priors"][0]["prior"] == "checklist"
    result = CliRunner().invoke(cli, ["identify", "--model", "colours", plates, "--size-mm", "wide"])
    assert "no range of numbers" in str(result.exception)


def test_a_page_of_thumbnails_shows_each_answer(home: Path) -> None:
    page = home / "page.html"
    identify(home, str(home / "plates"), "--page", str(page), code=9)
    text = page.read_text(encoding="utf-8")
    assert text.count("<li>") == 4
    assert text.count("data:image/jpeg;base64,") == 3
    assert "unreadable image" in text
    assert PARIS in text


def test_certain_answers_go_straight_to_the_museums_import(home: Path, picture: Picture) -> None:
    (home / "plates/e grey.jpg").write_bytes(picture("grey"))
    manifest = home / "objects.csv"
    names = ("a red", "c blue", "e grey")
    rows_ = "".join(f"plates/{name}.jpg,RP-{n}\n" for n, name in enumerate(names))
    manifest.write_text(f"file,objectnummer\n{rows_}", encoding="utf-8")
    base = home / "export.csv"
    base.write_text("recordnummer;objectnummer;inhoud.hoofdmotief.specifiek;notes.public;notes.public.date\n"
                    "1;RP-0;;;\n2;RP-1;;;\n3;RP-2;;;\n", encoding="utf-8-sig")  # fmt: skip
    folder = home / "import"
    more = ["--cms", "rijksmuseum", "--since-export", str(base), "--cms-out", str(folder)]
    identify(home, str(manifest), "-o", str(home / "out.csv"), *more)
    written = (folder / "rijksmuseum.csv").read_text(encoding="utf-8-sig")
    assert written.count("colours@1") == 2
    assert "machine, unverified" in written
    assert "RP-2" not in written
    assert not any(line.startswith("3;") for line in written.splitlines()), "what is unknown is nobody's determination"


MANY = 400


def test_a_run_that_is_killed_goes_on_and_says_the_same(home: Path, picture: Picture) -> None:
    many = home / "many"
    many.mkdir()
    for number in range(MANY):
        (many / f"{number:04}.jpg").write_bytes(picture(("red", "lime", "blue")[number % 3], size=(300 + number, 200)))
    out, whole = home / "out.jsonl", home / "whole.jsonl"
    command = [sys.executable, "-m", "identify.cli", "--home", str(home / "home"), "identify", "--model", "colours"]
    journal = home / ".out.jsonl.journal"
    with subprocess.Popen([*command, str(many), "-o", str(out)], stderr=subprocess.DEVNULL) as running:
        until = time.monotonic() + 120
        while not (journal.exists() and journal.read_bytes().count(b"\n") > 32):
            assert running.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < until
        os.kill(running.pid, signal.SIGKILL)
    assert not out.exists()
    kept = journal.read_bytes().count(b"\n") - 1
    assert 32 <= kept < MANY
    with journal.open("ab") as file:
        file.write(b'{"path": "half a li')
    done = subprocess.run([*command, str(many), "-o", str(out)], capture_output=True, text=True, check=True)
    assert f"{kept} were answered before" in done.stderr
    assert not journal.exists()
    subprocess.run([*command, str(many), "-o", str(whole)], capture_output=True, check=True)
    timeless = [[{**row, "moment": ""} for row in rows(path)] for path in (out, whole)]
    assert timeless[0] == timeless[1]
    assert len(timeless[0]) == MANY


def test_a_journal_of_another_question_is_begun_anew(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with Journal(out, {"model": "a"}) as journal:
        journal.keep({"key": "1"})
        journal.keep({"key": "2"})
    with Journal(out, {"model": "a"}) as again:
        assert again.keys() == {"1", "2"}
        again.keep({"key": "3"})
    assert [row["key"] for row in again.in_order(["3", "none", "1"])] == ["3", "1"]
    with Journal(out, {"model": "b"}) as other:
        assert other.keys() == set()
    other.done()
    assert list(tmp_path.iterdir()) == []
