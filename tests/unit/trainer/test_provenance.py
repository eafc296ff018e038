import hashlib

from trainer.versions import provenance


def test_the_lock_is_named_by_its_hash(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("numpy==2.5.5\n")
    expected = hashlib.sha256(b"numpy==2.5.5\n").hexdigest()
    assert provenance.code("abc", lock) == {"git_commit": "abc", "lock_sha256": expected}


def test_a_lock_that_is_not_there_is_unknown(tmp_path):
    assert provenance.code("abc", tmp_path / "none")["lock_sha256"] == "unknown"


def test_the_machine_is_named_by_its_cpu():
    assert provenance.machine(1)["threads"] == 1
    assert provenance.machine(1)["cpu"]


def test_the_libraries_have_versions():
    assert set(provenance.libraries()) == {
        "python",
        "numpy",
        "scipy",
        "numba",
        "implicit",
        "scikit-surprise",
    }
