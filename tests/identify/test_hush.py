"""Libraries are silenced, their troubles are not."""

import os

import pytest

from identify.hush import hushed


def test_what_goes_well_is_not_heard(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed():
        os.write(2, b"greetings\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_what_goes_wrong_is(capfd: pytest.CaptureFixture[str]) -> None:
    def trouble() -> None:
        with hushed():
            os.write(2, b"why\n")
            raise ValueError("trouble")

    with pytest.raises(ValueError, match="trouble"):
        trouble()
    assert capfd.readouterr().err == "why\n"
