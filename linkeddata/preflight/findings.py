"""What a check finds. In: nothing. Out: the record, and how it is printed."""

from dataclasses import dataclass

FAULT, NOTE = "fault", "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a reader would stumble over: which check found it, where, what it is, and how to mend it."""

    check: str
    where: str
    trouble: str
    mend: str = ""
    level: str = FAULT
    """``fault``, or ``note`` for what nobody demands."""

    def line(self) -> str:
        """Return it for people.

        >>> Finding("links", "https://d.example/x", "answers 404", "write it again").line()
        'fault  links         https://d.example/x\\n       answers 404\\n       → write it again'
        """
        rest = "".join(f"\n       {text}" for text in (self.trouble, self.mend and f"→ {self.mend}") if text)
        return f"{self.level:<6} {self.check:<13} {self.where}{rest}"
