"""What the calls of review take and give, with an example each. Out: models that check and describe."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from crowd.reviewing import LONGEST_COMMENT, LONGEST_KEY

LONGEST_PAGE = 200
Verdict = Literal["accept", "reject", "correct", "cannot tell", "unfit image", "wrong region", "comment"]
Kind = Literal["", "label", "identification", "region"]


class Filter(BaseModel):
    """What of the queue is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    campaign: str = Field("", description="Only of this campaign.")
    collection: str = Field("", description="Only pictures of this institution: its Q-item or name.")
    taxon: str = Field("", description="This taxon and all below it: Q-item, GBIF key, or a name that was resolved.")
    kind: Kind = Field("", description="Only labels, identifications, or identifications of a region.")
    cursor: str = Field("", description="Where a page begins; take it from `next`.")


class Listed(Filter):
    """A page of the queue."""

    limit: int = Field(50, ge=1, le=LONGEST_PAGE, description="Entries on one page.")


class ReasonOut(BaseModel):
    """One part of a score."""

    points: float
    words: str


_FILE = "https://commons.wikimedia.org/entity/M103381688"
_ENTRY: dict[str, Any] = {
    "target": "3f6c0c1e2d9b4a7f8e5d6c7b",
    "kind": "label",
    "file": _FILE,
    "campaign": "tag-the-species",
    "concept": "Q158603",
    "score": 55.0,
    "reasons": [
        {"points": 40.0, "words": "people disagree: 2 for, 2 against"},
        {"points": 15.0, "words": "uncertain: 50 %"},
    ],
    "reviewers": 1,
    "disputed": False,
}


def _shown(example: dict[str, Any]) -> ConfigDict:
    """Return what lets OpenAPI show an example."""
    return ConfigDict(json_schema_extra={"example": example})


class EntryOut(BaseModel):
    """Something that is open."""

    model_config = _shown(_ENTRY)

    target: str = Field(description="Id of the label or identification.")
    kind: str
    file: str
    campaign: str
    concept: str = Field(description="What it says: a Q-item, or `gbif:KEY`; empty for “unknown”.")
    score: float
    reasons: list[ReasonOut]
    reviewers: int = Field(description="How many are asked for.")
    disputed: bool


class QueueOut(BaseModel):
    """A page of the queue, the weightiest first."""

    model_config = _shown({"items": [_ENTRY], "next": "Wy01NS4wLCIzZjZjIl0"})

    items: list[EntryOut]
    next: str = Field(description="Cursor of the next page; empty on the last.")


class CandidateOut(BaseModel):
    """A taxon that the picture may show, with who says so."""

    concept: str
    name: str
    rank: str
    said: list[str]
    references: list[str] = Field(description="Other files on which it is accepted.")


class HandedOut(EntryOut):
    """What was handed out, with what must be known to judge it."""

    model_config = _shown(
        _ENTRY
        | {
            "seen": "8a1d3b5c7e9f8a1d3b5c7e9f",
            "candidates": [
                {
                    "concept": "Q158603",
                    "name": "Vanessa cardui",
                    "rank": "species",
                    "said": ["2 of 4 people", "papillotten 1"],
                    "references": ["https://commons.wikimedia.org/entity/M103381700"],
                }
            ],
        }
    )

    seen: str = Field(description="Send it back with the verdict: it says what you saw.")
    candidates: list[CandidateOut]


class VerdictIn(BaseModel):
    """A verdict."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "target": "3f6c0c1e2d9b4a7f8e5d6c7b",
                "verdict": "correct",
                "correction": "Q158603",
                "comment": "The eyespots are on the hindwing.",
                "key": "b0d7f2c4",
                "seen": "8a1d3b5c7e9f",
            }
        },
    )

    target: str = Field(description="Id of the label or identification.")
    verdict: Verdict
    key: str = Field(
        min_length=1,
        max_length=LONGEST_KEY,
        description="Drawn by you for this verdict; sent again, it is the same verdict.",
    )
    seen: str = Field("", description="`seen` of what was handed out; empty: whatever it is now.")
    correction: str = Field("", description="For `correct`: Q-item, `gbif:KEY`, or a whole name that names one taxon.")
    comment: str = Field("", max_length=LONGEST_COMMENT)
    decides: bool = Field(False, description="For curators: this settles what reviewers disagree about.")


class ReviewOut(BaseModel):
    """A verdict as it was written."""

    model_config = _shown(
        {
            "id": "c3d1a0f8b7e6d5c4b3a29180",
            "target": "3f6c0c1e2d9b4a7f8e5d6c7b",
            "kind": "label",
            "file": _FILE,
            "concept": "Q154827",
            "campaign": "tag-the-species",
            "verdict": "correct",
            "correction": "Q158603",
            "comment": "The eyespots are on the hindwing.",
            "agent": "urn:deboodt:person:4ab7728e4a57ce35",
            "moment": "2026-11-02T10:00:00Z",
            "seen": "8a1d3b5c7e9f8a1d3b5c7e9f",
            "decides": False,
            "undone": "",
        }
    )

    id: str
    target: str
    kind: str
    file: str
    concept: str
    campaign: str
    verdict: str
    correction: str
    comment: str
    agent: str
    moment: str
    seen: str
    decides: bool
    undone: str = Field(description="When it was taken back; empty while it stands.")


class SuggestionOut(BaseModel):
    """A taxon to choose."""

    model_config = _shown(
        {
            "concept": "Q158603",
            "name": "Vanessa cardui",
            "rank": "species",
            "matched": "distelvlinder",
            "language": "nl",
        }
    )

    concept: str = Field(description="Empty for one that is only in the name index: send its name.")
    name: str
    rank: str
    matched: str = Field(description="The name that begins so, where it is another.")
    language: str


class AcceptedOut(BaseModel):
    """A taxon that people accept of a file."""

    model_config = _shown(
        {
            "file": _FILE,
            "concept": "Q158603",
            "campaign": "tag-the-species",
            "by": ["urn:deboodt:person:4ab7728e4a57ce35"],
            "since": "2026-11-02T10:00:00Z",
            "reviews": ["c3d1a0f8b7e6d5c4b3a29180"],
        }
    )

    file: str
    concept: str
    campaign: str
    by: list[str] = Field(description="Agents, pseudonyms unless they chose to be named.")
    since: str
    reviews: list[str]
