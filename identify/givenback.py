"""What a campaign gives back to a museum's system. In: a run, what was asked otherwise. Out: a ``Delivery``."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from crowd.campaign import Campaign
from crowd.cms.claims import claims_of
from crowd.cms.delivered import Delivery
from crowd.cms.delivery import deliver
from crowd.cms.determinations import Determination
from crowd.cms.profile import Profile
from crowd.cms.profilefile import load_profile, pattern_trouble
from crowd.cms.table import load_table
from identify.inputs import digest, results
from identify.pipeline import Run
from linkeddata.errors import CampaignError
from linkeddata.records import Review


def delivery_of(run: Run, *, earlier: Iterable[Determination] = ()) -> Delivery:
    """Return what the campaign gives back, compared with the export that its file names. Raises ``UsageError``."""
    campaign = run.campaign
    profile = profile_of(campaign)
    base = load_table(Path(campaign.folder) / campaign.export.base, profile.csv) if campaign.export.base else None
    claims = claims_of(run.store, [campaign.id], base_url=run.settings.base_url)
    return deliver(claims, profile, base, campaigns=[campaign.id], earlier=earlier)


def profile_of(campaign: Campaign, name: str = "") -> Profile:
    """Return the profile of that name, or the campaign's, with the campaign's own ways to tell a file's object.

    A path starts where the campaign file stands.
    """
    named = name or campaign.export.profile
    own = Path(campaign.folder) / named
    profile = load_profile(str(own) if own.is_file() else named)
    join = profile.join
    if campaign.export.title:
        if trouble := pattern_trouble(campaign.export.title):
            raise CampaignError(f"{campaign.id}: [export] title {trouble}")
        join = replace(join, title=campaign.export.title)
    if campaign.export.table:
        join = replace(join, table=str((Path(campaign.folder) / campaign.export.table).resolve()))
    return replace(profile, join=join)


def export_inputs(run: Run) -> str:
    """Return the fingerprint of what is given back: what was found, and the files that say how."""
    campaign = run.campaign
    reviews = run.store.each(Review, campaign=campaign.id)
    return digest((results(run), *reviews, *(hashlib.sha256(path.read_bytes()).digest() for path in _read(campaign))))


def _read(campaign: Campaign) -> list[Path]:
    rules = campaign.export
    own = [Path(campaign.folder) / name for name in (rules.profile, rules.base, rules.table) if name]
    found = [path for path in own if path.is_file()]
    if found and found[0] == own[0]:
        profile = load_profile(own[0])
        asked = [Path(profile.folder) / name for name in (profile.join.table, profile.terms.thesaurus) if name]
        found += [path for path in asked if path.is_file()]
    return found
