"""A bundle: what is written is read, and nothing that was altered is opened."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from identify.bundle import (
    FEATURES,
    FILES,
    INT8,
    JUDGEMENT,
    LITERT_INT8,
    OPTIONAL,
    Bundle,
    Measured,
    amended,
    open_bundle,
    write,
)
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


def test_optional_files_are_sealed_like_the_others(bundle: Bundle) -> None:
    whole = amended(bundle, files={name: name.encode() for name in OPTIONAL})
    assert whole.about == bundle.about
    assert all(whole.has(name) for name in OPTIONAL)
    for name in OPTIONAL:
        path = whole.folder / name
        path.write_bytes(b"another")
        with pytest.raises(BundleError, match=f"{name} is not the file"):
            open_bundle(whole.folder)
        path.unlink()
        with pytest.raises(BundleError, match=f"{name} is missing"):
            open_bundle(whole.folder)
        path.write_bytes(name.encode())
    assert open_bundle(whole.folder) == whole


def test_a_file_laid_beside_the_others_is_refused(bundle: Bundle) -> None:
    (bundle.folder / JUDGEMENT).write_text("{}", encoding="utf-8")
    with pytest.raises(BundleError, match=f"{JUDGEMENT} is not the file"):
        open_bundle(bundle.folder)


def test_the_engine_that_serves_names_the_weights(bundle: Bundle) -> None:
    told = (Measured(engine=LITERT_INT8, images=40, accuracy=0.9, loss_points=0.1, accepted=True),)
    with pytest.raises(BundleError, match=f"{LITERT_INT8} needs {INT8}"):
        amended(bundle, replace(bundle.about, engine=LITERT_INT8))
    with pytest.raises(BundleError, match="no engine 'steam'"):
        amended(bundle, replace(bundle.about, engine="steam"))
    quick = amended(bundle, replace(bundle.about, engine=LITERT_INT8, engines=told), {INT8: b"small"})
    assert quick == open_bundle(bundle.folder)
    assert quick.about.engines == told
    assert quick.weights != bundle.weights
    assert [path.name for path in quick.engine_files] == [INT8]


def test_amending_keeps_the_rest_and_leaves_nothing_behind(bundle: Bundle) -> None:
    once = amended(bundle, files={FEATURES: b"1"})
    twice = amended(once, files={FEATURES: b"2", JUDGEMENT: b"{}"})
    assert (twice.folder / FEATURES).read_bytes() == b"2"
    assert twice.weights == bundle.weights
    assert [p.name for p in bundle.folder.parent.iterdir()] == [bundle.folder.name]


def test_a_bundle_of_the_first_format_still_opens(bundle: Bundle) -> None:
    path = bundle.folder / "bundle.json"
    content = json.loads(path.read_text(encoding="utf-8")) | {"format": 1}
    for later in ("seal", "backbone", "continues", "engine", "engines"):
        del content[later]
    content["seal"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(content), encoding="utf-8")
    assert open_bundle(bundle.folder) == bundle
