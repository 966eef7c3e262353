"""The command that erases a person."""

import sys

import click

from identify.cli.shell import LEFT_OVER, Shell, now


@click.command()
@click.argument("person")
@click.option(
    "--as",
    "kind",
    type=click.Choice(("account", "wikimedia", "pseudonym")),
    help="What PERSON is, where it may be two.",
)
@click.option("--write", is_flag=True, help="Erase. Without it is only said what there is.")
@click.pass_obj
def erase(shell: Shell, person: str, kind: str | None, write: bool) -> None:
    """Erase PERSON: an account, a Wikimedia user or a pseudonym; what was said keeps its weight.

    Stop servers and runs before: what they hold is not reached. See docs/privacy.md.
    """
    from crowd.erasing import erase as erase_person
    from crowd.erasing import holdings, whom
    from identify.cleaning import delete, spellings, telling
    from identify.pipeline import SOFTWARE
    from linkeddata.keptbook import FOLDER, Book, made_for
    from linkeddata.pseudonyms import Pseudonyms, installation_key
    from linkeddata.publishedgraph import GRAPH, PublishedGraph
    from linkeddata.records import Agent
    from linkeddata.store import Store

    settings = shell.settings()
    key = installation_key(settings)
    with Store(settings.store) as store:
        who = whom(store, Pseudonyms(key), person, kind or "")
        record = store.get(Agent, who.agent)
        named = {record.name, record.homepage} - {""} if record else set()
        there = holdings(store, who)
        files = telling(settings.home_path, spellings(who.agent, named)) if record or any(there.values()) else []
        clean = True
        if write:
            if (graph := settings.home_path / GRAPH).exists():
                PublishedGraph(graph, settings.base_url).close()  # raises where a server keeps it
            if (ready := settings.home_path / FOLDER).exists():
                Book(ready, made_for(settings)).close()
            delete(store, settings.home_path, files, agent=SOFTWARE.id, moment=now())
            erase_person(store, who, key, agent=SOFTWARE.id, moment=now())
            clean = store.compact()
    counts = there | {"files and folders": len(files)}
    lines = [*(f"{what}: {number}" for what, number in counts.items()), *(f"  {path}" for path in files)]
    shell.result({"counts": counts, "files": [*map(str, files)], "erased": write}, "\n".join(lines))
    if not write:
        shell.say("nothing was changed; --write erases")
    elif not clean:
        shell.say("somebody reads the store: stop it and run this again, so that its journal is emptied")
        sys.exit(LEFT_OVER)
