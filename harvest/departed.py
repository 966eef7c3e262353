"""Files that no source names any more. In: files of Commons as they were stored. Out: which were deleted, and when.

A file that was moved keeps its page id, and with it its M-id: it has not departed. One that is still there has only
left the category, the search or the list that it was found by.
"""

from collections.abc import Sequence

from harvest.logged import deleted_at
from harvest.records import batches
from harvest.wiki import ENTITIES, Api, by_id
from linkeddata.ids import media_of_iri
from linkeddata.records import MediaFile

GONE = "file deleted"


def deletions(api: Api, files: Sequence[MediaFile], *, now: str) -> dict[str, str]:
    """Return IRI → moment of those files of this wiki that are deleted; ``now`` where the wiki's log has no entry.

    Raises what ``Client.get_json`` raises.
    """
    here = {int(media_of_iri(media.iri)[1:]): media for media in files if media.iri.startswith(f"{api.site.entity}M")}
    gone: list[MediaFile] = []
    for batch in batches(list(here), ENTITIES):
        pages = by_id(api, batch)
        gone += [here[number] for number in batch if number not in pages or not pages[number].image]
    return {media.iri: deleted_at(api, media.title) or now for media in gone}
