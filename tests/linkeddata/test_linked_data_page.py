"""docs/linked-data.md shows what is answered; ``python tests/linkeddata/test_linked_data_page.py`` writes it."""

import json
from pathlib import Path

from linkeddata.profiles import PROFILES, Said, loss
from linkeddata.records import Agent, Alternative, Ancestor, Identification, MediaFile, Taxon

PAGE = Path(__file__).resolve().parents[2] / "docs/linked-data.md"
START = "\n### `"
EXAMPLE = Said(
    Identification(
        id="3f6c0c1e2d9b4a7f8e5d6c7b",
        file="https://commons.wikimedia.org/entity/M103381688",
        model="papillotten",
        version="1",
        weights="c" * 64,
        label="Vanessa cardui",
        rank="species",
        item="Q158603",
        gbif_key="4299368",
        certainty=0.87,
        novelty=0.1,
        rule="R2",
        alternatives=(Alternative("Vanessa cardui", 0.87, "species", "Q158603", "4299368"),),
        region="xywh=percent:10,20,30,40",
        agent="urn:deboodt:model:papillotten@1",
        moment="2026-11-02T10:00:00Z",
    ),
    media=MediaFile(
        iri="https://commons.wikimedia.org/entity/M103381688",
        title="File:Plate 12.jpg",
        original="https://upload.wikimedia.org/plate-12.jpg",
        licence="https://creativecommons.org/publicdomain/zero/1.0/",
        inventory_number="RP-T-12",
        institution="Q190804",
    ),
    taxon=Taxon(
        query="Q158603",
        concept="Q158603",
        name="Vanessa cardui",
        authorship="(Linnaeus, 1758)",
        rank="species",
        item="Q158603",
        gbif_key="4299368",
        lineage=(Ancestor("family", "Nymphalidae", "7017"), Ancestor("genus", "Vanessa")),
        vernaculars=(("nl", "distelvlinder"),),
    ),
    agent=Agent(id="urn:deboodt:model:papillotten@1", kind="SoftwareAgent", name="papillotten", version="1"),
    base_url="https://deboodt.example",
    handle_prefix="20.5000.1025",
)


def shown() -> str:
    """Return the part of the page that shows the example in each profile."""
    parts = []
    for name, profile in PROFILES.items():
        said = json.dumps(profile.document(EXAMPLE), ensure_ascii=False, indent=1)
        lost = ", ".join(f"`{fact}`" for fact in loss(profile, EXAMPLE)) or "nothing"
        parts.append(f"{START}{name}`: {profile.title}\n\n```json\n{said}\n```\n\nLost: {lost}.\n")
    return "".join(parts).lstrip("\n")


def test_the_page_shows_what_the_software_answers() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(START) + 1 :] == shown()


if __name__ == "__main__":
    words = PAGE.read_text(encoding="utf-8").partition(START)[0].rstrip("\n")
    PAGE.write_text(f"{words}\n\n{shown()}", encoding="utf-8")
