"""What `make up` remembers of its settings, in a fresh clone and in an `.env` edited by hand."""

import re

import pytest

from tests.unit.compose.shell import CHECKOUT, bash
from tests.unit.compose.test_compose_settings import defaults

READ = """
source compose/up/say.sh; source compose/up/settings.sh;
read_settings
"""


def remembered(tmp_path, **given):
    """What `.env` says after a `make up` with these settings."""
    return made(tmp_path, "write_settings", **given).read_text()


def made(tmp_path, then, **given):
    file = tmp_path / "env"
    done = bash(f"{READ}{then}", environment={"MARQUEE_ENV_FILE": str(file), **given})
    assert done.returncode == 0, done.stderr
    return file


def refused(tmp_path, **given):
    done = bash(READ, environment={"MARQUEE_ENV_FILE": str(tmp_path / "env"), **given})
    assert done.returncode == 1
    return done.stderr


def test_a_fresh_clone_takes_settings(tmp_path):
    env = remembered(tmp_path, SIMULATOR="off", KAFKA_SERVERS="broker.example:9092")
    assert "SIMULATOR='off'\n" in env
    assert "KAFKA_SERVERS='broker.example:9092'\n" in env
    assert "RATING_STEP='1'\n" in env


def test_what_fits_simulated_people_is_forgotten_with_them(tmp_path):
    assert "RATING_STEP='0.5'\n" in remembered(tmp_path)
    assert "RATING_STEP='1'\n" in remembered(tmp_path, SIMULATOR="off")


def test_only_looking_changes_no_file(tmp_path):
    remembered(tmp_path)
    before = (tmp_path / "env").read_bytes()
    made(tmp_path, "true", SIMULATOR="off")
    assert (tmp_path / "env").read_bytes() == before


def test_a_second_time_remembers_the_same(tmp_path):
    first = remembered(tmp_path, KAFKA_USER='a "b" \\$c\'', PIN_TAGS_TO="$x")
    assert remembered(tmp_path) == first


def test_what_is_given_beats_what_is_remembered(tmp_path):
    remembered(tmp_path, RATE="7")
    assert "RATE='8'\n" in remembered(tmp_path, RATE="8")
    assert "RATE='8'\n" in remembered(tmp_path)


def test_an_empty_value_is_the_default_as_for_compose(tmp_path):
    assert "NGINX_PORT='8082'\n" in remembered(tmp_path, NGINX_PORT="")


def test_what_somebody_else_wrote_stays(tmp_path):
    (tmp_path / "env").write_text("# mine\nOWN='x y'\nRATE=7\n")
    env = remembered(tmp_path)
    assert env.endswith("# mine\nOWN='x y'\n")
    assert env.count("RATE=") == 1
    assert remembered(tmp_path) == env


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"SIMULATOR": "maybe"}, "SIMULATOR is 'maybe'"),
        ({"KAFKA_USER": "two\nlines"}, "KAFKA_USER is $'two\\nlines'"),
        ({"COMPOSE_PROJECT_NAME": "Mine/../x"}, "COMPOSE_PROJECT_NAME is"),
        ({"GIVEN": "RATE RATTE"}, "there is no setting RATTE"),
        ({"RELEASE_PATIENCE": "PT2M59S"}, "RELEASE_PATIENCE is 'PT2M59S'; allowed is"),
        ({"EVALUATION_HORIZON": "P1DT2H", "RELEASE_PATIENCE": "PT25H"}, "EVALUATION_HORIZON"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, given, told):
    assert told in refused(tmp_path, **given)


@pytest.mark.parametrize(
    "given",
    [
        {"EVALUATION_HORIZON": "PT5H"},
        {"RELEASE_PATIENCE": "PT3M"},
        {"EVALUATION_HORIZON": "P1DT2H", "RELEASE_PATIENCE": "PT26H"},
        {"EVALUATION_HORIZON": "PT08M", "RELEASE_PATIENCE": "PT480S"},
    ],
)
def test_patience_that_outlasts_a_horizon_is_taken(tmp_path, given):
    assert f"RELEASE_PATIENCE='{given.get('RELEASE_PATIENCE', '')}'" in remembered(
        tmp_path, **given
    )


@pytest.mark.parametrize(
    "defaults",
    [
        "EVALUATION_HORIZON=PT3M\nRELEASE_PATIENCE=PT6M\n",
        "SIMULATOR=off\nEVALUATION_HORIZON='P1D'\nRELEASE_PATIENCE='P2D'\n",
    ],
)
def test_patience_that_was_a_default_goes_with_the_horizon_now(tmp_path, defaults):
    (tmp_path / "env").write_text(defaults)
    assert "RELEASE_PATIENCE=''\n" in remembered(tmp_path, EVALUATION_HORIZON="P5D")


def test_what_the_oldest_checkout_wrote_is_taken(tmp_path):
    """An upgrade from 92314c9 reads its `.env`; of its defaults these are none today."""
    (tmp_path / "env").write_text(
        "IMAGE_SOURCE='auto'\nCOMPOSE_PROFILES='simulator'\nDISK_BUDGET_GIB='inf'\n"
        "ALGORITHMS='popularity,ease,als,svd,svdpp,recency_ease,recency_transitions,boosted_trees'\n"
    )
    assert "DISK_BUDGET_GIB='inf'\n" in remembered(tmp_path)


def test_patience_that_somebody_chose_stays(tmp_path):
    (tmp_path / "env").write_text("EVALUATION_HORIZON=PT3M\nRELEASE_PATIENCE=PT7M\n")
    assert "RELEASE_PATIENCE='PT7M'\n" in remembered(tmp_path)


def test_a_line_with_two_meanings_is_refused_by_its_number(tmp_path):
    (tmp_path / "env").write_text("RATE=7\nKAFKA_USER=$ConnectionString\n")
    assert "line 2" in refused(tmp_path)


def test_settings_of_the_environment_are_said(tmp_path):
    script = f"{READ}say_environment"
    given = {"MARQUEE_ENV_FILE": str(tmp_path / "env"), "GIVEN": "RATE", "RATE": "7", "SEED": "8"}
    assert bash(script, environment=given).stdout.rstrip().endswith("which count: SEED")
    assert bash(script, environment={**given, "SEED": ""}).stdout == ""


def handed_on(tmp_path, name, arguments="", **environment):
    """What a recipe of the Makefile finds in its environment under this name."""
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"include {CHECKOUT}/Makefile\nshow:\n\t@printenv {name} || true\n")
    done = bash(f"make --no-print-directory -f {makefile} show {arguments}", tmp_path, environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


ARGUMENTS = (
    re.search(
        r"^ARGUMENTS := (.*?[^\\])\n", (CHECKOUT / "Makefile").read_text(), re.MULTILINE | re.DOTALL
    )[1]
    .replace("\\\n", " ")
    .split()
)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_counts_on_the_command_line_alone(tmp_path, name):
    assert handed_on(tmp_path, name, **{name: "2.1"}) == ""
    assert handed_on(tmp_path, name, f"{name}=here", **{name: "2.1"}) == "here"


def test_every_variable_that_the_makefile_asks_for_is_an_argument_or_set_by_jenkins():
    text = (CHECKOUT / "Makefile").read_text()
    asked = set(re.findall(r"\$\(([A-Z_]+)\)|\$\((?:or|if) \$?\(?([A-Z_]+)", text))
    names = {name for pair in asked for name in pair if name}
    made = set(re.findall(r"^([A-Z_]+) :?=", text, re.MULTILINE)) | {"MAKEFILE_LIST"}
    assert names - made - set(ARGUMENTS) == {"JENKINS_HELPER"}


def test_every_argument_that_help_names_is_one():
    texts = re.findall(r"^[a-z-]+:.*## (.*)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    named = {name for text in texts for name in re.findall(r"\b([A-Z][A-Z_]+)(?==)", text)}
    assert named - set(defaults()) - {"NAME"} <= set(ARGUMENTS)


@pytest.mark.parametrize("value", ["$ConnectionString", "$(shell false)", "o'neil", "a #b", "$$x"])
def test_make_hands_on_what_it_is_given_as_it_stands(tmp_path, value):
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"include {CHECKOUT}/Makefile\nshow:\n\t@printenv KAFKA_USER GIVEN\n")
    done = bash(
        f'make --no-print-directory -f {makefile} show "KAFKA_USER=$V"', tmp_path, {"V": value}
    )
    assert done.stdout == f"{value}\nKAFKA_USER\n", done.stderr
