"""All that was found out about a model's numbers, as it lies in a bundle. In: a bundle, or files. Out: ``Judgement``.

``judgement.json`` can be read by people: calibration, what makes a stranger, the certainty each word takes at each
precision, prediction sets. ``judgement.npz`` holds the features of what was learned from. Nothing is pickled.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identify.bundle import JUDGEMENT, JUDGEMENT_ARRAYS, Bundle
from identify.judging.calibration import Calibration
from identify.judging.conformal import Coverage
from identify.judging.openset import MEASURES, Openness
from identify.judging.ranks import OWN
from identify.judging.words import Thresholds, Words
from linkeddata.errors import BundleError

Floats = NDArray[np.float64]
FORMAT = 1
PRECISION = 0.95
"""Share of right answers that "certain" stands for, unless another is asked."""
LIKELY = 0.8
"""Share of right answers that "likely" stands for."""
COVERAGE = 0.9
"""How often the prediction set holds the truth, unless another is asked."""
NO_BANK = np.zeros((0, 1), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a judgement was fitted on: how the pictures were held out, how many there were, of which groups."""

    how: str = ""
    images: int = 0
    groups: tuple[str, ...] = ()


AS_THEY_ARE = Calibration()
BY_NONE = Openness(weights=(1.0,) + (0.0,) * (len(MEASURES) - 1))
"""Strangers are known by the model's own output for none of its classes alone."""
UNTOLD = Basis()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a model's logits and features are judged; ``bank`` (pictures, size) is compared with new pictures."""

    calibration: Calibration = AS_THEY_ARE
    openness: Openness = BY_NONE
    words: tuple[Words, ...] = ()  # by precision, ascending
    coverages: tuple[Coverage, ...] = ()  # ascending
    basis: Basis = UNTOLD
    bank: NDArray[np.float32] = field(default_factory=lambda: NO_BANK, compare=False)

    def words_of(self, precision: float) -> Words:
        """Return the thresholds that hold at least this precision; such that nothing reaches where none does."""
        return next((w for w in self.words if w.precision >= precision - 1e-9), Words(precision=precision, by_rank={}))

    def coverage_of(self, coverage: float) -> Coverage:
        """Return the prediction set that holds at least this coverage; one that names all where none does."""
        found = next((c for c in self.coverages if c.asked >= coverage - 1e-9), None)
        return found or Coverage(asked=coverage, least=0.0)


def judgement_of(bundle: Bundle) -> Judgement:
    """Return a bundle's judgement; one made before there were any is judged as it was. Raises ``BundleError``."""
    if not bundle.has(JUDGEMENT):
        return _before_there_were_any(bundle)
    try:
        arrays = (bundle.folder / JUDGEMENT_ARRAYS).read_bytes() if bundle.has(JUDGEMENT_ARRAYS) else b""
        return from_files((bundle.folder / JUDGEMENT).read_bytes(), arrays)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise BundleError(f"{bundle.folder}: {JUDGEMENT} cannot be read: {error}") from error


def to_files(judgement: Judgement) -> dict[str, bytes]:
    """Return the judgement as the files of a bundle, by name."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "basis": asdict(judgement.basis),
        "calibration": asdict(judgement.calibration),
        "openness": {**asdict(judgement.openness), "measures": MEASURES},
        "words": [asdict(words) for words in judgement.words],
        "coverages": [asdict(one) for one in judgement.coverages],
    }
    out = io.BytesIO()
    np.savez(out, bank=judgement.bank.astype(np.float16))
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    return {JUDGEMENT: text.encode(), JUDGEMENT_ARRAYS: out.getvalue()}


def from_files(text: bytes, arrays: bytes = b"") -> Judgement:
    """Return what ``to_files`` wrote. Raises ``ValueError``, ``KeyError`` or ``TypeError`` for anything else."""
    content = json.loads(text)
    if content["format"] != FORMAT or content["openness"].pop("measures") != list(MEASURES):
        raise ValueError("not a judgement of this format")
    openness: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in content["openness"].items()}
    basis = content["basis"]
    return Judgement(
        calibration=Calibration(**content["calibration"]),
        openness=Openness(**openness),
        words=tuple(Words(**words) for words in content["words"]),
        coverages=tuple(_coverage(one) for one in content["coverages"]),
        basis=Basis(**basis | {"groups": tuple(basis["groups"])}),
        bank=_bank(arrays),
    )


def _coverage(content: Mapping[str, Any]) -> Coverage:
    by_class = {int(index): least for index, least in content["by_class"].items()}
    return Coverage(**{**content, "by_class": by_class})


def _bank(arrays: bytes) -> NDArray[np.float32]:
    if not arrays:
        return NO_BANK
    with np.load(io.BytesIO(arrays), allow_pickle=False) as kept:
        bank: NDArray[np.float32] = kept["bank"].astype(np.float32)
    if bank.ndim != 2 or not np.isfinite(bank).all():
        raise ValueError("the pictures to compare with are no table of numbers")
    return bank


def words_of(thresholds: Thresholds) -> tuple[Words, ...]:
    """Return the words that three thresholds amount to: certain from there on, at whatever precision, and else none."""
    by_rank = {OWN: thresholds.own, "genus": thresholds.genus, "family": thresholds.family}
    return Words(precision=LIKELY, by_rank={}), Words(precision=1.0, by_rank=by_rank)


def _before_there_were_any(bundle: Bundle) -> Judgement:
    """Return the judgement that a bundle's temperature, scale and thresholds amount to, whatever is asked."""
    about = bundle.about
    scale = min(max(about.novelty_scale, 1e-9), 1.0)
    # Novelty was the probability of "none" over the scale: as log-odds, from the first percent of the scale on.
    shares = np.linspace(0.0, 1.0, 101) * scale
    odds = np.log(np.maximum(shares, 1e-9) / np.maximum(1 - shares, 1e-9))
    return Judgement(
        calibration=Calibration(about.temperature),
        openness=replace(BY_NONE, known=tuple(float(v) for v in odds), keep=1.0),
        words=words_of(about.thresholds),
        basis=Basis(how="thresholds of the bundle, of a time before judgements"),
    )
