"""How long it takes until De Boodt says something: the command's help, and the API process until it is built."""

import sys
import tempfile
from pathlib import Path

from benchmarks._figure import as_installed, command_seconds, figure


def main() -> None:
    """Print the start-up figures beside a bare interpreter, in the same run."""
    bare = command_seconds([sys.executable, "-c", "pass"])
    command = str(Path(sys.executable).parent / "deboodt")
    with tempfile.TemporaryDirectory() as home:
        env = as_installed(Path(home) / "bytecode")
        figure(
            "deboodt --help",
            command_seconds([command, "--help"], env=env),
            "s",
            beside="python -c pass",
            beside_value=bare,
            at_most=0.5,
        )
        code = (
            "from identify.app import create_app; from linkeddata.settings import Settings; "
            f"create_app(Settings(home={home!r}))"
        )
        started = command_seconds([sys.executable, "-c", code], runs=5, env=env)
    figure("API built, store empty but there", started, "s", beside="python -c pass", beside_value=bare, at_most=2.0)


if __name__ == "__main__":
    main()
