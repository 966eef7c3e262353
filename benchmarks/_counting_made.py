"""Stores with a campaign's tags in them, to be counted. In: a crowd, a folder. Out: a store and a campaign file.

Tags are written past the log: what is measured is how they are read, counted and made into labels.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from benchmarks._crowds import Crowd
from crowd.campaignfile import load_campaign
from identify.pipeline import Run
from linkeddata.client import Client
from linkeddata.records import Tag
from linkeddata.settings import Settings
from linkeddata.store import Store

CAMPAIGN = "birds"
MOMENT = "2026-01-01T00:00:00Z"
AT_ONCE = 20_000
FILE = "https://commons.example.org/entity/"


def write(crowd: Crowd, folder: Path) -> None:
    """Write a crowd's tags, its files and its taxa into a new store in ``folder``, and the campaign's file."""
    folder.mkdir(parents=True)
    (folder / "campaign.toml").write_text(
        f'[campaign]\nid = "{CAMPAIGN}"\ntitle = "Birds"\n[[tags.files]]\npath = "tags.csv"\n', encoding="utf-8"
    )
    with Store(f"sqlite:///{folder}/deboodt.sqlite") as store:
        store.put(crowd.resolved().values(), agent="benchmark", moment=MOMENT)
    known = dict.fromkeys(field.name for field in fields(Tag)) | {"prominent": 0, "revision": 0}
    names = list(known)
    plain = {name: "" if known[name] is None else known[name] for name in names}
    with sqlite3.connect(folder / "deboodt.sqlite") as base:
        marks = ", ".join("?" * len(names))
        base.executemany(
            f"INSERT INTO tag ({', '.join(names)}) VALUES ({marks})",  # noqa: S608
            (
                tuple(
                    (
                        plain
                        | {
                            "id": f"{number:08}",
                            "file": FILE + file,
                            "item": item,
                            "agent": f"person:{agent}",
                            "moment": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_600_000_000 + number)),
                            "campaign": CAMPAIGN,
                        }
                    ).values()
                )
                for number, (file, agent, item) in enumerate(crowd.answers)
            ),
        )
        base.executemany(
            "INSERT INTO campaign_file (id, campaign, file, role) VALUES (?, ?, ?, 'subject')",
            ((f"{CAMPAIGN}/{file}", CAMPAIGN, FILE + file) for file in {file for file, _, _ in crowd.answers}),
        )


@contextmanager
def opened(folder: Path) -> Iterator[Run]:
    """Give the campaign as ``deboodt`` opens it."""
    settings = Settings(home=str(folder), pseudonym_key="benchmark")
    with Store(settings.store) as store, Client(settings) as client:
        yield Run(
            campaign=load_campaign(folder / "campaign.toml"),
            settings=settings,
            store=store,
            client=client,
            now=lambda: MOMENT,
        )
