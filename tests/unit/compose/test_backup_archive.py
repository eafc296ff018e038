"""A folder as a tar file and back: whoever made it writes nothing outside of the folder."""

import io
import tarfile
from pathlib import Path

import pytest

from compose.backup.archive import unpack
from compose.backup.errors import DamagedError


def archive_of(folder: Path, *members: tarfile.TarInfo) -> Path:
    archive = folder / "hostile.tar"
    with tarfile.open(archive, "w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return archive


def member(name: str, kind: bytes = tarfile.REGTYPE, linkname: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, linkname
    made.size = 1 if kind == tarfile.REGTYPE else 0
    return made


@pytest.mark.parametrize(
    "members",
    [
        [member("../outside")],
        [member("a/../../outside")],
        [member("link", tarfile.SYMTYPE, "/etc/passwd")],
        [member("link", tarfile.SYMTYPE, "../outside")],
        [member("link", tarfile.SYMTYPE, ".."), member("link/outside")],
        [member("link", tarfile.LNKTYPE, "../outside")],
        [member("disk", tarfile.BLKTYPE)],
        [member("terminal", tarfile.CHRTYPE)],
        [member("pipe", tarfile.FIFOTYPE)],
    ],
    ids=lambda members: members[0].name + str(members[0].type),
)
def test_what_leads_outside_or_is_no_file_is_refused_in_one_line(tmp_path, members):
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "outside").write_text("as it was")
    with pytest.raises(DamagedError, match=r"hostile\.tar") as refused:
        unpack(archive_of(tmp_path, *members), target)
    assert "\n" not in str(refused.value)
    assert (tmp_path / "outside").read_text() == "as it was"
    assert list(target.iterdir()) == []


def test_an_absolute_name_is_taken_for_one_below_the_folder(tmp_path):
    unpack(archive_of(tmp_path, member("/etc/name")), tmp_path / "target")
    assert (tmp_path / "target/etc/name").read_text() == "x"


def test_what_is_no_archive_is_refused_in_one_line(tmp_path):
    (tmp_path / "no.tar").write_text("not one")
    with pytest.raises(DamagedError, match=r"no\.tar"):
        unpack(tmp_path / "no.tar", tmp_path)
