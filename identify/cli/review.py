"""The command for reviewers in the terminal: one plate after the other, one key and Enter a verdict."""

import secrets
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from identify.cli.shell import Shell, campaign_argument, now

if TYPE_CHECKING:
    from crowd.plate import Plate
    from crowd.reviewqueue import Asked, Entry
    from crowd.rights import Person
    from crowd.taxonsearch import TaxonSearch
    from harvest.imagestore import ImageStore
    from linkeddata.records import Review
    from linkeddata.store import Store

HELP = "1-8 a candidate · r no, it is not · o another taxon · c cannot tell · u unfit image · w wrong region"
MORE = "m comment · n pass over · z undo the last · q stop. Text behind a key and a space is kept as a comment."
LETTERS = {"r": "reject", "c": "cannot tell", "u": "unfit image", "w": "wrong region", "m": "comment"}


@click.command()
@campaign_argument
@click.option("--account", required=True, metavar="NAME", help="Who reviews: an account of this installation.")
@click.option("--taxon", default="", help="Only this taxon with all below it: Q-item, GBIF key or a resolved name.")
@click.option("--collection", default="", help="Only pictures of this institution.")
@click.option("--list", "listing", is_flag=True, help="List what is open, the weightiest first, and stop.")
@click.pass_obj
def review(shell: Shell, campaign: Path, account: str, taxon: str, collection: str, listing: bool) -> None:
    """Review what is open in the campaign of file CAMPAIGN, by keyboard.

    Shows where each picture is, what people and models say, and takes a key and Enter. Whoever may read the store
    reviews as the account that is named; there is no password here.
    """
    from crowd.accounts import account_named
    from crowd.campaignfile import load_campaign
    from crowd.reviewqueue import Asked, page
    from crowd.taxonsearch import TaxonSearch
    from harvest.imagestore import ImageStore
    from linkeddata.collections import names_of
    from linkeddata.errors import UsageError
    from linkeddata.nameindex.index import open_index
    from linkeddata.problem import Problem
    from linkeddata.store import Store

    settings = shell.settings()
    with Store(settings.store) as store:
        found = account_named(store, account)
        if found is None or found.disabled:
            raise UsageError(f"there is no open account {account!r}")
        try:
            names = names_of(store, taxon) if taxon else ()
        except Problem as problem:
            raise UsageError(str(problem.detail)) from problem
        asked = Asked(campaign=load_campaign(campaign).id, institution=collection, taxon=names)
        if listing:
            entries = page(store, found.person(), asked, 50)
            rows = [_listed(store, entry) for entry in entries]
            shell.result(rows, "\n".join(map(_line, rows)) or "nothing is open")
            return
        with open_index(settings.index_path) if settings.index_path else nullcontext() as index:
            Desk(store, found.person(), TaxonSearch(store, index), ImageStore(settings.images)).work(asked)


class Desk:
    """A reviewer at the terminal."""

    def __init__(self, store: "Store", person: "Person", search: "TaxonSearch", images: "ImageStore") -> None:
        self._store = store
        self._person = person
        self._search = search
        self._images = images
        self._given: list[Review] = []

    def work(self, asked: "Asked") -> None:
        """Go through the queue until nothing is left or the reviewer stops."""
        from dataclasses import replace

        from crowd.plate import plate
        from crowd.reviewqueue import hand_out

        while (entry := hand_out(self._store, self._person, asked, now)) is not None:
            shown = plate(self._store, entry.target)
            self._show(entry, shown)
            answer = self._asked(shown)
            if answer == "q":
                break
            if answer == "n":
                asked = replace(asked, after=entry.place)
        else:
            click.echo("Nothing more is open here.")
        click.echo(f"{len(self._given)} verdicts given.")

    def _show(self, entry: "Entry", shown: "Plate") -> None:
        from rich.console import Console
        from rich.table import Table

        console = Console(highlight=False)
        media = shown.media
        console.rule(media.title if media else entry.file)
        stored = self._images.kept(media) if media else None
        console.print(str(stored.local) if stored and stored.local else (media.page if media else entry.file))
        console.print("; ".join(reason.words for reason in entry.reasons) or "not judged yet", style="dim")
        table = Table(box=None, show_header=False, pad_edge=False)
        for number, one in enumerate(shown.candidates, start=1):
            mark = "?" if one.concept == shown.target.concept else " "
            spoken = ", ".join(name for _, name in one.vernaculars[:3])
            table.add_row(f"{number}{mark}", one.name, spoken, "; ".join(said.words for said in one.said))
        console.print(table)

    def _asked(self, shown: "Plate") -> str:
        """Ask until a verdict is written, the plate is passed over, or the reviewer stops; return the key."""
        from linkeddata.problem import Problem

        while True:
            typed = str(click.prompt("verdict", prompt_suffix="> ", default="?", show_default=False))
            key, _, comment = typed.partition(" ")
            if key in ("q", "n"):
                return key
            if key == "?":
                click.echo(f"{HELP}\n{MORE}")
                continue
            try:
                if key == "z":
                    self._undo()
                elif said := self._said(shown, key, comment.strip()):
                    self._write(shown, said)
                    return key
                else:
                    click.echo("That is no answer; ? tells which there are.")
            except Problem as problem:
                click.echo(f"{problem.title}. {problem.detail}")
                if problem.title == "Changed meanwhile":
                    return ""

    def _said(self, shown: "Plate", key: str, comment: str) -> dict[str, Any]:
        """Return the verdict that a key means, nothing for a key that means none."""
        decides = shown.standing.state == "disputed"
        if key in LETTERS:
            return {"verdict": LETTERS[key], "comment": comment, "decides": decides and key != "m"}
        if key == "o":
            other = self._other()
            return {"verdict": "correct", "correction": other, "comment": comment, "decides": decides} if other else {}
        if not key.isdecimal() or not 1 <= int(key) <= len(shown.candidates):
            return {}
        concept = shown.candidates[int(key) - 1].concept
        if concept == shown.target.concept:
            return {"verdict": "accept", "comment": comment, "decides": decides}
        return {"verdict": "correct", "correction": concept, "comment": comment, "decides": decides}

    def _other(self) -> str:
        """Ask for a taxon by the beginning of its name until one is chosen; return its concept, nothing for no name."""
        while True:
            typed = str(click.prompt("name (none: go back)", prompt_suffix="> ", default="", show_default=False))
            if not typed.strip():
                return ""
            found = self._search.suggestions(typed, 9)
            exact = self._search.chosen(typed, agent=self._person.agent, moment=now())
            if exact:
                return exact
            for number, one in enumerate(found, start=1):
                click.echo(f"{number}  {one.name}  {one.matched}")
            if not found:
                click.echo("No name begins so.")
                continue
            choice = click.prompt("which (0: type again)", type=click.IntRange(0, len(found)), default=0)
            if choice:
                name = found[choice - 1].concept or found[choice - 1].name
                return self._search.chosen(name, agent=self._person.agent, moment=now())

    def _write(self, shown: "Plate", said: dict[str, Any]) -> None:
        from crowd.reviewing import Said, say

        given = Said(target=shown.target.id, key=secrets.token_urlsafe(12), seen=shown.seen, **said)
        self._given.append(say(self._store, self._person, given, now))
        click.echo(f"{given.verdict}: written")

    def _undo(self) -> None:
        from crowd.reviewing import undo

        if not self._given:
            click.echo("There is nothing to undo.")
            return
        review = undo(self._store, self._person, self._given.pop().id, now)
        click.echo(f"taken back: {review.verdict}; it is open again")


def _listed(store: "Store", entry: "Entry") -> dict[str, Any]:
    from linkeddata.records import Identification, Label, MediaFile

    label, answer = store.get(Label, entry.target), store.get(Identification, entry.target)
    media = store.get(MediaFile, entry.file)
    return {
        "target": entry.target,
        "kind": entry.kind,
        "file": entry.file,
        "title": media.title if media else "",
        "concept": entry.concept,
        "name": label.name if label else answer.label if answer else "",
        "score": round(entry.score, 1),
        "reasons": [reason.words for reason in entry.reasons],
    }


def _line(row: dict[str, Any]) -> str:
    name, title = row["name"] or row["concept"] or "unknown", row["title"] or row["file"]
    return f"{row['score']:6.1f}  {name:<28}  {title}: {'; '.join(row['reasons'])}"
