"""How fast and how surely near-duplicates are found among many prints.

Prints with planted neighbours at known distances, half of them around few centres as plates of one series are; found on
one core, beside comparing a sample with all the others. Part of ``python -m benchmarks.dataset``.
"""

import resource
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks._figure import figure
from harvest.datasets.neighbours import pairs_within

DISTANCE, PLANTED, SAMPLE, SEED = 8, 9_000, 300, 1596


def made(count: int, rng: np.random.Generator) -> tuple[NDArray[np.uint64], list[tuple[int, int]]]:
    """Return prints and the planted pairs: as many at each distance from 0 to 8."""
    prints = rng.integers(0, 2**64, count, dtype=np.uint64)
    centres = rng.integers(0, 2**64, max(1, count // 2_000), dtype=np.uint64)
    crowded = slice(count // 4, 3 * count // 4)
    noise = np.bitwise_and.reduce(rng.integers(0, 2**64, (2, crowded.stop - crowded.start), dtype=np.uint64))
    prints[crowded] = centres[rng.integers(0, len(centres), len(noise))] ^ noise  # a quarter of the bits differ
    pairs = []
    for number in range(min(PLANTED, count // 4)):
        bits = rng.choice(64, number % (DISTANCE + 1), replace=False)
        prints[count - 1 - number] = int(prints[number]) ^ sum(1 << int(bit) for bit in bits)
        pairs.append((number, count - 1 - number))
    return prints, pairs


def near_duplicates(count: int) -> None:
    """Print the figures of so many prints."""
    prints, planted = made(count, np.random.default_rng(SEED))
    begun, processor = time.perf_counter(), time.process_time()
    first, second, _bits = pairs_within(prints, distance=DISTANCE)
    taken, busy = time.perf_counter() - begun, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = set(zip(first.tolist(), second.tolist(), strict=True))
    begun = time.perf_counter()
    sample = np.arange(0, count, max(1, count // SAMPLE))[:SAMPLE]
    plainly = {
        (min(int(one), other), max(int(one), other))
        for one in sample
        for other in np.flatnonzero(np.bitwise_count(prints ^ prints[one]) <= DISTANCE).tolist()
        if other != one
    }
    all_compared = (time.perf_counter() - begun) * count / len(sample) / 2
    of_sample = set(sample.tolist())
    same = {pair for pair in found if of_sample & set(pair)}
    name = f"near-duplicates among {count:,} prints"
    figure(name, taken, "s", beside="comparing all, from a sample", beside_value=all_compared, at_most=60)
    figure(f"{name}: processor time", busy, "s", beside="comparing all, from a sample", beside_value=all_compared)
    figure(
        f"{name}: peak memory", memory, "MiB", beside="the prints alone", beside_value=count * 8 / 2**20, at_most=1024
    )
    recall = len(found & set(planted)) / len(planted)
    figure(f"{name}: planted pairs found", recall, "share", beside="all", beside_value=1, at_least=0.99)
    figure(f"{name}: pairs of a sample", len(same), "pairs", beside="by brute force", beside_value=len(plainly))
    if same != plainly:
        raise SystemExit(f"{len(same ^ plainly)} pairs differ from what brute force finds")
