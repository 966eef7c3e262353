"""The commands beside campaigns: settings, log, serve."""

import click

from identify.cli.shell import Shell
from linkeddata.settings import Settings, shown


@click.command()
@click.pass_obj
def settings(shell: Shell) -> None:
    """Print the settings in force and where they can be changed."""
    shell.result(shown(shell.settings()))
    shell.say("change them in deboodt.toml (one line each, as above) or with DEBOODT_… variables")


@click.command()
@click.option("--after", default=0, metavar="SEQ", help="Only events after this sequence number.")
@click.option("--kind", default="", help="Only events of this kind, such as tag.withdrawn.")
@click.option("--subject", default="", help="Only events about this record.")
@click.option("--limit", default=50, show_default=True, help="How many at most; 0 for all.")
@click.pass_obj
def log(shell: Shell, after: int, kind: str, subject: str, limit: int) -> None:
    """Print the log: every change, who made it and when."""
    from dataclasses import asdict
    from itertools import islice

    from linkeddata.store import Store

    with Store(shell.settings().store) as store:
        events = store.events(after, kind=kind, subject=subject)
        chosen = list(islice(events, limit) if limit else events)
    text = "\n".join(f"{e.seq:>8}  {e.moment:<20}  {e.kind:<24}  {e.subject}  {e.agent}" for e in chosen)
    shell.result([asdict(event) for event in chosen], text)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.pass_obj
def serve(shell: Shell, host: str, port: int) -> None:
    """Serve the documents, the models and the home page over HTTP.

    Documents are named after the setting base_url; where it is not set, after the address they are served from.
    """
    import gc

    gc.disable()  # what is imported and built from here on stays; listen() turns the collector on again
    from identify.app import create_app
    from identify.following import wanted
    from identify.serving import listen

    settings = shell.settings()
    if settings.base_url == Settings().base_url:
        settings = shell.settings(base_url=f"http://{host}:{port}")
    app = create_app(settings, follow=wanted(settings))
    shell.say(f"De Boodt on http://{host}:{port} with {settings.store}; Ctrl-C stops it")
    listen(app, host, port)
