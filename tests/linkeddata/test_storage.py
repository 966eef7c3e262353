"""Where files are kept: a folder, and an object store that speaks S3 over loopback."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkeddata.errors import SettingsError, StoreError
from linkeddata.storage import FolderStorage, Storage, open_storage, stored_file


@pytest.fixture(params=["folder", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return open_storage(tmp_path / "kept")
    if request.param == "memory":
        return open_storage(f"memory://{tmp_path.name}/kept")
    return open_storage(f"{request.getfixturevalue('bucket')}/{tmp_path.name}")


def _draft(folder: Path, data: bytes) -> Path:
    path = folder / "draft"
    path.write_bytes(data)
    return path


def test_what_is_kept_is_found_and_read(storage: Storage) -> None:
    with storage.drafts() as folder:
        storage.keep("ab/abc.png", _draft(folder, b"one"))
        assert not (folder / "draft").exists()
        storage.write("ab/abc-960px.json", b"{}")
    storage.settle()
    assert storage.find("ab/abc", [".jpg", ".png"]) == storage.find("ab/abc", [".png", ".jpg"]) == "ab/abc.png"
    assert storage.read("ab/abc.png") == b"one"
    assert storage.read("ab/abc-960px.json") == b"{}"


def test_what_is_not_there_is_not_found(storage: Storage) -> None:
    assert storage.find("ab/abc", [".jpg", ".png"]) == ""
    with pytest.raises(FileNotFoundError):
        storage.read("ab/abc.png")


def test_the_last_one_stays(storage: Storage) -> None:
    with storage.drafts() as folder:
        for data in (b"one", b"two"):
            storage.keep("a/a.png", _draft(folder, data))
            storage.write("a/a.json", data)
    assert storage.read("a/a.png") == storage.read("a/a.json") == b"two"


def test_only_a_folder_is_on_this_machine(storage: Storage) -> None:
    with storage.drafts() as folder:
        storage.keep("a/a.png", _draft(folder, b"one"))
        assert folder.is_dir()
    assert not folder.exists()
    local = storage.local("a/a.png")
    assert (local.read_bytes() if local else None) == (b"one" if isinstance(storage, FolderStorage) else None)


def test_a_draft_of_another_file_system_is_copied(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")  # noqa: S108
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system here")
    draft = elsewhere / f"deboodt-{os.getpid()}"
    draft.write_bytes(b"one")
    FolderStorage(tmp_path).keep("a/a.png", draft)
    assert (tmp_path / "a" / "a.png").read_bytes() == b"one"
    assert not draft.exists()


def test_what_a_killed_process_left_is_taken_away_and_what_another_makes_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, time; from linkeddata.storage import open_storage\n"
        "with open_storage(sys.argv[1]).drafts() as folder:\n"
        "    (folder / 'half').write_bytes(b'half'); print('ready', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with open_storage(tmp_path).drafts():
            assert len(list(tmp_path.glob(".incoming-*/half"))) == 1
        other.send_signal(signal.SIGKILL)
        other.wait()
    with open_storage(tmp_path).drafts() as folder:
        assert list(tmp_path.glob(".incoming-*")) == [folder]


def test_a_kind_of_place_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SettingsError, match="nosuch://bucket"):
        open_storage("nosuch://bucket")


def test_a_bucket_that_is_not_there_is_trouble_with_the_place(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="s3://nobodys"):
        open_storage("s3://nobodys").keep("a/a.png", _draft(tmp_path, b"one"))


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "plate.jpg").write_bytes(b"plate")
    stored = stored_file(tmp_path / "plate.jpg", sha1="ab")
    assert (stored.read_bytes(), stored.local, stored.suffix) == (b"plate", tmp_path / "plate.jpg", ".jpg")
    assert list(_names(open_storage(f"file://{tmp_path}"))) == ["plate.jpg"]


def _names(storage: Storage) -> Iterator[str]:
    yield storage.find("plate", [".png", ".jpg"])
