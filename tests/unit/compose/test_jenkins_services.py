"""What Jenkins has of this host: nothing; its helper alone has the engine's socket."""

from tests.unit.compose.test_networks import members, networks, stack

SOCKET = "/var/run/docker.sock"


def service(name):
    return stack()["services"][name]


def binds(name):
    return {one["source"] for one in service(name).get("volumes", []) if one["type"] == "bind"}


def test_jenkins_has_no_socket_no_folder_of_this_host_and_no_group_of_it():
    assert binds("jenkins") == set()
    assert "group_add" not in service("jenkins")
    assert service("jenkins")["user"] == "1000:1000"


def test_the_socket_is_the_helpers_alone():
    assert {name for name in stack()["services"] if SOCKET in binds(name)} == {"helper"}


def test_the_helper_meets_jenkins_alone_and_publishes_nothing():
    assert networks("helper").keys() == {"builds"}
    assert members("builds") == {"helper", "jenkins"}
    assert "ports" not in service("helper")


def test_jenkins_meets_its_helper_and_the_database_and_nobody_else_of_the_stack():
    assert networks("jenkins").keys() == {"builds", "jobs", "outside"}
    assert members("jobs") == {"jenkins", "postgres"}


def test_the_two_have_the_least_rights():
    for name in ("helper", "jenkins"):
        assert service(name)["cap_drop"] == ["ALL"]
        assert service(name)["read_only"]
        assert "privileged" not in service(name)
        assert "network_mode" not in service(name)
        assert "pid" not in service(name)


def test_neither_starts_unless_asked_for():
    assert service("helper")["profiles"] == service("jenkins")["profiles"] == ["jenkins"]


def test_the_password_that_jenkins_has_of_the_database_is_the_schedulers():
    assert service("jenkins")["environment"]["PGUSER"] == "scheduler"
    assert service("jenkins")["environment"]["PGPASSFILE"] == "/run/secrets/scheduler.pgpass"
