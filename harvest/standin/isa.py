"""The ISA tool. In: the World's campaigns. Out: a campaign's export as ISA sends it, and a page that links to it."""

import re
from urllib.parse import quote

from harvest.standin.exchange import Reply, Request, html_reply
from harvest.standin.world import IsaCampaign, World


def answer(world: World, request: Request) -> Reply:
    """Return ISA's answer to a request under ``/isa``."""
    found = re.fullmatch(r"/isa/campaigns/(\d+)/(stats|all_stats_download/(.+))", request.path)
    campaign = next((c for c in world.isa if found and c.id == int(found[1])), None)
    if found is None or campaign is None:
        return html_reply("404", "Page not found", 404)
    if found[2] == "stats":
        return html_reply(campaign.name, f'<a href="{export_path(campaign)}">Download all contributions</a>')
    if found[3] != campaign.file_name:
        return html_reply("404", "Page not found", 404)
    disposition = f"attachment; filename*=UTF-8''{quote(campaign.file_name)}"
    return Reply(campaign.csv, 200, {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": disposition})


def export_path(campaign: IsaCampaign) -> str:
    """Return the path of the export under ``/isa``."""
    return f"/isa/campaigns/{campaign.id}/all_stats_download/{quote(campaign.file_name)}"
