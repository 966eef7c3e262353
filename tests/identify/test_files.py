"""Pictures from the command line, with a model that tells colours apart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from identify.bundle import Bundle
from identify.files import found, identify_items, items_of, line_of, opened
from identify.modelfolders import CANDIDATES, folder_of
from linkeddata.errors import BundleError
from linkeddata.settings import Settings

MOMENT = "2026-01-01T00:00:00Z"
MakeBundle = Callable[..., Bundle]
Picture = Callable[..., bytes]


def nothing(url: str) -> bytes:
    raise AssertionError(f"{url} is fetched")


@pytest.fixture
def settings(tmp_path: Path, colour_bundle: MakeBundle) -> Settings:
    colour_bundle(tmp_path / "models", "1")
    colour_bundle(tmp_path / "models", "2")
    colour_bundle(tmp_path / "models", "10")
    return Settings(home=str(tmp_path))


def test_a_model_is_named_by_folder_name_or_version(settings: Settings) -> None:
    models = settings.home_path / "models/colours"
    assert folder_of("colours", settings.home_path) == models / "10"
    assert folder_of("colours@2", settings.home_path) == models / "2"
    assert folder_of(str(models / "1"), settings.home_path) == models / "1"
    assert folder_of(str(models), Path("elsewhere")) == models / "10"
    assert folder_of(f"{models}@2", Path("elsewhere")) == models / "2"


def test_a_folder_of_other_things_does_not_hide_the_model(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (settings.home_path / "colours").mkdir()
    monkeypatch.chdir(settings.home_path)
    assert folder_of("colours", settings.home_path) == settings.home_path / "models/colours/10"


def test_a_candidate_is_found_by_those_who_look_for_it(settings: Settings, colour_bundle: MakeBundle) -> None:
    models = settings.home_path / "models/colours"
    made = colour_bundle(settings.home_path / "made", "11")
    (models / CANDIDATES).mkdir()
    made.folder.rename(models / CANDIDATES / "11")
    assert folder_of("colours@11", settings.home_path, candidates=True) == models / CANDIDATES / "11"
    with pytest.raises(BundleError, match="no model"):
        folder_of("colours@11", settings.home_path)


@pytest.mark.parametrize("name", ["shapes", "colours@3", "", "../models/colours@x"])
def test_a_model_that_is_not_there_is_said_so(settings: Settings, name: str) -> None:
    with pytest.raises(BundleError, match="no model"):
        folder_of(name, settings.home_path)


def test_folders_give_their_images_and_named_files_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.JPG", "a.png", "deep/c.tiff", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in found([tmp_path])] == ["a.png", "b.JPG", "c.tiff"]
    assert list(found([tmp_path / "notes.txt", tmp_path / "gone"])) == [tmp_path / "notes.txt", tmp_path / "gone"]


def test_every_picture_has_an_answer_in_order_and_broken_ones_are_told(
    settings: Settings, tmp_path: Path, picture: Picture
) -> None:
    paths = {name: tmp_path / name for name in ("red.jpg", "broken.jpg", "blue.png", "gone.jpg")}
    paths["red.jpg"].write_bytes(picture("red"))
    paths["broken.jpg"].write_bytes(b"\xff\xd8 no picture")
    paths["blue.png"].write_bytes(picture("blue", "PNG"))
    told: list[tuple[str, int, int]] = []
    items = list(items_of(map(str, paths.values()), nothing))
    classifier = opened(settings, "colours")
    answers = list(identify_items(classifier, items, moment=MOMENT, progress=lambda *progress: told.append(progress)))
    assert [answer["path"] for answer in answers] == [str(path) for path in paths.values()]
    assert [answer.get("label") for answer in answers] == ["Vanessa cardui", None, "Ornithoptera priamus", None]
    assert [answer.get("lost") for answer in answers] == [None, "unreadable image", None, "no image"]
    assert answers[0]["version"] == "10"
    assert answers[0]["file"] == paths["red.jpg"].resolve().as_uri()
    assert told == [("identify", done, 4) for done in range(1, 5)]
    lines = [line_of(answer) for answer in answers]
    assert lines[0].startswith(f"{paths['red.jpg']}: Vanessa cardui (species) ")
    assert lines[0].endswith("Q158603 gbif:4299368")
    assert lines[3] == f"{paths['gone.jpg']}: no image"


def test_grey_is_unknown_and_the_rule_is_named(settings: Settings, tmp_path: Path, picture: Picture) -> None:
    (tmp_path / "grey.jpg").write_bytes(picture("grey"))
    items = list(items_of([str(tmp_path / "grey.jpg")], nothing))
    (answer,) = identify_items(opened(settings, "colours"), items, moment=MOMENT, progress=lambda *_: None)
    assert answer["label"] == ""
    assert [line_of(answer)] == [f"{tmp_path / 'grey.jpg'}: unknown ({answer['rule']})"]
