"""The whole job on the sample, as `make demo` runs it: undisturbed, killed at every step, and with broken inputs."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from identify.bundle import open_bundle
from identify.pipeline import ORDER
from linkeddata.records import Failure, Identification, Step, Tag
from linkeddata.store import Store
from linkeddata.tables import VOLATILE

pytestmark = pytest.mark.slow

COMMAND = str(Path(sys.executable).parent / "deboodt")
CAMPAIGN = "painted-butterflies"
PLATES = "3"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")

# What our own clock says. A fingerprint is of everything a step reads, such moments too.
OUR_CLOCK = VOLATILE | {
    Identification: frozenset({"moment"}),
    Step: VOLATILE[Step] | {"fingerprint"},
}


@dataclass(frozen=True)
class Demo:
    """A folder that a demo wrote, and what it printed."""

    out: Path
    summary: dict[str, Any]
    stderr: str
    port: int

    @property
    def folder(self) -> Path:
        return self.out / "campaigns" / CAMPAIGN


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def start(out: Path, port: int, *more: str) -> "subprocess.Popen[str]":
    arguments = [COMMAND, "--json", "demo", "--out", str(out), "--plates", PLATES, "--port", str(port), *more]
    # Ctrl-C works as in a terminal even where the tests themselves run in the background and ignore it.
    return subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(out: Path, port: int, *more: str) -> Demo:
    process = start(out, port, *more)
    stdout, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    return Demo(out, json.loads(stdout), stderr, port)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return finish(tmp_path_factory.mktemp("undisturbed"), free_port())


def content(demo: Demo) -> dict[str, Any]:
    """Return everything that two runs of the same campaign must have in common, byte for byte but for the moments."""
    with Store(f"sqlite:///{demo.out}/deboodt.sqlite") as store:
        lines = list(store.lines(leave_out=OUR_CLOCK))
    written = [*(demo.folder / "export").iterdir(), *(demo.folder / "published").iterdir()]
    return {
        "store": lines,
        "manifest": (demo.folder / "dataset/manifest.csv").read_bytes(),
        "weights": open_bundle(demo.out / "models" / CAMPAIGN / "1").weights,
        "versions": sorted(path.name for path in (demo.out / "models" / CAMPAIGN).iterdir()),
        "files": {path.name: MOMENT.sub("MOMENT", path.read_text(encoding="utf-8")) for path in written},
    }


def test_every_step_is_done_and_everything_lies_in_one_folder(undisturbed: Demo) -> None:
    assert [step["step"] for step in undisturbed.summary["steps"]] == list(ORDER)
    assert {step["status"] for step in undisturbed.summary["steps"]} == {"done"}
    assert {"cabinet", "images", "models", "campaigns", "deboodt.sqlite"} <= {p.name for p in undisturbed.out.iterdir()}
    found = {path.name for path in undisturbed.folder.iterdir()}
    assert {"dataset", "published", "export", "report.html"} <= found


def test_the_summary_says_how_good_and_how_sure(undisturbed: Demo) -> None:
    model = undisturbed.summary["model"]
    for figure in (model["unseen"], model["strangers"]):
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
        assert figure["of"] > 0
    assert len(model["unseen_groups"]) == 1


def test_the_report_shows_losses_figures_and_pictures_and_needs_no_network(undisturbed: Demo) -> None:
    text = (undisturbed.folder / "report.html").read_text(encoding="utf-8")
    for words in ("Lost and why", "Class balance", "Precision and recall", "Painted plates, simulated crowd", "95 %"):
        assert words in text
    assert text.count('src="data:image/jpeg;base64,') >= 10
    assert 'src="http' not in text
    assert "<script" not in text


def test_no_engraver_is_on_two_sides(undisturbed: Demo) -> None:
    with (undisturbed.folder / "dataset/manifest.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] in ("train", "validation", "test")]
    sides: dict[str, set[str]] = {}
    for row in rows:
        sides.setdefault(row["group"], set()).add(row["split"])
    assert {frozenset(side) for side in sides.values()} == {frozenset({s}) for s in ("train", "validation", "test")}


def test_the_museum_gets_both_formats(undisturbed: Demo) -> None:
    text = (undisturbed.folder / "export/rijksmuseum.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    assert all(row["objectnummer"] and row["inhoud.hoofdmotief.specifiek"] for row in rows)
    records = ElementTree.parse(undisturbed.folder / "export/rijksmuseum.xml").findall(".//record")  # noqa: S314
    assert len(records) == len(rows)
    assert all("SIMULATED SAMPLE" in row["notes.public"] for row in rows)


def test_a_second_run_does_nothing_again(undisturbed: Demo) -> None:
    before = content(undisturbed)
    again = finish(undisturbed.out, undisturbed.port)
    assert {step["status"] for step in again.summary["steps"]} == {"unchanged"}
    assert content(again) == before


def test_withdrawn_tags_are_kept_with_who_and_when(undisturbed: Demo) -> None:
    with Store(f"sqlite:///{undisturbed.out}/deboodt.sqlite") as store:
        withdrawn = [tag for tag in store.each(Tag) if tag.withdrawn]
        assert withdrawn
        assert all(tag.withdrawn_by for tag in withdrawn)
        assert {event.kind for event in store.events(kind="step.added")} == {"step.added"}


def test_no_user_name_is_kept_anywhere(undisturbed: Demo) -> None:
    from harvest.sample.taggers import TAGGERS

    names = [tagger.name.encode() for tagger in TAGGERS]
    kept = [
        path
        for path in undisturbed.out.rglob("*")
        if path.is_file() and path.suffix not in (".jpg", ".npy", ".keras", ".tflite")
    ]
    assert len(kept) > 10
    for path in kept:
        body = path.read_bytes()
        assert not [name for name in names if name in body], path


def test_a_folder_of_pictures_can_be_identified(undisturbed: Demo, tmp_path: Path) -> None:
    pictures = sorted((undisturbed.out / "cabinet").glob("*.jpg"))[:5]
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    done = subprocess.run(
        [
            COMMAND,
            "--json",
            "--home",
            str(undisturbed.out),
            "identify",
            "--model",
            CAMPAIGN,
            *map(str, pictures),
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 9, done.stderr
    answers = json.loads(done.stdout)
    assert [answer["path"] for answer in answers] == [*map(str, pictures), str(tmp_path / "broken.jpg")]
    assert [bool(answer.get("lost")) for answer in answers] == [False] * 5 + [True]
    assert all(len(answer["alternatives"]) == 5 and answer["rule"] for answer in answers[:5])


def lines_of(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Yield what the command says; not by ``yield from``, which would close its stderr with this generator."""
    assert process.stderr is not None
    for line in process.stderr:  # noqa: UP028
        yield line


def kill_in(step: str, out: Path, port: int, after_s: float) -> None:
    """Start the demo and kill it, and all it started, a moment after ``step`` has begun, unless it was faster."""
    process = start(out, port)
    before = dict(zip(ORDER, (None, *ORDER), strict=False))[step]
    try:
        if before is not None:
            for line in lines_of(process):
                if line.startswith(f"{before} "):
                    break
        time.sleep(after_s)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_killed_at_every_step_it_ends_as_if_nobody_had_disturbed_it(undisturbed: Demo, tmp_path: Path) -> None:
    moments = {"harvest": 4.0, "train": 12.0}
    for step in ORDER:
        kill_in(step, tmp_path, undisturbed.port, moments.get(step, 0.05))
    kill_in("train", tmp_path, undisturbed.port, 9.0)
    last = finish(tmp_path, undisturbed.port)
    assert content(last) == content(Demo(undisturbed.out, {}, "", undisturbed.port))


def test_ctrl_c_is_answered_and_leaves_things_resumable(undisturbed: Demo, tmp_path: Path) -> None:
    process = start(tmp_path, undisturbed.port)
    for line in lines_of(process):
        if line.startswith("harvest "):
            break
    os.kill(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "the same command goes on from here" in stderr
    assert "Traceback" not in stderr
    with Store(f"sqlite:///{tmp_path}/deboodt.sqlite") as store:
        assert store.get(Step, f"{CAMPAIGN}/harvest") is not None


def test_a_broken_input_at_each_step_is_told_and_stops_nothing(undisturbed: Demo, tmp_path: Path) -> None:
    demo = finish(tmp_path, free_port(), "--broken")
    assert {step["status"] for step in demo.summary["steps"]} == {"done"}
    with Store(f"sqlite:///{demo.out}/deboodt.sqlite") as store:
        lost = Counter((failure.step, failure.reason) for failure in store.each(Failure))
        identified = store.count(Identification)
    for step, reason in (
        ("harvest", "bad row"),
        ("harvest", "file missing"),
        ("images", "image missing"),
        ("images", "unreadable image"),
        ("names", "unknown item"),
        ("dataset", "no image"),
    ):
        assert lost[step, reason], (step, reason)
    told = {(loss["step"], loss["reason"]) for loss in demo.summary["lost"]}
    assert told == set(lost)
    with Store(f"sqlite:///{undisturbed.out}/deboodt.sqlite") as store:
        assert identified >= store.count(Identification) - 2
