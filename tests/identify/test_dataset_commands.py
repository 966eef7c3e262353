"""``deboodt dataset``: from a question to a dataset, on the recorded plates, over real HTTP."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image, ImageOps

from harvest.datasets.layouts import lay_out
from harvest.datasets.manifest import Dataset, read_dataset
from harvest.standin.server import StandIn
from identify.cli import cli
from linkeddata.records import Label, Taxon
from linkeddata.store import Store
from tests.harvest.datasets.readers import read_by_pytorch, read_by_tensorflow


@dataclass(frozen=True)
class Told:
    """How a command ended."""

    code: int
    data: dict[str, Any]
    text: str


Build = Callable[..., Told]


@pytest.fixture(scope="module")
def home(plates: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder whose settings lead to the stand-in."""
    home = tmp_path_factory.mktemp("home")
    settings = plates.settings(home=str(home), pseudonym_key="test")
    services = ("commons_api", "commons_entity", "wikidata_api", "gbif_api", "worms_api", "sparql_commons")
    told = ("home", "pseudonym_key", "sparql_wikidata", "allow_private", *services)
    lines = [f"{key} = {json.dumps(getattr(settings, key))}" for key in told]
    (home / "deboodt.toml").write_text("\n".join(lines), encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def build(home: Path) -> Build:
    """Runs ``deboodt --json dataset build …`` as a shell would."""

    def build(*options: str, out: Path | None = None) -> Told:
        words = ["--config", str(home / "deboodt.toml"), "--json", "dataset", "build", *options]
        done = CliRunner().invoke(cli, [*words, *(("-o", str(out)) if out else ())])
        if done.exception and not isinstance(done.exception, SystemExit):
            return Told(getattr(done.exception, "exit_code", 1), {}, f"{done.exception}")
        return Told(done.exit_code, json.loads(done.stdout) if done.exit_code == 0 else {}, done.output)

    return build


@pytest.fixture(scope="module")
def saved(recordings: Path) -> str:
    return str(recordings / "commons/bhl-depicts.srj")


@pytest.fixture(scope="module")
def bhl(build: Build, saved: str, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The classes of the recorded plates that have at least three, as they were tagged."""
    out = tmp_path_factory.mktemp("built") / "plates"
    told = build("--endpoint", saved, "--rank", "tagged", "--several", "--min-images", "3", out=out)
    assert told.code == 0, told.text
    return read_dataset(out)


def test_saved_results_become_a_dataset(bhl: Dataset) -> None:
    assert bhl.counts["classes"] == len(bhl.classes) > 50
    assert all(c.images >= 3 and c.train >= 1 for c in bhl.classes)
    assert {e.status for e in bhl.examples} == {"single"}
    assert {e.source for e in bhl.examples} == {"query bhl-depicts"}
    assert all(e.licence and e.creator.startswith("Engraver") and (bhl.folder / e.path).is_file() for e in bhl.examples)
    assert len({(e.group, e.split) for e in bhl.examples}) == len({e.group for e in bhl.examples}) == 12


def test_its_certificate_holds(bhl: Dataset) -> None:
    done = CliRunner().invoke(cli, ["dataset", "verify", str(bhl.folder)], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, f"{bhl.folder} is what it says\n")


def test_the_readers_of_the_docs_read_it(bhl: Dataset, tmp_path: Path) -> None:
    read_by_pytorch(bhl)
    if not read_by_tensorflow(bhl, tmp_path):
        pytest.skip("no TensorFlow: pip install 'deboodt[train]'")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # mlcroissant's, of rdflib
def test_it_is_valid_croissant_and_loads(bhl: Dataset, tmp_path: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    datasets = pytest.importorskip("datasets")
    assert croissant.Dataset(jsonld=bhl.folder / "croissant.json").metadata.ctx.issues.errors == set()
    lay_out(bhl, "parquet", tmp_path / "hf")
    sides = datasets.load_dataset(str(tmp_path / "hf"), cache_dir=str(tmp_path / "cache"))
    assert sides["train"].features["label"].names == [one.label for one in bhl.classes]
    assert sum(map(len, sides.values())) == len(bhl.examples)


def test_a_planted_copy_breaks_its_certificate(bhl: Dataset, tmp_path: Path) -> None:
    shutil.copytree(bhl.folder, tmp_path / "leaky")
    taught, tested = bhl.split("train")[0], bhl.split("test")[0]
    with Image.open(bhl.folder / taught.path) as image:
        ImageOps.mirror(image).save(tmp_path / "leaky" / tested.path, "JPEG")
    done = CliRunner().invoke(cli, ["dataset", "verify", str(tmp_path / "leaky")], catch_exceptions=False)
    assert done.exit_code == 6
    assert "mirrored copies of one picture" in done.output


def test_every_file_of_the_rows_is_in_it_or_lost_with_a_reason(bhl: Dataset) -> None:
    told = json.loads((bhl.folder / "dataset.json").read_text(encoding="utf-8"))
    lost = {one["file"] for one in told["lost"]}
    assert len({e.file for e in bhl.examples} | lost) == 1400
    assert not {e.file for e in bhl.examples} & lost
    assert set(told["counts"]) >= {"lost: no licence", "lost: too few images"}


def test_taxa_are_kept_so_that_they_are_not_asked_for_again(bhl: Dataset, home: Path, plates: StandIn) -> None:
    with Store(f"sqlite:///{home / 'deboodt.sqlite'}") as store:
        assert store.count(Taxon) == 1103
        assert store.count_files_of("query bhl-depicts") == 0


def test_an_endpoint_gives_what_the_saved_results_gave(
    bhl: Dataset, build: Build, tmp_path: Path, plates: StandIn
) -> None:
    before = plates.requests.count("/gbif")
    options = ("--query", "depicted-taxa-of-bhl", "--rank", "tagged", "--several", "--min-images", "3")
    told = build(*options, out=tmp_path / "asked")
    assert told.code == 0, told.text
    asked = read_dataset(tmp_path / "asked")
    assert {(e.file, e.concept, e.split) for e in asked.examples} == {
        (e.file, e.concept, e.split) for e in bhl.examples
    }
    assert plates.requests.count("/gbif") == before


def test_files_can_stand_together_by_who_uploaded_them(build: Build, saved: str, tmp_path: Path) -> None:
    options = ("--endpoint", saved, "--rank", "tagged", "--several", "--min-images", "9", "--group", "uploader")
    told = build(*options, out=tmp_path / "uploaded")
    assert told.code == 0, told.text
    data = read_dataset(tmp_path / "uploaded")
    groups = {e.group for e in data.examples}
    assert len(groups) == 7
    assert [one for one in groups if not re.fullmatch(r"urn:deboodt:person:[0-9a-f]{16}", one)] == []
    certified = json.loads((data.folder / "leakage.json").read_text(encoding="utf-8"))
    assert certified["keys"]["uploader"] == {"values": len(groups), "on several sides": {}}
    assert certified["keys not known"] == {}


def test_choices_are_counted_by_what_they_removed(build: Build, saved: str, tmp_path: Path) -> None:
    (tmp_path / "orchids.csv").write_text("name,family\nOrchis militaris,Orchidaceae\nA b,Orchidaceae\n", "utf-8")
    options = ("--endpoint", saved, "--rank", "tagged", "--min-images", "3", "--max-images", "5")
    options += ("--checklist", str(tmp_path / "orchids.csv"))
    told = build(*options, "--licence", "cc-by", "--licence", "pdm", "--from-year", "1800", out=tmp_path / "some")
    assert told.code == 0, told.text
    some = read_dataset(tmp_path / "some")
    assert {e.licence for e in some.examples} <= {
        "https://creativecommons.org/publicdomain/mark/1.0/",
        "https://creativecommons.org/licenses/by/4.0/",
    }
    assert min(e.created for e in some.examples) >= "1800"
    assert max(c.images for c in some.classes) == 5
    page = (tmp_path / "some/report.html").read_text(encoding="utf-8")
    assert "of those on orchids.csv" in page
    assert re.search(r"<td>Orchidaceae</td><td class=\"n\">\d</td><td class=\"n\">2</td>", page)
    reasons = {what for what in told.data["counts"] if what.startswith("lost: ")}
    assert reasons == {
        "lost: licence not chosen",
        "lost: more than enough images",
        "lost: no licence",
        "lost: several species",
        "lost: too few images",
        "lost: year not chosen",
    }


def test_our_own_graph_is_an_endpoint_too(bhl: Dataset, build: Build, home: Path, tmp_path: Path) -> None:
    """What stands behind a label (status, probability) comes with it; a server that runs would keep the graph."""
    chosen = [e for e in bhl.examples if e.split == "train"][:40]
    with Store(f"sqlite:///{home / 'deboodt.sqlite'}") as store:
        store.put(
            (
                Label(
                    id=f"l{number}",
                    campaign="ours",
                    file=example.file,
                    concept=example.concept,
                    name=example.label,
                    item=example.item,
                    status="accepted" if number % 4 else "minority",
                    probability=0.75,
                    voters=3,
                    moment="2026-11-02T10:00:00Z",
                )
                for number, example in enumerate(chosen)
            ),
            agent="test",
            moment="2026-11-02T10:00:00Z",
        )
    options = ("--query", "labelled-files-of-campaign", "--param", "campaign=ours", "--endpoint", "store")
    told = build(*options, "--rank", "tagged", "--min-probability", "0.7", out=tmp_path / "own")
    assert told.code == 0, told.text
    own = read_dataset(tmp_path / "own")
    assert {e.file for e in own.examples} <= {e.file for n, e in enumerate(chosen) if n % 4}
    assert {(e.status, e.probability) for e in own.examples} == {("accepted", 0.75)}
    assert told.data["counts"]["lost: label status not chosen"] == 10


def test_a_campaign_is_built_elsewhere_by_other_choices(bhl: Dataset, build: Build, home: Path, tmp_path: Path) -> None:
    often = sorted(bhl.classes, key=lambda one: -one.images)[2:5]
    wanted = [e.file.rpartition("/")[2] for e in bhl.examples if e.concept in {one.concept for one in often}]
    campaign = tmp_path / "some.toml"
    campaign.write_text(
        f"""[campaign]
id = "some"
title = "Some plates"
[[tags.commons]]
files = {json.dumps(wanted)}
[count]
method = "majority"
min_support = 1
[dataset]
rank = "species"
""",
        encoding="utf-8",
    )
    steps = [word for step in ("harvest", "images", "names", "count") for word in ("--step", step)]
    words = ["--config", str(home / "deboodt.toml"), "run", str(campaign), *steps]
    assert CliRunner().invoke(cli, words).exit_code == 0
    choices = ("--rank", "tagged", "--min-training", "1", "--label", "single", "--label", "accepted", "--sign")
    told = build(str(campaign), *choices, "--title", "Some of them", out=tmp_path / "out")
    assert told.code == 0, told.text
    made = read_dataset(tmp_path / "out")
    assert {e.label for e in made.examples} >= {one.label for one in often}
    assert {e.source.partition(" ")[0] for e in made.examples} == {"some"}
    assert all(e.copy_sha1 != e.sha1 for e in made.examples)
    assert (made.folder / "README.md").read_text(encoding="utf-8").count("# Some of them") == 1
    assert build(str(campaign), "--label", "single").code == 2  # choices are for -o


def test_what_is_no_dataset_is_not_overwritten(build: Build, saved: str, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/mine.jpg").write_bytes(b"mine")
    told = build("--endpoint", saved, out=tmp_path / "pictures")
    assert told.code == 6
    assert "is no dataset of ours" in told.text
    assert (tmp_path / "pictures/mine.jpg").read_bytes() == b"mine"


def test_the_built_dataset_is_laid_out_and_loaded(bhl: Dataset, home: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    words = ["dataset", "layout", str(bhl.folder), "--as", "parquet", "-o", str(tmp_path / "hf")]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    loaded = datasets.load_dataset(str(tmp_path / "hf"), cache_dir=str(tmp_path / "cache"))
    assert sum(map(len, loaded.values())) == len(bhl.examples)
    assert loaded["train"].features["label"].num_classes == len(bhl.classes)


def test_every_taxon_on_three_plates_is_a_class(bhl: Dataset, saved: str) -> None:
    """56 recorded taxa are on three files or more (57 in as many rows); the stand-in gives some files no licence."""
    plates, rows = defaultdict(set), Counter[str]()
    for row in json.loads(Path(saved).read_text(encoding="utf-8"))["results"]["bindings"]:
        plates[row["taxon"]["value"]].add(row["file"]["value"])
        rows[row["taxon"]["value"]] += 1
    assert sum(number >= 3 for number in rows.values()) == 57
    assert sum(len(files) >= 3 for files in plates.values()) == 56
    told = json.loads((bhl.folder / "dataset.json").read_text(encoding="utf-8"))["lost"]
    unfit = {one["file"] for one in told if one["reason"] != "too few images"}
    expected = {taxon.rpartition("/")[2] for taxon, files in plates.items() if len(files - unfit) >= 3}
    assert {one.concept for one in bhl.classes} == expected


@pytest.mark.slow
def test_the_lines_of_the_docs_lead_from_a_question_to_a_cited_dataset(
    bhl: Dataset, home: Path, tmp_path: Path
) -> None:
    """Exactly as they stand there, by a shell; names and images are known to the home folder by now."""
    docs = (Path(__file__).parents[2] / "docs/datasets.md").read_text(encoding="utf-8")
    lines = re.search(r"and to the version after it:\n\n```sh\n(.*?)```", docs, re.S)
    assert lines
    assert lines[1].count("\n") <= 10
    (tmp_path / "deboodt.toml").write_text((home / "deboodt.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/deboodt"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m identify.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    path = {"PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["bash", "-euc", lines[1]], cwd=tmp_path, env=os.environ | path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = read_dataset(tmp_path / "plates"), read_dataset(tmp_path / "plates-2")
    assert first.classes == bhl.classes
    assert f"plates@{first.sha256[:16]}" in done.stdout
    cited = re.findall(r"@misc\{.*url = \{(.*?)\}", done.stdout)
    assert cited[-2:] == [line for line in done.stdout.splitlines() if line.startswith("http")]
    assert cited[-1].endswith(f"/datasets/training/plates@{second.sha256[:16]}")
    sides = {example.sha1: example.split for example in first.examples}
    assert all(sides[example.sha1] == example.split for example in second.examples if example.sha1 in sides)
    assert "licence not chosen" in (tmp_path / "plates-2/changes.json").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # mlcroissant's, of rdflib
def test_the_built_dataset_is_valid_croissant(bhl: Dataset) -> None:
    croissant = pytest.importorskip("mlcroissant")
    loaded = croissant.Dataset(jsonld=bhl.folder / "croissant.json")
    assert loaded.metadata.ctx.issues.errors == set()
    assert len(list(loaded.records("classes"))) == len(bhl.classes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--query", "no-such-query", "-o", "x"), "no query 'no-such-query'"),
        (("--query", "no/such.rq", "-o", "x"), "cannot be read"),
        (("--query", "files-of-items", "-o", "x"), "parameters are item"),
        (("--query", "files-of-items", "--param", "item", "-o", "x"), "NAME=VALUE"),
        (("--query", "files-of-items", "--param", "item=Q1} UNION {", "-o", "x"), "not a Wikidata item id"),
        (("--query", "depicted-taxa-of-bhl", "--rank", "tribe", "-o", "x"), "rank = 'tribe'"),
        (("--query", "depicted-taxa-of-bhl", "--endpoint", "nowhere", "-o", "x"), "endpoint 'nowhere'"),
        (("--query", "depicted-taxa-of-bhl"), "-o DIR"),
        ((), "give a campaign file"),
    ],
)
def test_what_cannot_be_meant_is_said(build: Build, options: tuple[str, ...], message: str) -> None:
    told = build(*options)
    assert told.code == 2
    assert message in told.text


def test_results_that_are_cut_off_are_no_dataset(build: Build, saved: str, tmp_path: Path) -> None:
    half = tmp_path / "half.srj"
    half.write_bytes(Path(saved).read_bytes()[:5000])
    told = build("--endpoint", str(half), out=tmp_path / "none")
    assert told.code == 2
    assert "the answer is cut off" in told.text
    assert not (tmp_path / "none").exists()


def test_a_table_of_pictures_becomes_a_dataset_of_things_that_are_no_taxa(build: Build, tmp_path: Path) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    rows = ["pad,werelddeel,object"]
    for number in range(12):
        noise = Image.effect_noise((64, 64), 40 + 10 * number)
        noise.save(folder / f"{number}.png")
        rows.append(f"{number}.png,{('Africa', 'Oceania')[number % 2]},mask {number}")
    (folder / "list.csv").write_text("\n".join([*rows, "13.png,Asia,mask 13"]), encoding="utf-8")
    named = ("--column", "file=pad", "--column", "label=werelddeel", "--column", "group=object")
    told = build("--table", str(folder / "list.csv"), *named, "--constant", "licence=cc0", out=tmp_path / "set")
    assert told.code == 0, told.text
    made = read_dataset(tmp_path / "set")
    assert {(one.label, one.concept, one.images) for one in made.classes} == {
        ("Africa", "label:Africa", 6),
        ("Oceania", "label:Oceania", 6),
    }
    assert {one.group for one in made.examples} == {f"mask {number}" for number in range(12)}
    assert told.data["counts"]["lost: image missing"] == 1
    assert "The pictures and labels of the table list.csv." in (made.folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--table", "a.csv", "--query", "files-of-items"), "give a campaign file, --query"),
        (("--query", "files-of-items", "--column", "file=pad"), "--column and --constant tell of a --table"),
        (("--table", "a.csv", "--column", "pad"), "'pad' is not WHAT="),
        (("--table", "a.csv"), "a.csv: cannot be read"),
    ],
)
def test_what_a_table_cannot_be_asked_is_said(
    build: Build, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    done = build(*options, out=tmp_path / "set")
    assert done.code != 0
    assert told in done.text
