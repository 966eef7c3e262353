"""How far a campaign's crowd agrees, and what to ask it next, over HTTP. In: the store, a folder. Out: a router."""

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query

from crowd.asking import Stop, as_rows, asked
from crowd.consensus import METHODS
from linkeddata.problem import not_found
from linkeddata.records import CampaignFile, Label, MediaFile
from linkeddata.responses import problems
from linkeddata.store import Store

FILE = "agreement.json"
"""What the count step writes into a campaign's folder."""
MOST = 1000


def router(store: Store, campaigns: Path) -> APIRouter:
    """Return the routes; ``campaigns`` is the folder with a folder for each campaign."""
    api = APIRouter(tags=["crowd"])

    @api.get("/methods", summary="Ways of counting")
    def methods() -> list[dict[str, str]]:
        """The names that a campaign file takes under `[count] method`, each with what it does in a line."""
        return [{"name": name, "about": (method.__doc__ or "").split("\n")[0]} for name, method in METHODS.items()]

    @api.get(
        "/campaigns/{campaign}/agreement",
        summary="How far people agree, in the whole and by branch",
        responses=problems(404),
    )
    def agreement(campaign: str) -> dict[str, Any]:
        """Krippendorff's alpha, how many files have enough votes and why others have not, as of the last count."""
        return written(campaigns, campaign)

    @api.get("/campaigns/{campaign}/next", summary="Where one more vote changes most", responses=problems(404))
    def ask_next(campaign: str, limit: Annotated[int, Query(ge=1, le=MOST)] = 20) -> list[dict[str, object]]:
        """Files that have not enough votes yet, first those where one more vote is expected to change most."""
        rules = written(campaigns, campaign)["stop"]
        files = [member.file for member in store.each(CampaignFile, campaign=campaign, role="subject")]
        found = asked(files, store.each(Label, campaign=campaign), Stop(**rules))[:limit]
        titles = {media.iri: media.title for media in store.among(MediaFile, "iri", (one.file for one in found))}
        return as_rows(found, titles)

    return api


def written(campaigns: Path, campaign: str) -> dict[str, Any]:
    """Return what the last count of a campaign said of its agreement. Raises ``Problem`` 404 where there is none."""
    path = campaigns / campaign / FILE
    if campaign in ("", ".", "..") or Path(campaign).name != campaign or not path.is_file():
        raise not_found("count of campaign", campaign)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
