"""One meaning for each line of `.env`: the scripts read it as Compose does, or refuse it."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

CHECKOUT = Path(__file__).parents[3]

READ_LINES = r"""
source compose/up/say.sh; source compose/up/env_file.sh
while IFS= read -r -d '' line; do
  name='' value=''
  if parse_env_line "$line"; then how=read; else how=refused; fi
  printf '%s\0%s\0%s\0' "$how" "$name" "$value"
done
"""
QUOTE_VALUES = r"""
source compose/up/say.sh; source compose/up/env_file.sh
while IFS= read -r -d '' value; do quoted "$value"; printf '\0'; done
"""


def bash(script: str, given: Sequence[str] = ()) -> list[str]:
    """What a script prints, given texts on its standard input; both separated by NUL."""
    texts = "".join(f"{text}\0" for text in given)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=CHECKOUT,
        input=texts.encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().split("\0")[:-1]


def read_by_scripts(lines: Sequence[str]) -> list[tuple[str, str] | None]:
    """Name and value of each line as `make up` reads it; None where it is refused."""
    told = iter(bash(READ_LINES, lines))
    found = zip(told, told, told, strict=True)
    return [(name, value) if how == "read" else None for how, name, value in found]


def read_by_compose(folder: Path, env: bytes, names: Sequence[str]) -> dict[str, str]:
    """What Compose puts in place of each of these names, with this `.env`."""
    (folder / ".env").write_bytes(env)
    shown = {name: f"${{{name}-never set}}" for name in names}
    services = {"services": {"one": {"image": "none", "environment": shown}}}
    (folder / "compose.json").write_text(json.dumps(services))
    done = subprocess.run(
        ["docker", "compose", "--file", "compose.json", "config", "--format", "json"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["services"]["one"]["environment"]
    return {
        name: value.replace("$$", "$") for name, value in found.items()
    }  # as `config` writes it


SPELLINGS = [
    ("NAME=value", "value"),
    ("NAME=two words", "two words"),
    ("NAME=", ""),
    ("NAME=''", ""),
    ("NAME='value'", "value"),
    ('NAME="value"', "value"),
    ("NAME='$ConnectionString'", "$ConnectionString"),
    ('NAME="o\'neil"', "o'neil"),
    ("NAME='o\\'neil'", "o'neil"),
    ("NAME=o'neil", "o'neil"),
    ('NAME="\\$a \\"b\\" \\\\"', '$a "b" \\'),
    ("NAME='a#b'", "a#b"),
    ("NAME=a#b", "a#b"),
    ("NAME=value  # why", "value"),
    ("NAME='value' # why", "value"),
    ("  export NAME=value  ", "value"),
    ("NAME=value\r", "value"),
    ("NAME=a=b", "a=b"),
    ("NAME=0 3 * * *", "0 3 * * *"),
    ("NAME='häuser'", "häuser"),
]


@pytest.mark.parametrize(("line", "value"), SPELLINGS, ids=[line for line, _ in SPELLINGS])
def test_what_people_write_is_read_as_compose_reads_it(line, value, tmp_path):
    assert read_by_scripts([line]) == [("NAME", value)]
    assert read_by_compose(tmp_path, f"{line}\n".encode(), ["NAME"]) == {"NAME": value}


@pytest.mark.parametrize(
    "line",
    [
        "NAME=$OTHER",
        'NAME="$OTHER"',
        'NAME="two\\nlines"',
        "NAME='begun",
        'NAME="begun',
        "NAME='a'b",
        "NAME: value",
        "NAME",
        "NA-ME=value",
        "=value",
        "NAME=a\tb",
        "NAME='\x1b[0m'",
        "NAME=häuser\N{NO-BREAK SPACE}",
    ],
)
def test_what_would_have_two_meanings_is_refused(line):
    assert read_by_scripts([line]) == [None]


@pytest.mark.parametrize("line", ["", "   ", "# NAME=value", "  # why", "\r"])
def test_what_sets_nothing_is_passed_over(line):
    assert read_by_scripts([line]) == [("", "")]


HOSTILE = st.text(st.sampled_from("ab \t#$'\"\\`={}:&!~*%né\u00a0\r"), max_size=8)
LINES = st.tuples(
    st.sampled_from(["", " ", "export ", "\t", "#", " export\t"]),
    st.sampled_from(["=", " = ", "= ", ":", ""]),
    st.one_of(HOSTILE, HOSTILE.map("'{}'".format), HOSTILE.map('"{}"'.format)),
    st.sampled_from(["", " ", " # c", "#c", "\t#c", "\r"]),
)


@given(st.lists(LINES, min_size=40, max_size=80))
@settings(max_examples=8, phases=[Phase.generate])  # each asks Compose, of many lines at once
def test_a_line_is_read_as_compose_reads_it_or_refused(tmp_path_factory, parts):
    lines = [f"{a}N{i}{b}{c}{d}" for i, (a, b, c, d) in enumerate(parts)]
    accepted = [(line, got) for line, got in zip(lines, read_by_scripts(lines), strict=True) if got]
    ours = dict(got for _, got in accepted if got[0])
    file = "".join(f"{line}\n" for line, _ in accepted).encode()
    names = {f"N{i}" for i in range(len(lines))} | ours.keys()  # "N4", "" and "n=a" name N4n
    theirs = read_by_compose(tmp_path_factory.mktemp("env"), file, sorted(names))
    assert ours == {name: value for name, value in theirs.items() if value != "never set"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"])), min_size=30, max_size=60))
@settings(max_examples=8, phases=[Phase.generate])
def test_every_value_that_is_written_comes_back_from_both(tmp_path_factory, values):
    lines = [f"N{i}={text}" for i, text in enumerate(bash(QUOTE_VALUES, values))]
    expected = {f"N{i}": value for i, value in enumerate(values)}
    assert dict(filter(None, read_by_scripts(lines))) == expected
    folder = tmp_path_factory.mktemp("env")
    assert read_by_compose(folder, "\n".join(lines).encode(), list(expected)) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"A=1\nB=$A\n", "line 2"),
        (b"A=1\n\n# c\nhallo\n", "line 4"),
        ("A=1\n".encode("utf-16-le"), "zero bytes"),
    ],
)
def test_a_file_is_refused_by_line(tmp_path, text, told):
    (tmp_path / "env").write_bytes(text)
    script = 'source compose/up/say.sh; source compose/up/env_file.sh; read_env_file "$0"'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script, tmp_path / "env"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert told in re.sub(r"\s+", " ", done.stderr)
