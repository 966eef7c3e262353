"""Answering: real LiteRT, in batches, with what is no image in between."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from identify.bundle import FILES, Bundle, write
from identify.decide import Asked
from identify.runtime import Classifier, Scores, identify_files
from linkeddata.decoding import Limits
from linkeddata.errors import BundleError
from linkeddata.records import Failure, Identification, MediaFile

WHEN = "2026-11-23T08:00:00Z"
Picture = Callable[..., bytes]


def identify_upload(classifier: Classifier, image: bytes, *, moment: str) -> Identification | Failure:
    """Return the answer about bytes alone."""
    return next(identify_files(classifier, [(MediaFile(iri="urn:test:upload"), image)], moment=moment))


@pytest.fixture(scope="module")
def classifier(colour_bundle: Callable[..., Bundle], tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.open(colour_bundle(tmp_path_factory.mktemp("models")).folder)


def test_a_file_gets_an_answer_that_says_everything(classifier: Classifier, picture: Picture, tmp_path: Path) -> None:
    path = tmp_path / "plate.jpg"
    path.write_bytes(picture("red"))
    media = MediaFile(iri="https://commons.deboodt.example/entity/M1")
    (answer,) = identify_files(classifier, [(media, path)], moment=WHEN, campaign="c")
    assert isinstance(answer, Identification)
    assert (answer.file, answer.label, answer.item, answer.rule) == (media.iri, "Vanessa cardui", "Q158603", "R2")
    assert (answer.model, answer.version, answer.weights) == ("colours", "1", classifier.bundle.weights)
    assert (answer.agent, answer.moment, answer.campaign) == ("urn:deboodt:model:colours@1", WHEN, "c")
    assert answer.certainty > 0.9
    assert answer.novelty < 1
    assert len(answer.alternatives) == 3


def test_the_same_question_has_the_same_id_and_another_model_another(
    classifier: Classifier, picture: Picture, tmp_path: Path
) -> None:
    first, again = (identify_upload(classifier, picture("red"), moment=m) for m in (WHEN, "2027-01-01T00:00:00Z"))
    assert isinstance(first, Identification)
    assert isinstance(again, Identification)
    assert replace(again, moment=WHEN) == first
    files = {name: (classifier.bundle.folder / name).read_bytes() for name in FILES}
    newer = write(tmp_path / "newer", replace(classifier.bundle.about, version="2"), files)
    other = identify_upload(Classifier(newer), picture("red"), moment=WHEN)
    assert isinstance(other, Identification)
    assert other.id != first.id


def test_broken_and_missing_files_are_failures_in_their_places(
    classifier: Classifier, picture: Picture, tmp_path: Path
) -> None:
    sources = {1: picture("red"), 2: b"no picture", 3: tmp_path / "nowhere.jpg", 4: picture("blue"), 5: b""}
    items = [(MediaFile(iri=f"urn:test:{n}"), source) for n, source in sources.items()]
    answers = list(identify_files(classifier, items, moment=WHEN, campaign="c"))
    told = [a.reason if isinstance(a, Failure) else a.label for a in answers]
    assert told == ["Vanessa cardui", "unreadable image", "no image", "Ornithoptera priamus", "unreadable image"]
    lost = [a for a in answers if isinstance(a, Failure)]
    assert [(a.subject, a.step, a.campaign) for a in lost] == [(f"urn:test:{n}", "identify", "c") for n in (2, 3, 5)]
    assert len({a.id for a in lost}) == 3


def test_answers_do_not_depend_on_the_company(classifier: Classifier, picture: Picture) -> None:
    colours = ("red", "lime", "blue", "orange", "purple", "gray") * 7
    images = [picture(colour) for colour in colours]
    together = classifier.answer(images)
    alone = [classifier.answer([image])[0] for image in images]
    for one, other in zip(together, alone, strict=True):
        assert isinstance(one, Scores)
        assert isinstance(other, Scores)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
    assert classifier.answer([]) == []


def test_files_are_read_a_few_at_a_time(classifier: Classifier, picture: Picture) -> None:
    drawn = 0

    def items() -> Iterator[tuple[MediaFile, bytes]]:
        nonlocal drawn
        while True:
            drawn += 1
            yield MediaFile(iri=f"urn:test:{drawn}"), picture("red")

    answers = identify_files(classifier, items(), moment=WHEN)
    assert isinstance(next(answers), Identification)
    assert drawn <= 64


def test_what_is_asked_beside_the_image_and_the_agent_are_in_the_answer(
    classifier: Classifier, picture: Picture
) -> None:
    media = MediaFile(iri="urn:test:1")
    plain = identify_upload(classifier, picture("red"), moment=WHEN)
    (answer,) = identify_files(
        classifier,
        [(media, picture("red"))],
        moment=WHEN,
        asked=Asked(checklist=frozenset({"Q977492"})),
        agent="urn:deboodt:person:ann",
    )
    assert isinstance(answer, Identification)
    assert isinstance(plain, Identification)
    assert (answer.agent, answer.priors[0].prior) == ("urn:deboodt:person:ann", "checklist")
    assert answer.alternatives[0].probability < plain.alternatives[0].probability


def test_a_picture_unlike_all_others_is_unknown(classifier: Classifier, picture: Picture) -> None:
    answer = identify_upload(classifier, picture("white"), moment=WHEN)
    assert isinstance(answer, Identification)
    assert (answer.label, answer.rule, answer.novelty, answer.certainty) == ("", "R1", 1.0, 0.0)


def test_limits_are_kept(classifier: Classifier, picture: Picture) -> None:
    narrow = Classifier(classifier.bundle, Limits(max_bytes=10))
    (answer,) = narrow.answer([picture("red")])
    assert isinstance(answer, Failure)
    assert "more than 10" in answer.detail


def test_threads_may_share_a_classifier(classifier: Classifier, picture: Picture) -> None:
    wanted = {"red": "Vanessa cardui", "lime": "Papilio paris", "blue": "Ornithoptera priamus"}
    colours = list(wanted) * 20
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda c: identify_upload(classifier, picture(c), moment=WHEN), colours)
        assert [a.label for a in answers if isinstance(a, Identification)] == [wanted[c] for c in colours]


def test_weights_that_are_no_model_are_refused(classifier: Classifier, tmp_path: Path) -> None:
    files = {name: (classifier.bundle.folder / name).read_bytes() for name in FILES}
    broken = write(tmp_path / "broken", classifier.bundle.about, files | {"model.tflite": b"not a model"})
    with pytest.raises(BundleError, match=r"model\.tflite cannot be run"):
        Classifier(broken)


def test_answering_loads_no_tensorflow(classifier: Classifier) -> None:
    code = (
        "import sys; from identify.runtime import Classifier; Classifier.open(sys.argv[1]); "
        "print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(classifier.bundle.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
