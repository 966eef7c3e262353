"""How right and how fast counting is: recorded and generated crowds with known truth, beside crowd-kit in the same run.

``python -m benchmarks.consensus`` does all; ``accuracy``, ``generated``, ``tree``, ``every`` or ``speed`` one part.
Ours is the default method of a campaign, from tags to labels. ``speed`` reads tags out of a store, counts them and
makes labels, by the functions that ``deboodt`` counts with, in a process of its own; the figure of memory is the most
that it held.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks._counting_made import opened, write
from benchmarks._crowds import MIXED, NO_AMATEURS, RECORDED, SHAPES, Crowd, flat, over_tree, recorded
from benchmarks._figure import figure
from crowd.consensus import METHODS, Rules, tally
from identify.counting import Passed, agreement_of, counting_of
from linkeddata.records import Label, Tag

SIZES = (100_000, 300_000, 1_000_000)
BINS = 15
SEEDS = 3
SMALL_SEEDS = 12
COINS = 20
TREES = {
    "mixed": ((400, 50, 40), 4.0, MIXED),
    "without amateurs": ((400, 50, 40), 8.0, NO_AMATEURS),
}
"""Crowds over birds: questions, people and species; votes a question, about; kinds of people."""
ALONE = "species alone"


def main() -> int:
    """Print the figures; return 0 when every aim is met, 1 when one is not."""
    parts = {"accuracy": accuracy, "generated": generated, "tree": tree, "every": every, "speed": speed}
    if sys.argv[1:2] == ["make"]:
        make(int(sys.argv[2]), Path(sys.argv[3]))
        return 0
    if sys.argv[1:2] == ["one"]:
        one_size(Path(sys.argv[2]))
        return 0
    met = [parts[name]() for name in sys.argv[1:] or parts]
    return 0 if all(met) else 1


def accuracy() -> bool:
    """Print the accuracy on each recorded crowd: no worse than the better peer by half a point, better on average."""
    met: list[bool] = []
    gains: list[float] = []
    for name in RECORDED:
        crowd = recorded(name)
        if crowd is None:
            print(json.dumps({"figure": f"accuracy on {name}", "left_out": "no recordings"}))
            continue
        met.append(_beside(f"accuracy on {name}", crowd, gains))
    if gains:
        mean = sum(gains) / len(gains)
        met.append(figure("gain on recorded crowds", mean, "points", beside="nothing", beside_value=0))
        met.append(sum(gains) > 0)
    return all(met)


def generated() -> bool:
    """Print the same on generated crowds of many shapes, the mean over three of each."""
    met, gains = [], []
    for kind in SHAPES:
        crowds = [flat(kind, seed) for seed in range(SEEDS)]
        ours = float(np.mean([right(crowd, best(crowd)) for crowd in crowds]))
        peers = float(np.mean([max(peer_shares(crowd).values()) for crowd in crowds]))
        gains.append(100 * (ours - peers))
        beside = "the better of crowd-kit's, each time"
        least = max(0.001, 100 * peers - 0.5)
        met.append(
            figure(f"accuracy on {kind}", 100 * ours, "%", beside=beside, beside_value=100 * peers, at_least=least)
        )
    figure("gain on generated crowds", float(np.mean(gains)), "points", beside="nothing", beside_value=0)
    return all(met) and sum(gains) > 0


def tree() -> bool:
    """Print the accuracy at species level over birds beside crowd-kit's two, and how far probabilities are off."""
    met = []
    large = [over_tree(seed, 1500, 120, 120) for seed in range(SEEDS)]
    for seed, crowd in enumerate(large):
        ours = 100 * _species_right(crowd, crowd, "tree")
        peers = {
            **peer_shares(crowd),
            **{f"{name}, {ALONE}": s for name, s in peer_shares(_alone(crowd), crowd).items()},
        }
        name, share = max(peers.items(), key=lambda peer: peer[1])
        least = 100 * share + 5
        met.append(
            figure(f"species right, crowd {seed}", ours, "%", beside=name, beside_value=100 * share, at_least=least)
        )
    met.append(_calibrated("1,500 questions", large))
    met.append(_calibrated("600 questions", [over_tree(seed, 600, 60, 60) for seed in range(SMALL_SEEDS)]))
    return all(met)


def every() -> bool:
    """Print the accuracy at species level beside every flat method there is, the mean over some crowds of each kind.

    Flat methods get the votes as they are, and once more the votes for species alone: that is help which they have
    from the tree. No method can find a species that nobody named: how often somebody did is printed, too.
    """
    met = []
    for name, (size, votes, kinds) in TREES.items():
        crowds = [over_tree(seed, *size, votes, kinds) for seed in range(SEEDS)]
        shares = {
            f"{method}{words}": 100 * float(np.mean([_species_right(said(crowd), crowd, method) for crowd in crowds]))
            for method in METHODS
            for words, said in ((("", _as_said),) if method == "tree" else (("", _as_said), (f", {ALONE}", _alone)))
        }
        named = 100 * float(np.mean([_named(crowd) for crowd in crowds]))
        print(json.dumps({"crowd": name, "species named by anybody": round(named, 1)} | _rounded(shares)))
        ours = shares.pop("tree")
        for words, told in (("votes as they are", False), (ALONE, True)):
            of = {method: share for method, share in shares.items() if method.endswith(ALONE) == told}
            best_of_them, share = max(of.items(), key=lambda one: one[1])
            figure_of = f"species right, {name}, {words}"
            met.append(figure(figure_of, ours, "%", beside=best_of_them, beside_value=share, at_least=share + 5))
    return all(met)


def _as_said(crowd: Crowd) -> Crowd:
    return crowd


def _alone(crowd: Crowd) -> Crowd:
    """Return the crowd with its votes for species alone."""
    answers = [one for one in crowd.answers if crowd.taxa[one[2]].rank == "species"]
    return Crowd(answers, crowd.truth, crowd.taxa)


def _named(crowd: Crowd) -> float:
    """Return of how many questions anybody named the right species."""
    return len({question for question, _, said in crowd.answers if said == crowd.truth[question]}) / len(
        {question for question, _, _ in crowd.answers}
    )


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 1) for name, share in shares.items()}


def _species_right(some: Crowd, crowd: Crowd, method: str) -> float:
    """Return how right a method's most probable species are, over all that was asked."""
    told = tally(some.tags(), some.resolved(), campaign="c", moment="", rules=Rules(method=method))
    return right(crowd, best_of([label for label in told.labels if label.rank == "species"]))


def _calibrated(name: str, crowds: list[Crowd]) -> bool:
    """Print the mean calibration error of crowds, beside what they show of probabilities that are right by the coin."""
    chance = np.random.default_rng(0)
    found, least = [], []
    for crowd in crowds:
        sure, correct = probabilities(crowd)
        found.append(calibration_error(sure, correct))
        coins = [calibration_error(sure, chance.random(len(sure)) < sure) for _ in range(COINS)]
        least.append(float(np.mean(coins)))
    print(json.dumps({"calibration error of each": [round(one, 3) for one in found]}))
    off, coin = float(np.mean(found)), float(np.mean(least))
    beside = "as right as they say, by chance"
    return figure(f"calibration error, {name}", off, "", beside=beside, beside_value=coin, at_most=0.03)


def speed() -> bool:
    """Print seconds and memory from a store's tags to labels, of three sizes: linear, a million within its limits."""
    took = {}
    met = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            _in_a_process("make", str(size), folder)
            said = json.loads(_in_a_process("one", folder))
        took[size] = said["seconds"] / said["tags"]
        limits = {"at_most": 30.0} if size == SIZES[-1] else {}
        print(json.dumps(said))
        name = f"{said['tags']:,} tags to labels"
        met.append(figure(name, said["seconds"], "s", beside="limit", beside_value=30, **limits))
        met.append(figure(f"memory for {name}", said["mib"], "MiB", beside="limit", beside_value=1024, at_most=1024))
    growth = took[SIZES[-1]] / took[SIZES[0]]
    name = f"time a tag of {SIZES[-1]:,} by that of {SIZES[0]:,}"
    met.append(figure(name, growth, "times", beside="linear", beside_value=1, at_most=1.3))
    return all(met)


def make(size: int, folder: Path) -> None:
    """Write a store with about ``size`` tags."""
    crowd = over_tree(1, size // 3, max(100, size // 200), 1200)
    crowd.answers[size:] = []
    write(crowd, folder / "home")


def one_size(folder: Path) -> None:
    """Count a store's tags as ``deboodt`` does, but for writing the labels; print what it took of one core."""
    with opened(folder / "home") as run:
        begun, before = time.process_time(), _most_mib()
        counting = counting_of(run)
        told = counting.counted()
        learned = time.process_time() - begun
        passed = Passed(run, counting.gold)
        labels = sum(1 for _ in passed.passing(told.labels))
        agreement_of(run, counting, told, passed)
        seconds = time.process_time() - begun
        tags = run.store.count(Tag)
    more = {"learned": round(learned, 2), "mib": _most_mib(), "before": before}
    print(json.dumps({"tags": tags, "labels": labels, "seconds": round(seconds, 2)} | more))


def _in_a_process(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.consensus", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _most_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def counted(crowd: Crowd) -> list[Label]:
    """Return the labels of a crowd, by the default way."""
    told = tally(crowd.tags(), crowd.resolved(), campaign="c", moment="2026-01-01T00:00:00Z")
    return list(told.labels)


def best(crowd: Crowd) -> dict[str, str]:
    """Return the most probable label of each question."""
    return best_of(counted(crowd))


def best_of(labels: list[Label]) -> dict[str, str]:
    """Return the most probable of the labels of each question."""
    ordered = sorted(labels, key=lambda label: (label.probability, label.support, label.concept))
    return {label.file: label.concept for label in ordered}


def right(crowd: Crowd, answers: dict[str, str]) -> float:
    """Return the share of the asked questions that are answered rightly."""
    asked = {question for question, _, _ in crowd.answers} & crowd.truth.keys()
    return sum(answers.get(question) == crowd.truth[question] for question in asked) / len(asked)


def peer_shares(crowd: Crowd, of: Crowd | None = None) -> dict[str, float]:
    """Return how right crowd-kit's majority vote and Dawid-Skene are, over the questions of ``of`` where given."""
    import pandas
    from crowdkit.aggregation import DawidSkene, MajorityVote

    frame = pandas.DataFrame(crowd.answers, columns=["task", "worker", "label"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "crowd-kit's majority vote": right(of or crowd, dict(MajorityVote().fit_predict(frame))),
            "crowd-kit's Dawid-Skene": right(of or crowd, dict(DawidSkene(n_iter=100).fit_predict(frame))),
        }


def probabilities(crowd: Crowd) -> tuple[np.ndarray, np.ndarray]:
    """Return of all labels of a crowd how sure they are, and whether they are right."""
    labels = counted(crowd)
    parents = {taxon.name: taxon for taxon in crowd.taxa.values()}
    right_of = {
        question: {true, *(parents[step.name].concept for step in crowd.taxa[true].lineage)}
        for question, true in crowd.truth.items()
    }
    sure = np.array([label.probability for label in labels])
    return sure, np.array([label.concept in right_of[label.file] for label in labels])


def calibration_error(sure: np.ndarray, correct: np.ndarray) -> float:
    """Return the expected calibration error, over equal bins."""
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(correct[place == at].mean() - sure[place == at].mean()) * (place == at).mean()
            for at in range(BINS)
            if (place == at).any()
        )
    )


def _beside(name: str, crowd: Crowd, gains: list[float]) -> bool:
    ours = 100 * right(crowd, best(crowd))
    peers = {peer: 100 * share for peer, share in peer_shares(crowd).items()}
    met = [
        figure(name, ours, "%", beside=peer, beside_value=share, at_least=max(peers.values()) - 0.5)
        for peer, share in peers.items()
    ]
    gains.append(ours - max(peers.values()))
    return all(met)


if __name__ == "__main__":
    sys.exit(main())
