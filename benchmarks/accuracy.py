"""How right models are, how sure, and what they do with strangers, each part beside a baseline in the same run.

``python -m benchmarks.accuracy emoji --images ../shared/data/images/emoji [--draws N] [--folder F]``: each artist is
left out in turn; a head learns from all others, is judged by cross-fitting among them (``identify.judging``), and is
asked about the one left out. Then the same with 40 classes left out as well, whose pictures by that artist are
strangers. Then a head of all artists is asked about photographs, of kinds it knows and of others.

``python -m benchmarks.accuracy butterflies --home demo``: what the sample's model (``make demo``) measured of itself.

Training is ``identify.learning``'s recipe ``head`` in its closed form, on features of EfficientNet-Lite0, which are
kept in ``--folder``; TensorFlow is needed for these alone.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks._accuracy_emoji import known_artists, strangers
from benchmarks._accuracy_features import looked
from benchmarks._accuracy_stamps import photographs
from benchmarks._figure import figure
from identify.bundle import open_bundle
from identify.evaluate import share


def emoji(images: Path, stamps: Path, folder: Path, draws: int) -> bool:
    """Print the figures on emoji; return whether all aims are met."""
    seen = looked(images, folder)
    return all([known_artists(seen), photographs(seen, stamps), strangers(seen, draws)])


def butterflies(home: Path) -> bool:
    """Print what the sample's newest model does on known and unseen engravers and on strangers."""
    versions = sorted((home / "models" / "painted-butterflies").iterdir(), key=lambda path: int(path.name))
    metrics = open_bundle(versions[-1]).metrics
    unseen, known, odd = metrics["unseen"], metrics["known"], metrics["strangers"]
    counts = [row["support"] for row in unseen["per_class"]]
    usual = share(max(counts), sum(counts)).value
    met = [
        figure(
            "butterflies: right species, engravers it knows", 100 * known["accuracy"]["value"], "%",
            beside="the class with most pictures", beside_value=100 * usual, at_least=95,
        ),
        figure(
            "butterflies: right species, an engraver it never saw", 100 * unseen["accuracy"]["value"], "%",
            beside="the class with most pictures", beside_value=100 * usual,
        ),
        figure(
            "butterflies: strangers of which nothing is named", 100 * odd["nothing_named"]["value"], "%",
            beside="of known pictures taken for strangers, %", beside_value=100 * odd["known_lost"]["value"],
            at_least=95,
        ),
        figure(
            "butterflies: answers right at whatever rank, an engraver it never saw",
            100 * unseen["answered_right"]["value"], "%", beside="right species", at_least=95,
            beside_value=100 * unseen["accuracy"]["value"],
        ),
        _genus(unseen),
    ]  # fmt: skip
    return all(met)


def _genus(unseen: dict[str, Any]) -> bool:
    """Print how often the genus is right where the species is not."""
    species, genus = unseen["accuracy"], unseen["genus_accuracy"]
    wrong, saved = species["of"] - species["right"], genus["right"] - species["right"]
    return figure(
        f"butterflies: right genus where the species is wrong ({wrong} pictures)", 100 * share(saved, wrong).value, "%",
        beside="pictures with a wrong species", beside_value=wrong,
    )  # fmt: skip


def main() -> None:
    """Read the arguments, run the part, exit with 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("emoji", "butterflies"))
    parser.add_argument("--images", type=Path, default=Path("../shared/data/images/emoji"))
    parser.add_argument("--stamps", type=Path, default=Path("../shared/data/images/stamps"))
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/.accuracy"))
    parser.add_argument("--home", type=Path, default=Path("demo"))
    parser.add_argument("--draws", type=int, default=2, help="how often 40 other classes are left out")
    asked = parser.parse_args()
    if asked.part == "emoji":
        met = emoji(asked.images, asked.stamps, asked.folder, asked.draws)
    else:
        met = butterflies(asked.home)
    print(json.dumps({"all aims met": met}))
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
