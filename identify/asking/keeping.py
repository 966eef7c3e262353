"""Answers that are kept. In: images that were sent, an answer. Out: files and identification in the store.

An image goes where all images are (``harvest.imagestore``), under the hash of its bytes. Several images of one object
are files of one group; the answer is about the object, whose own file shows the first of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crowd.rights import Person
from harvest.imagestore import ImageStore
from identify.asking.received import Sent
from linkeddata.decoding import Limits, checked
from linkeddata.ids import content_id
from linkeddata.records import Identification, MediaFile
from linkeddata.store import Store

OBSERVATION = "urn:deboodt:observation:"


@dataclass(frozen=True, slots=True)
class Shown:
    """One image of a question: what was sent, its bytes and their SHA-1."""

    sent: Sent
    data: bytes
    sha1: str

    @property
    def iri(self) -> str:
        """What the image is called: its address, or the hash of its bytes."""
        return self.sent.url or f"urn:sha1:{self.sha1}"


def observed(images: Sequence[Shown]) -> MediaFile:
    """Return the file that an answer about these images is about: the image itself, or the object that several show."""
    first = images[0]
    media = MediaFile(iri=first.iri, title=first.sent.name, original=first.sent.url, sha1=first.sha1)
    if len(images) == 1:
        return media
    title = f"{first.sent.name or 'An object'} and {len(images) - 1} more"
    return replace(media, iri=f"{OBSERVATION}{content_id(*(one.sha1 for one in images))}", title=title, original="")


def keep(
    store: Store, images: ImageStore, shown: Sequence[Shown], answer: Identification, person: Person, limits: Limits
) -> Identification:
    """Put an answer and its images where they can be found and reviewed; return the answer as it is stored.

    The same question about the same image is one answer: what was said of it already, by people too, stays.
    """
    about = observed(shown)
    files = [_filed(images, one, limits) for one in shown]
    if len(files) > 1:
        files = [replace(one, group=about.iri) for one in files]
        files.append(replace(files[0], iri=about.iri, title=about.title, original="", group=about.iri))
    with store.transaction() as work:
        before = work.get(Identification, answer.id)
        known = [one.iri for one in files if work.get(MediaFile, one.iri) is not None]
        new = [one for one in files if one.iri not in known]
        work.put([*new, *([] if before else [answer])], agent=person.agent, moment=answer.moment)
    return before or answer


def _filed(images: ImageStore, one: Shown, limits: Limits) -> MediaFile:
    facts = checked(one.data, limits)
    with images.storage.drafts() as folder:
        draft = folder / one.sha1
        draft.write_bytes(one.data)
        images.keep(one.sha1, facts, draft)
    return MediaFile(
        iri=one.iri,
        title=one.sent.name,
        original=one.sent.url,
        sha1=one.sha1,
        mime=facts.mime,
        width_px=facts.width_px,
        height_px=facts.height_px,
        size_bytes=len(one.data),
    )
