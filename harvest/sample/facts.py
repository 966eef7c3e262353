"""What is true about the species of the painted sample. In: nothing. Out: ``SPECIES``, constants only.

Plates are painted and the crowd is simulated, but names, Wikidata items and GBIF keys are real; each has a source.
Name, item, key of a species: tagged plates of the Biodiversity Heritage Library on Commons (P225, P180, P846; CC0).
Keys of its ancestors: GBIF's parent chains of those keys; the name of a genus is the first word of the species name.
Authorship of *Vanessa cardui* and key of its synonym: GBIF's backbone; synonyms, Dutch name: the project's brief.
A field nobody gave us (another authorship, a COL id, a genus's item) is empty and is not guessed.
"""

from dataclasses import dataclass

from linkeddata.records import Ancestor

ROOT = (
    Ancestor("kingdom", "Animalia", "1"),
    Ancestor("phylum", "Arthropoda", "54"),
    Ancestor("class", "Insecta", "216"),
    Ancestor("order", "Lepidoptera", "797"),
)
"""What all butterflies share, from the root down."""

FAMILY_KEYS = {"Papilionidae": "9417", "Pieridae": "5481", "Nymphalidae": "7017"}
"""GBIF keys of the families."""

GENUS_KEYS = {
    "Papilio": "10175914",
    "Ornithoptera": "1937440",
    "Graphium": "1937188",
    "Parnassius": "1938238",
    "Delias": "1919351",
    "Colotis": "1920346",
    "Danaus": "5133087",
    "Vanessa": "1898261",
    "Euploea": "1916794",
    "Charaxes": "7236053",
    "Kallima": "1909588",
}
"""GBIF keys of the genera."""

ITEMS_ABOVE = {"Animalia": "Q729", "Insecta": "Q1390"}
"""Wikidata items of higher taxa, as far as we have a source."""

SYNONYM_KEYS = {"Cynthia cardui": "5129588"}
"""GBIF keys of synonyms, as far as we have a source."""


@dataclass(frozen=True, slots=True)
class Species:
    """One species of the sample; fields without a source are empty."""

    name: str
    item: str
    gbif_key: str
    family: str
    genus: str
    lineage: tuple[Ancestor, ...]  # ancestors from the root down, the species itself not included
    rank: str = "species"
    authorship: str = ""
    vernaculars: tuple[tuple[str, str], ...] = ()  # (language, name)
    synonyms: tuple[str, ...] = ()  # verbatim, with or without authorship


def _species(
    family: str,
    name: str,
    item: str,
    gbif_key: str,
    *,
    authorship: str = "",
    vernaculars: tuple[tuple[str, str], ...] = (),
    synonyms: tuple[str, ...] = (),
) -> Species:
    genus = name.split()[0]
    above = (Ancestor("family", family, FAMILY_KEYS[family]), Ancestor("genus", genus, GENUS_KEYS[genus]))
    return Species(
        name=name,
        item=item,
        gbif_key=gbif_key,
        family=family,
        genus=genus,
        lineage=ROOT + above,
        authorship=authorship,
        vernaculars=vernaculars,
        synonyms=synonyms,
    )


SPECIES: tuple[Species, ...] = (
    _species("Papilionidae", "Papilio paris", "Q977492", "1937911"),
    _species("Papilionidae", "Papilio helenus", "Q669913", "1938114"),
    _species("Papilionidae", "Papilio demodocus", "Q133397", "1938125"),
    _species("Papilionidae", "Ornithoptera priamus", "Q148013", "1937444", synonyms=("Troides priamus",)),
    _species("Papilionidae", "Graphium codrus", "Q5597252", "5141209"),
    _species("Papilionidae", "Parnassius smintheus", "Q512968", "1938975"),
    _species("Pieridae", "Delias hyparete", "Q1768663", "1919589"),
    _species("Pieridae", "Delias berinda", "Q1354616", "1919524"),
    _species("Pieridae", "Colotis euippe", "Q1346404", "1920370"),
    _species("Nymphalidae", "Danaus chrysippus", "Q2663244", "5133089"),
    _species(
        "Nymphalidae",
        "Vanessa cardui",
        "Q158603",
        "4299368",
        authorship="(Linnaeus, 1758)",
        vernaculars=(("nl", "distelvlinder"),),
        synonyms=("Papilio cardui Linnaeus, 1758", "Cynthia cardui"),
    ),
    _species("Nymphalidae", "Euploea albicosta", "Q1374605", "5137137"),
    _species("Nymphalidae", "Charaxes brutus", "Q1235599", "5128597"),
    _species("Nymphalidae", "Kallima inachus", "Q708571", "1909607"),
)
"""The fourteen species of the sample, family by family."""

BY_NAME: dict[str, Species] = {species.name: species for species in SPECIES}
"""The same by scientific name."""
