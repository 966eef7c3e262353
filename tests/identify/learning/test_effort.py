"""What a training costs: counters as Linux shows them, one that goes round, none, and what a killed run had spent."""

from pathlib import Path

import pytest

from identify.learning.effort import Clock, Effort, meter


def counter(folder: Path, name: str, microjoules: int, most: int = 1000_000_000) -> None:
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "energy_uj").write_text(f"{microjoules}\n")
    (folder / name / "max_energy_range_uj").write_text(f"{most}\n")


def test_joules_are_those_of_all_packages_and_of_no_part_of_one(tmp_path: Path) -> None:
    for name, before in (("intel-rapl:0", 5_000_000), ("intel-rapl:1", 999_000_000), ("intel-rapl:0:0", 1)):
        counter(tmp_path, name, before)
    spent = meter(tmp_path)
    for name, after in (("intel-rapl:0", 12_000_000), ("intel-rapl:1", 2_000_000), ("intel-rapl:0:0", 900_000)):
        counter(tmp_path, name, after)
    assert spent().joules == pytest.approx(7 + 3)  # the second went round


def test_where_nothing_is_counted_nothing_is_said(tmp_path: Path) -> None:
    assert meter(tmp_path / "nowhere")().joules is None
    counter(tmp_path, "intel-rapl:0", 1)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("no number")
    assert meter(tmp_path)().joules is None


def test_what_a_stopped_run_had_spent_is_added(tmp_path: Path) -> None:
    (tmp_path / "spent.json").write_text('{"seconds": 100.0, "processor_seconds": 50.0, "joules": null}')
    told = Clock(tmp_path).spent()
    assert told.seconds >= 100
    assert told.joules is None
    assert Effort(1.0, 2.0, 3.0) + Effort(1.5, 2.0, 4.0) == Effort(2.5, 4.0, 7.0)
