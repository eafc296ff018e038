"""Following the first training and release, which the services do by themselves."""

import shlex

from tests.unit.compose.shell import bash

SOURCES = (
    "source compose/up/say.sh; source compose/up/ask_nginx.sh; source compose/up/first_release.sh;"
    " sleep() { :; }"
)
NEVER_RELEASED = "released() { false; }"
OWN = "SIMULATOR=off"
SIMULATED = "SIMULATOR=on"


def test_where_a_model_is_live_nothing_is_said():
    found = bash(f"{SOURCES}; released() {{ true; }}; {SIMULATED} follow_first_release")
    assert (found.returncode, found.stdout) == (0, "")


def test_a_stream_of_ones_own_is_not_waited_for():
    found = bash(f"{SOURCES}; {NEVER_RELEASED}; {OWN}; follow_first_release")
    assert found.returncode == 0
    assert "what is popular so far is answered" in found.stdout


def test_it_shows_each_line_once_until_a_model_is_live():
    stubs = (
        "TURN=0; released() { [ $((TURN++)) -ge 3 ]; }; jobs_failed() { echo 0; };"
        ' look() { case "$1" in *"line_id > 0 "*) echo "4 25 read the rows"; echo "9 - live" ;;'
        " esac; }"
    )
    found = bash(f"{SOURCES}; {stubs}; {SIMULATED}; follow_first_release")
    assert found.returncode == 0, found.stderr
    shown = [line.strip() for line in found.stdout.splitlines()]
    assert shown[1:] == ["read the rows", "live"]


def test_on_a_terminal_what_says_how_far_it_is_is_a_bar_and_the_rest_lines():
    stubs = 'look() { echo "4 25 read the rows"; echo "9 - v1 was trained"; }; show_new_lines'
    script = shlex.quote(f"{SOURCES}; {stubs}")
    found = bash(f"script --quiet --command {shlex.quote(f'bash -euc {script}')} /dev/null")
    shown = found.stdout.split("\x1b[K")[-1].splitlines()
    assert shown == [
        "          [#####               ]  25 %  read the rows",
        "          v1 was trained",
    ]


def test_a_failed_training_ends_it_with_where_to_look(tmp_path):
    # each look finds one failed job more; it runs in a subshell, so a file keeps the count
    stubs = "look() { :; }; jobs_failed() { echo x >> failed; wc -l < failed; }"
    script = f"{SOURCES}; cd {tmp_path}; {NEVER_RELEASED}; {stubs}; {SIMULATED}"
    found = bash(f"{script}; follow_first_release")
    assert found.returncode == 1
    assert "the first training or release failed" in found.stderr
    assert "make logs SERVICE=trainer" in found.stderr


def test_one_in_which_nothing_happens_ends_too():
    stubs = "look() { :; }; jobs_failed() { echo 0; }; PATIENCE=5"
    found = bash(f"{SOURCES}; {NEVER_RELEASED}; {stubs}; {SIMULATED}; follow_first_release")
    assert found.returncode == 1
    assert "nothing has happened for a while" in found.stderr


def test_where_nobody_listens_there_is_no_answer():
    assert bash(f"{SOURCES}; NGINX_PORT=1; answered 1").returncode == 1
