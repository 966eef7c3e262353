"""Varied pictures and made-up strangers: the same seed, the same pictures; the right sizes; really different."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from identify.augment import Pixels, augmented, paper_of, restyled
from identify.strange import strangers

PAPER = (240, 230, 210)


@pytest.fixture
def images() -> Pixels:
    """Eight pictures with a dark triangle at the left, on paper."""
    picture = Image.new("RGB", (48, 48), PAPER)
    ImageDraw.Draw(picture).polygon([(8, 40), (8, 8), (20, 24)], fill=(60, 30, 120))
    return np.repeat(np.asarray(picture)[None], 8, axis=0)


def test_the_same_seed_gives_the_same_pictures(images: Pixels) -> None:
    for make in (augmented, strangers):
        first, again, other = (make(images, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


def test_varied_pictures_keep_shape_and_range_and_differ_from_each_other(images: Pixels) -> None:
    varied = augmented(images, np.random.default_rng(1))
    assert varied.shape == images.shape
    assert varied.dtype == np.float32
    assert 0 <= varied.min() < varied.max() <= 255
    assert len(np.unique(varied.reshape(len(varied), -1), axis=0)) == len(images)


def test_nothing_is_mirrored_where_the_campaign_forbids_it(images: Pixels) -> None:
    def left_share(mirror: bool) -> float:
        random = np.random.default_rng(4)
        varied = np.concatenate([augmented(images, random, mirror=mirror) for _ in range(6)])
        paper = np.median(varied.reshape(len(varied), -1, 3), axis=1)[:, None, None]
        far = np.abs(varied - paper).sum(axis=-1)
        return float(np.mean(far[:, :, :24].sum(axis=(1, 2)) > far[:, :, 24:].sum(axis=(1, 2))))

    assert left_share(mirror=False) > 0.95
    assert 0.25 < left_share(mirror=True) < 0.75


def test_some_are_drawn_as_by_another_hand_and_the_others_are_left(images: Pixels) -> None:
    many = np.concatenate([images] * 8)
    made = restyled(many, np.random.default_rng(3), 0.5)
    assert (made.shape, made.dtype) == (many.shape, many.dtype)
    assert np.array_equal(made, restyled(many, np.random.default_rng(3), 0.5))
    assert len(np.unique(made.reshape(len(made), -1), axis=0)) >= 7
    assert 0.3 < np.mean([np.array_equal(one, images[0]) for one in made]) < 0.8
    assert np.array_equal(restyled(many, np.random.default_rng(3), 0.0), many)


def test_paper_is_the_border_whatever_is_drawn(images: Pixels) -> None:
    assert paper_of(images[0]) == PAPER


def test_paper_changes_under_a_subject_that_does_not(images: Pixels) -> None:
    varied = augmented(images, np.random.default_rng(5))
    papers = np.array([paper_of(v.astype(np.uint8)) for v in varied], int)
    assert np.ptp(papers, axis=0).max() > 60


def test_strangers_are_pictures_of_another_kind(images: Pixels) -> None:
    made = np.concatenate([strangers(images, np.random.default_rng(seed)) for seed in range(8)])
    assert made.shape[1:] == images.shape[1:]
    assert made.dtype == np.uint8
    apart = np.abs(made.astype(int) - images[0]).mean(axis=(1, 2, 3))
    assert np.mean(apart > 2) > 0.9
    assert len(np.unique(made.reshape(len(made), -1), axis=0)) == len(made)


def test_strangers_can_be_made_of_plain_and_of_tiny_pictures() -> None:
    plain = np.full((30, 16, 16, 3), 200, np.uint8)
    assert strangers(plain, np.random.default_rng(0)).shape == plain.shape
