"""A bundle: what is written is read, and nothing that was altered is opened."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from identify.bundle import FILES, Bundle, open_bundle, write
from identify.classes import from_json, to_json
from linkeddata.errors import BundleError


@pytest.fixture
def bundle(colour_bundle: Callable[..., Bundle], tmp_path: Path) -> Bundle:
    return colour_bundle(tmp_path)


def test_what_is_written_is_read(bundle: Bundle) -> None:
    again = open_bundle(bundle.folder)
    assert again == bundle
    assert again.agent.id == "urn:deboodt:model:colours@1"
    assert (again.agent.kind, again.agent.version) == ("SoftwareAgent", "1")
    assert again.card.startswith("# colours")
    assert again.metrics == {}
    assert len(again.weights) == 64


@pytest.mark.parametrize("name", [*FILES, "bundle.json"])
def test_an_altered_file_is_refused_by_name(bundle: Bundle, name: str) -> None:
    path = bundle.folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=name):
        open_bundle(bundle.folder)


@pytest.mark.parametrize("name", [*FILES, "bundle.json"])
def test_a_missing_file_is_named(bundle: Bundle, name: str) -> None:
    (bundle.folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        open_bundle(bundle.folder)


def test_a_threshold_changed_by_hand_is_refused(bundle: Bundle) -> None:
    path = bundle.folder / "bundle.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["thresholds"]["own"] = 0.0
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BundleError, match=r"bundle\.json was altered"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format": 99}', '{"format": 1}', "\ufeff{"])
def test_what_is_no_bundle_is_an_error_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "bundle.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleError):
        open_bundle(tmp_path)


def test_a_bundle_takes_the_place_of_another_whole(bundle: Bundle) -> None:
    files = {name: (bundle.folder / name).read_bytes() for name in FILES}
    (bundle.folder / "left over").write_text("x", encoding="utf-8")
    assert write(bundle.folder, bundle.about, files) == bundle
    assert sorted(p.name for p in bundle.folder.iterdir()) == sorted([*FILES, "bundle.json"])
    assert [p.name for p in bundle.folder.parent.iterdir()] == [bundle.folder.name]


def test_a_bundle_with_a_part_missing_is_not_written(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="a bundle holds"):
        write(tmp_path / "half", bundle.about, {"card.md": b""})
    assert not (tmp_path / "half").exists()


def test_a_bundle_may_be_moved(bundle: Bundle, tmp_path: Path) -> None:
    shutil.move(bundle.folder, tmp_path / "elsewhere")
    assert open_bundle(tmp_path / "elsewhere").weights == bundle.weights


def test_classes_survive_json(bundle: Bundle) -> None:
    assert from_json(to_json(bundle.classes)) == bundle.classes
    for text in ("[]", "{}", "[1]", '[{"label": "x"}]', to_json(reversed(bundle.classes))):
        with pytest.raises(ValueError, match="class"):
            from_json(text)
