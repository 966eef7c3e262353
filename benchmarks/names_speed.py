"""How fast and how small the offline resolver is, over an index of ten million usages.

    python -m benchmarks.names_speed [--usages 10000000] [FOLDER of the recordings]

The usages are recombined from real ones: genera and epithets from the beginnings and ends of recorded words,
authorships as recorded. Rates are names per second of processor time, all on one core, so that other work on the
machine does not count; the names asked are drawn from the whole index.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nameparser
from rapidfuzz import process
from rapidfuzz.distance import OSA

from benchmarks._figure import command_seconds, figure
from linkeddata.nameindex.build import build_index
from linkeddata.nameindex.index import open_index
from linkeddata.nameindex.resolve import resolve_names
from linkeddata.nameindex.sources import open_source

RECORDINGS = Path(__file__).resolve().parents[1] / "../shared/data"
USAGES = 10_000_000
ASKED = {"exact": 400_000, "parsed": 30_000, "misspelt": 10_000, "spoken": 200_000}
SEED = 20260801
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MIB = 1 << 20


class Words:
    """Words of names, recombined from recorded ones."""

    def __init__(self, data: Path, chance: random.Random) -> None:
        self._chance = chance
        birds = [line.split("\t") for line in (data / "names/aves.txt").read_text(encoding="utf-8").splitlines()]
        with (data / "names/avilist_2025_taxonomy.csv").open(encoding="utf-8") as file:
            listed = list(csv.DictReader(file))
        with (data / "gbif/backbone-excerpt.tsv").open(encoding="utf-8") as file:
            excerpt = list(csv.DictReader(file, delimiter="\t"))
        self.epithets = sorted({cells[0] for cells in birds if cells[0].isalpha() and cells[0].islower()})
        genera = {row["genus"] for row in listed} | {r["canonicalName"] for r in excerpt if r["rank"] == "GENUS"}
        self.genera = sorted(name for name in genera if name.isalpha() and name.isascii())
        self.families = sorted({row["avilist_family"] for row in listed} - {""})
        self.authors = [a for cells in birds if (a := _authorship(cells[1]))]
        self.spoken = sorted({row["avilist_common_name"] for row in listed} - {""})

    def genus(self) -> str:
        first, last = self._chance.choice(self.genera), self._chance.choice(self.genera)
        return (first[: self._chance.randint(3, 6)] + last[-self._chance.randint(3, 6) :].lower()).capitalize()

    def epithet(self) -> str:
        if self._chance.random() < 0.6:
            return self._chance.choice(self.epithets)
        first, last = self._chance.choice(self.epithets), self._chance.choice(self.epithets)
        return first[: self._chance.randint(2, 6)] + last[-self._chance.randint(3, 6) :]

    def author(self) -> str:
        return self._chance.choice(self.authors)

    def vernacular(self) -> str:
        first, last = self._chance.choice(self.spoken).split(), self._chance.choice(self.spoken).split()
        return f"{first[0]} {self._chance.choice(self.epithets)} {last[-1]}"


def _authorship(name: str) -> str:
    words = name.split(" ")
    start = next((at for at, word in enumerate(words) if at and (word[:1].isupper() or word[:1] == "(")), len(words))
    return " ".join(words[start:])


def write_checklist(path: Path, words: Words, usages: int, chance: random.Random) -> int:
    """Write a checklist of so many usages, as a table with parents, accepted names and some vernaculars."""
    with path.open("w", encoding="utf-8") as file:
        file.write("taxonID\tparentID\tacceptedID\tscientificName\tcanonicalName\trank\tstatus\tvernacularName\n")
        file.write("1\t\t\tAnimalia\tAnimalia\tkingdom\taccepted\t\n2\t1\t\tAves\tAves\tclass\taccepted\t\n")
        key = 3
        for family in words.families:
            file.write(f"{key}\t2\t\t{family}\t{family}\tfamily\taccepted\t\n")
            key += 1
        last_family = key
        for line in _genera(words, usages, chance, key, last_family):
            file.write(line)
            key += 1
    return key - 1


def _genera(words: Words, usages: int, chance: random.Random, key: int, last_family: int) -> Iterator[str]:
    seen: set[str] = set()
    while key <= usages:
        genus = words.genus()
        if genus in seen:
            continue
        seen.add(genus)
        parent = key
        yield f"{key}\t{chance.randint(3, last_family - 1)}\t\t{genus} {words.author()}\t{genus}\tgenus\taccepted\t\n"
        key += 1
        names: set[str] = set()
        accepted = 0
        for _ in range(min(3000, int(chance.lognormvariate(1.8, 1.4)) + 1)):
            if key > usages:
                return
            name = f"{genus} {words.epithet()}"
            rank = "species"
            if chance.random() < 0.12:
                name, rank = f"{name} {words.epithet()}", "subspecies"
            if name in names:
                continue
            names.add(name)
            synonym = accepted and chance.random() < 0.4
            above = f"\t{accepted}\t" if synonym else f"{parent}\t\t"
            spoken = words.vernacular() if chance.random() < 0.05 else ""
            status = "synonym" if synonym else "accepted"
            yield f"{key}\t{above}{name} {words.author()}\t{name}\t{rank}\t{status}\t{spoken}\n"
            accepted = accepted if synonym else key
            key += 1


def drawn(path: Path, usages: int, chance: random.Random) -> dict[str, list[str]]:
    """Return the names that are asked: some lines of the checklist, as they are and otherwise written."""
    share = min(1.0, 1.4 * max(ASKED.values()) / usages)
    exact: list[str] = []
    full: list[str] = []
    spoken: list[str] = []
    with path.open(encoding="utf-8") as file:
        next(file)
        for line in file:
            cells = line.rstrip("\n").split("\t")
            if cells[7] and len(spoken) < 4 * ASKED["spoken"]:
                spoken.append(cells[7])
            if chance.random() < share:
                exact.append(cells[4] if chance.random() < 0.5 else cells[3])
                if cells[5] == "species":
                    full.append(cells[3])
    for names in (exact, full, spoken):
        chance.shuffle(names)
    return {
        "exact": exact[: ASKED["exact"]],
        "parsed": [_otherwise(name, number) for number, name in enumerate(full[: ASKED["parsed"]])],
        "misspelt": [_misspelt(" ".join(name.split()[:2]), chance) for name in full[-ASKED["misspelt"] :]],
        "spoken": spoken[: ASKED["spoken"]],
    }


def _otherwise(name: str, number: int) -> str:
    """Return a name in a form that the index does not have, which has to be parsed."""
    words = name.split()
    match number % 4:
        case 0:
            return name.replace(", ", " ").replace(" & ", " et ")
        case 1:
            return f"{words[0]} cf. {' '.join(words[1:])}"
        case 2:
            return f"{words[0]} ({words[0]}) {' '.join(words[1:])}"
        case _:
            return f"{words[0]} {words[1]} s.l."


def _misspelt(name: str, chance: random.Random) -> str:
    """Return a name with one edit, not in its first letter."""
    at = chance.randint(1, len(name) - 1)
    if name[at] == " " or name[at - 1] == " ":
        at = len(name) - 1
    match chance.randint(0, 2):
        case 0:
            return name[:at] + name[at + 1 :]
        case 1:
            return name[:at] + chance.choice(LETTERS) + name[at:]
        case _:
            return name[:at] + chance.choice(LETTERS) + name[at + 1 :]


def rate(names: Sequence[str], ask: Callable[[Sequence[str]], object]) -> float:
    """Return names per second of processor time."""
    begun = time.process_time()
    ask(names)
    return len(names) / (time.process_time() - begun)


def memory(what: str) -> float:
    """Return what Linux says of this process's memory, in MiB: VmHWM is its peak, RssAnon what it shares with none."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(f"{what}:")).split()[1]) / 1024


def streamed_rate(path: Path, ask: Callable[[Iterable[str]], int]) -> float:
    """Return names per second of processor time, the names being lines of a file."""
    with path.open(encoding="utf-8") as file:
        begun = time.process_time()
        asked = ask(line.rstrip("\n") for line in file)
        return asked / (time.process_time() - begun)


def ask(path: Path, asked: Path) -> None:
    """Ask the index everything, in a process that does nothing else, and print rates and memory."""
    before = memory("VmHWM")
    told: dict[str, float] = {}
    found: dict[str, dict[str, int]] = {}
    with open_index(path) as index:
        for kind in ASKED:
            types: dict[str, int] = {}

            def count(texts: Iterable[str], types: dict[str, int] = types) -> int:
                for answer in resolve_names(index, texts):
                    types[answer.match_type] = types.get(answer.match_type, 0) + 1
                return sum(types.values())

            told[kind] = streamed_rate(asked / kind, count)
            found[kind] = types
    print(
        json.dumps({"rates": told, "types": found, "peak": memory("VmHWM"), "own": memory("RssAnon"), "before": before})
    )


def peers(names: dict[str, list[str]]) -> dict[str, float]:
    """Return the rates of what the resolver stands beside: the parser, a dict, rapidfuzz over one genus."""
    table = {name: number for number, name in enumerate(names["exact"])}
    genus = sorted({name.split()[1] for name in names["exact"] if " " in name})[:1000]
    few = names["misspelt"][:2000]
    return {
        "parser": rate(names["parsed"], lambda texts: nameparser.parse_all(list(texts))),
        "dict": rate(names["exact"], lambda texts: [table[text] for text in texts]),
        "rapidfuzz": rate(
            few,
            lambda texts: [
                process.extractOne(t.split()[-1], genus, scorer=OSA.distance, score_cutoff=2) for t in texts
            ],
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=RECORDINGS)
    parser.add_argument("--usages", type=int, default=USAGES)
    parser.add_argument("--folder", type=Path, default=None, help="where the checklist and the index are made")
    parser.add_argument("--ask", type=Path, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--build", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        ask(*given.ask)
    elif given.build:
        build(*given.build)
    elif not given.data.is_dir():
        sys.exit(f"the recordings of real services are not at {given.data}")
    else:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            measure(given.data, Path(folder), given.usages)


def build(checklist: Path, path: Path) -> None:
    """Build the index in a process of its own, and print what it took."""
    report = build_index([open_source(checklist)], path)
    peak = memory("VmHWM")
    print(json.dumps({"usages": report.usages, "seconds": report.seconds, "peak": peak, "size": report.size_bytes}))


def measure(data: Path, folder: Path, usages: int) -> None:
    """Make the checklist, build the index, ask it, and print the figures."""
    chance = random.Random(SEED)
    checklist, path, asked = folder / "checklist.tsv", folder / "names.index", folder / "asked"
    write_checklist(checklist, Words(data, chance), usages, chance)
    names = drawn(checklist, usages, chance)
    asked.mkdir()
    for kind, written in names.items():
        (asked / kind).write_text("".join(f"{name}\n" for name in written), encoding="utf-8")
    own = [sys.executable, "-m", "benchmarks.names_speed"]
    built = _told([*own, "--build", str(checklist), str(path)])
    told = _told([*own, "--ask", str(path), str(asked)])
    beside = peers(names)
    print(json.dumps({"usages": built["usages"], "match types": told["types"]}))
    million = usages / 10_000_000
    figure(
        "usages indexed", built["usages"] / built["seconds"], "/s",
        beside="the parser alone", beside_value=beside["parser"],
    )  # fmt: skip
    figure(
        "peak memory of the build", built["peak"], "MiB", at_most=2048,
        beside="size of the checklist", beside_value=checklist.stat().st_size / MIB,
    )  # fmt: skip
    figure(
        "size of the index", built["size"] / 1e9, "GB", at_most=1.5 * million,
        beside="size of the checklist", beside_value=checklist.stat().st_size / 1e9,
    )  # fmt: skip
    rates = told["rates"]
    figure(
        "exact strings", rates["exact"], "/s", beside="a dict of them", beside_value=beside["dict"], at_least=100_000
    )
    figure(
        "strings that need parsing", rates["parsed"], "/s", at_least=0.8 * beside["parser"],
        beside="the parser alone", beside_value=beside["parser"],
    )  # fmt: skip
    figure(
        "misspelt names", rates["misspelt"], "/s", at_least=2000,
        beside="rapidfuzz over 1,000 epithets", beside_value=beside["rapidfuzz"],
    )  # fmt: skip
    figure("vernacular names", rates["spoken"], "/s", beside="a dict of them", beside_value=beside["dict"])
    figure(
        "resident memory while asked", told["peak"], "MiB", at_most=400,
        beside="before the index was opened", beside_value=told["before"],
    )  # fmt: skip
    figure(
        "memory of its own after being asked", told["own"], "MiB",
        beside="resident memory, with what is mapped of the index", beside_value=told["peak"],
    )  # fmt: skip
    one = (
        "import sys; from pathlib import Path; from linkeddata.nameindex.index import open_index; "
        "from linkeddata.nameindex.resolve import resolve_names; "
        "assert next(resolve_names(open_index(Path(sys.argv[1])), [sys.argv[2]])).match_type == 'EXACT'"
    )
    figure(
        "first answer after start", command_seconds([sys.executable, "-c", one, str(path), names["exact"][0]]), "s",
        at_most=0.3, beside="importing numpy", beside_value=command_seconds([sys.executable, "-c", "import numpy"]),
    )  # fmt: skip


def _told(command: list[str]) -> Any:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
