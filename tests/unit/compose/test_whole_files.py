"""Files that are whole at any moment, whatever lies where they are written."""

import pytest

from compose.service.whole_files import remove, write_whole


@pytest.mark.parametrize("kind", ["file", "folder", "link", "link to a folder", "nothing"])
def test_whatever_is_there_is_taken_away(tmp_path, kind):
    path, other = tmp_path / "path", tmp_path / "other"
    other.mkdir()
    (other / "kept").touch()
    match kind:
        case "file":
            path.touch()
        case "folder":
            (path / "sub").mkdir(parents=True)
        case "link":
            path.symlink_to("nowhere")
        case "link to a folder":
            path.symlink_to(other)

    remove(path)

    assert [left.name for left in tmp_path.iterdir()] == ["other"]
    assert (other / "kept").exists()


def test_a_folder_where_it_is_written_is_in_nobody_s_way(tmp_path):
    (tmp_path / ".tmp-blue.json").mkdir()
    write_whole(tmp_path / "blue.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["blue.json"]
