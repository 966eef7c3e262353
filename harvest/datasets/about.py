"""What a dataset is about and where it came from, for those who find it. In: nothing. Out: a record, and its words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is told of a dataset beside its rows. What nobody has said is empty, and the descriptions leave it out."""

    title: str
    description: str = ""
    name: str = ""
    """Of the query, or the id of the campaign."""
    query: str = ""
    """The SPARQL that was asked, with its parameters in it; empty for a campaign."""
    endpoint: str = ""
    """Whom it was put to: an address, or the name of a file of saved results."""
    table: str = ""
    """The name of the table of pictures that it was made from."""
    fresh: str = ""
    """Moment up to which the endpoint knew its wiki."""
    dated: str = ""
    """The newest moment among what it was made of."""
    publisher: str = ""
    publisher_iri: str = ""
    licence: str = ""
    """IRI of the licence of labels and tables; the images have their own."""
    address: str = ""
    """IRI at which it is published."""
    checklist: str = ""
    """What the checklist is called that coverage is counted against."""
    people: tuple[str, ...] = ()
    """Who said what is on the images, as they want to be named; whoever chose no name is a pseudonym, and not here."""
    simulated: bool = False

    @property
    def origin(self) -> str:
        """One sentence that says where it came from.

        >>> About(title="Birds", name="plates-of-taxon", query="SELECT", endpoint="https://qlever.dev/api/x").origin
        'What the query plates-of-taxon found at https://qlever.dev/api/x.'
        >>> About(title="Birds", name="tag-the-birds").origin
        'The files and labels of the campaign tag-the-birds.'
        >>> About(title="Birds", name="labels", table="labels.tsv").origin
        'The pictures and labels of the table labels.tsv.'
        """
        if self.table:
            return f"The pictures and labels of the table {self.table}."
        if not self.endpoint:
            return f"The files and labels of the campaign {self.name}."
        state = f", as of {self.fresh}" if self.fresh else ""
        asked = f"What the query {self.name} found" if self.query else f"What is in the saved results {self.name}"
        return f"{asked} at {self.endpoint}{state}." if self.query else f"{asked}{state}."
