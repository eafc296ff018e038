"""What a caller sends is unpacked inside its folder or refused; nothing of it leads out."""

import io
import tarfile

import pytest

from ci.helper.tree import TreeError, packed, unpack


def archive(*entries):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tree:
        for entry in entries:
            tree.addfile(entry, io.BytesIO(b"x" * entry.size))
    whole.seek(0)
    return whole


def entry(name, kind=tarfile.REGTYPE, link=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    made.size = 1 if kind == tarfile.REGTYPE else 0
    return made


def test_a_tree_is_unpacked(tmp_path):
    unpack(archive(entry("folder/file")), tmp_path)
    assert (tmp_path / "folder/file").read_text() == "x"


@pytest.mark.parametrize(
    "hostile",
    [
        entry("../outside"),
        entry("link", tarfile.SYMTYPE, "/etc/passwd"),
        entry("link", tarfile.SYMTYPE, "../../outside"),
        entry("hard", tarfile.LNKTYPE, "../outside"),
        entry("device", tarfile.CHRTYPE),
    ],
    ids=["a way up", "a link out", "a relative link out", "a hard link out", "a device"],
)
def test_what_leads_out_is_refused(tmp_path, hostile):
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(TreeError, match="cannot be unpacked"):
        unpack(archive(hostile), inside)
    assert list(tmp_path.iterdir()) == [inside]


def test_an_absolute_name_stays_inside(tmp_path):
    unpack(archive(entry("/etc/of-nobody")), tmp_path)
    assert (tmp_path / "etc/of-nobody").exists()


@pytest.mark.parametrize("sent", [b"", b"no archive", b"\x1f\x8b\x08\x00"])
def test_what_is_no_archive_is_refused(tmp_path, sent):
    with pytest.raises(TreeError):
        unpack(io.BytesIO(sent), tmp_path)


def test_only_plain_files_are_packed(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    names = ("file", "link", "folder", "none")
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path, names))) as back:
        assert back.getnames() == ["file"]
