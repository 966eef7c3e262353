"""Our own words for what readers demand of profiles: nothing against what we say, and every planted fault is found."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from linkeddata import serialising
from linkeddata.nodes import Document
from linkeddata.preflight import musts, profilemusts
from linkeddata.preflight.findings import FAULT, NOTE
from linkeddata.profiles import PROFILES
from linkeddata.profiles.files import FILES
from linkeddata.profiles.verdicts import REVIEWS
from tests.linkeddata.test_profiles import BASE, FILE, FULL, JUDGED, SAID


def found(profile: str, doc: Document, level: str = FAULT) -> list[str]:
    """Return what the demands of a profile have against a document, with the address it would have."""
    triples = musts.triples_of(serialising.serialised(doc, "application/n-triples", BASE))
    return [one.trouble for one in profilemusts.against(profile, doc, triples, "urn:x") if one.level == level]


@pytest.mark.parametrize("state", SAID)
@pytest.mark.parametrize("name", PROFILES)
def test_nothing_is_wrong_with_what_we_say(name: str, state: str) -> None:
    assert found(name, PROFILES[name].document(SAID[state])) == []


def test_nor_with_files_and_reviews() -> None:
    assert [found(name, made(FILE)) for name, made in FILES.items()] == [[]] * len(FILES)
    assert [found(name, made(JUDGED)) for name, made in REVIEWS.items()] == [[]] * len(REVIEWS)


def test_what_is_merely_better_is_a_note() -> None:
    assert any("Handle" in one for one in found("opends", PROFILES["opends"].document(SAID["bare"]), NOTE))
    assert any("MediaObject" in one for one in found("schema", PROFILES["schema"].document(SAID["unlicensed"]), NOTE))


Spoil = Callable[[Document], Any]


@pytest.mark.parametrize(
    ("name", "spoil", "trouble"),
    [
        ("anno", lambda doc: doc.update(target=""), "has a target"),
        ("anno", lambda doc: doc.update(created="2026-11-02"), "no moment in UTC"),
        ("anno", lambda doc: doc["target"].pop("source"), "exactly one source"),
        ("anno", lambda doc: doc["target"]["selector"].pop("value"), "exactly one value"),
        ("anno", lambda doc: doc.update(body={"id": "urn:b", "type": "TextualBody"}), "exactly one value"),
        ("schema", lambda doc: doc.update(name={"@none": "plate"}), "a CreativeWork has a name"),
        ("schema", lambda doc: doc.update(name={"en": ["a", "b"]}), "one name a language"),
        ("schema", lambda doc: doc.pop("sdDatePublished"), "sdDatePublished"),
        ("schema", lambda doc: doc.update(sdDatePublished="2026-11-02T10:00:00.123Z"), "sdDatePublished"),
        ("schema", lambda doc: doc.update(type="Dataset"), "no CreativeWork"),
        ("schema", lambda doc: doc["about"].pop("name"), "a DefinedTerm has a name"),
        ("schema", lambda doc: doc["about"].pop("type"), "is a DefinedTerm"),
        ("schema", lambda doc: doc["associatedMedia"][0].pop("license"), "has a license"),
        ("schema", lambda doc: doc["associatedMedia"][0].pop("thumbnailUrl"), "thumbnailUrl"),
        ("schema", lambda doc: doc["creator"].pop("name"), "a creator has a name"),
        ("schema", lambda doc: doc.pop("isPartOf"), "isPartOf"),
        ("opends", lambda doc: doc.update({"@id": "https://example.org/1"}), "are a Handle"),
        ("opends", lambda doc: doc.update({"oa:motivation": "oa:tagging"}), "oa:motivation"),
        ("opends", lambda doc: doc.update({"oa:motivation": "oa:commenting"}), "is merged"),
        ("opends", lambda doc: doc.update({"ods:mergingDecisionStatus": "Perhaps"}), "Pending"),
        ("opends", lambda doc: doc.pop("dcterms:issued"), "dcterms:issued"),
        ("opends", lambda doc: doc["oa:hasTarget"].pop("ods:fdoType"), "oa:hasTarget"),
        ("opends", lambda doc: doc["oa:hasBody"].update({"oa:value": "text"}), "list of texts"),
        ("opends", lambda doc: doc["oa:hasBody"].update({"ods:score": 2}), "ods:score"),
        ("opends", lambda doc: doc["dcterms:creator"].pop("@type"), "dcterms:creator"),
        ("linked-art", lambda doc: doc.pop("_label"), "_label"),
        ("linked-art", lambda doc: doc.update(type="Image"), "no class"),
        ("linked-art", lambda doc: doc["attributed_by"][0].pop("assigned_property"), "which property"),
        ("linked-art", lambda doc: doc["attributed_by"][0]["timespan"].pop("end_of_the_end"), "beginning and an end"),
        ("linked-art", lambda doc: doc["attributed_by"][0].pop("assigned"), "which property"),
        ("linked-art", lambda doc: doc["attributed_by"][0].pop("_complete"), "_complete: false"),
        ("linked-art", lambda doc: doc["attributed_by"][0]["assigned"][0].update(content="x"), "assigned holds"),
        ("linked-art", lambda doc: doc["attributed_by"][0].update(used_specific_object=[]), "has no used_specific"),
        ("linked-art", lambda doc: doc.update(attributed_by=doc["attributed_by"][0]), "attributed_by is a list"),
        ("linked-art", lambda doc: doc["subject_of"][0].pop("digitally_carried_by"), "has an access_point"),
        ("dwc", lambda doc: doc.update(certainty=0.5), "no term"),
        ("dwc", lambda doc: doc.update(dateIdentified="yesterday"), "ISO 8601"),
        ("dwc", lambda doc: doc.pop("identificationID"), "identificationID"),
        ("dwc", lambda doc: doc.pop("scientificName"), "scientificName"),
        ("dwc", lambda doc: doc.update(taxonID="4299368"), "taxonID is an IRI"),
    ],
)
def test_what_is_wrong_is_found(name: str, spoil: Spoil, trouble: str) -> None:
    doc = deepcopy(PROFILES[name].document(FULL))
    spoil(doc)
    assert any(trouble in one for one in found(name, doc)), found(name, doc)
