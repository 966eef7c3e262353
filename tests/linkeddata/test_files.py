"""Files that are whole or not there, whatever becomes of the process that writes them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from linkeddata.files import replaced


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), replaced(path) as out:
        out.writelines([b"half of the n", "no bytes"])  # type: ignore[list-item]
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_killed_writer_leaves_the_old_file_and_the_next_leaves_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = (
        "import sys, time; from pathlib import Path; from linkeddata.files import replaced\n"
        "with replaced(Path(sys.argv[1])) as out:\n"
        "    out.write(b'half'); out.flush(); print('half', flush=True); time.sleep(60)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"half\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    assert path.read_text() == "old"
    with replaced(path) as out:
        out.write(b"new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
