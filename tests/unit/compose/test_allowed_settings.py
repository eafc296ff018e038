"""What each setting may be: a wrong one is refused by one line, and the services agree."""

import re
import shlex

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from ci.settings import Settings as ReleaserSettings
from compose.backup.settings import Settings as BackupSettings
from compose.simulator.settings import Settings as SimulatorSettings
from ingest.settings import IngestSettings, RetentionSettings
from monitoring.settings import Settings as EvaluationSettings
from recommender.settings import Settings as SlotSettings
from tests.unit.compose.shell import CHECKOUT, bash
from tests.unit.compose.test_compose_settings import defaults
from trainer.algorithms.registry import ALGORITHMS
from trainer.settings import Settings as TrainerSettings

PORTS = (["1", "65535"], ["0", "65536", "-1", "x", "08", "80 82"])
NO_CRONS = ["hello", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "*/0 * * * *"]
MORE = ["5-1 * * * *", "0 0 30 2 *", "0 0 31 4 *", "1, * * * *", "* * * * * * *", "@daily"]
CRONS = (
    ["* * * * *", "*/15 * * * *", "0 3 * * 7", "0,30 8-17/2 1-7 * *", "* * * * * */5"],
    [*NO_CRONS, *MORE],
)
DURATIONS = (["P1D", "PT1H30M", "P2DT12H", "PT90M"], ["-P1D", "PT0S", "P", "PT", "1 day", "P1DT"])
NUMBERS = (["1", "0.5", "20"], ["-1", "inf", "nan", "1e3", "x", "1 2", ".5", "1,5"])
ABOVE = (NUMBERS[0], ["0", "0.0", *NUMBERS[1]])
NO_SUBNETS = ["172.31", "172.31.250.0/24", "a.b.c", "172.31.256", "10.008.1", "10.300.1"]
NOT_PRIVATE = ["8.8.8", "127.0.0", "172.32.1", "192.169.1", "224.0.0", "0.0.0"]
SUBNETS = (["172.31.250", "10.0.0", "192.168.1"], [*NO_SUBNETS, *NOT_PRIVATE])
IMAGES = (
    ["debian:trixie-slim", "127.0.0.1:5000/a/b:1.0", "grafana/grafana", "a@sha256:" + "0" * 64],
    ["a b", "http://a/b", "a:", "a@sha256:1"],
)
JENKINS_CRONS = (
    ["H/2 * * * *", "@daily", "H(0-7) 3 * * 1-5", "0,30 8-17 * * *"],
    ["hello", "H 3 * *", "H 3 * * * *", "@often", "H' 3 * * *", "0\\ 3 * * *", "${A} 3 * * *"],
)
REPOSITORIES = (
    ["git://host/m", "https://host:8443/m.git", "ssh://git@host/m", "http://[::1]/m"],
    [
        *("/srv/marquee", "file:///srv/marquee", "marquee", "http://", "http:///m"),
        *("https://host/o'neil", "https://host/a b", "https://host/${HOME}", "https://host/a\\b"),
        *("https://s3cret@host/m", "https://me:s3cret@host/m", "ssh://git:s3cret@host/m"),
    ],
)
TEXTS = (["$ConnectionString", "o'neil"], [])
TRUTHS = (["true", "false"], ["yes please", "2", "on off"])
WHOLE = (["1", "7"], ["0", "-1", "1.5", "x", "01"])

CASES = {
    "COMPOSE_PROJECT_NAME": (["marquee-2"], ["Mine/../x", "-a", "a b"]),
    "IMAGE_PREFIX": (["marquee-2", "127.0.0.1:5000/marquee"], ["Marquee", "a:b", "a//b"]),
    "COMPOSE_FILE": (
        ["docker-compose.yml:compose/tunnel.yml"],
        ["nowhere.yml", "docker-compose.yml:nowhere.yml"],
    ),
    "COMPOSE_PROFILES": (["grafana", "grafana,jenkins"], ["a b", ",", "grafana,"]),
    "BASE_IMAGE": IMAGES,
    "IMAGE_REGISTRY": (["127.0.0.1:5000", "host/folder"], ["http://host", "a b"]),
    "GRAFANA": (["auto", "on", "off"], ["yes", "on off"]),
    "GRAFANA_IMAGE": IMAGES,
    "JENKINS": (["on", "off"], ["yes", "on off"]),
    "JENKINS_IMAGE": IMAGES,
    "NGINX_PORT": PORTS,
    "STATUS_PORT": PORTS,
    "STATUS_PAGE": (["public", "loopback"], ["private", "public loopback"]),
    "GRAFANA_PORT": PORTS,
    "PROMETHEUS_PORT": PORTS,
    "ALERTMANAGER_PORT": PORTS,
    "JENKINS_PORT": PORTS,
    "POSTGRES_PORT": PORTS,
    "KAFKA_PORT": PORTS,
    "SUBNET_PREFIX": SUBNETS,
    "SLOTS_SUBNET_PREFIX": SUBNETS,
    "SIMULATOR": (["on", "off"], ["maybe", "on off"]),
    "KAFKA_SERVERS": (
        ["broker.example:9092", "a:1,b:2", "[::1]:9092", "broker.example"],
        ["http://broker:9092", "a b", "a:1,", "a:x"],
    ),
    "KAFKA_TOPIC": (["movielog24", "a.b_c-d"], ["a b", "a/b", "..", ".", "x" * 250]),
    "START_FROM": (
        ["earliest", "latest", "offset 5", "time 2026-03-10T12:00", "time 2026-03-10"],
        ["first", "offset -1", "offset", "time noon"],
    ),
    "TUNNEL_PORT": (PORTS[0], [*PORTS[1], "abc"]),
    "KAFKA_SECURITY": (["PLAINTEXT", "SASL_SSL"], ["ssl", "TLS"]),
    "KAFKA_SASL_MECHANISM": (["PLAIN", "SCRAM-SHA-512"], ["GSSAPI"]),
    "KAFKA_USER": TEXTS,
    "METADATA_URL": (["http://simulator:8090", "https://a/b"], ["ftp://a", "simulator:8090"]),
    "RATING_MIN": (["0", "0.5"], NUMBERS[1]),
    "RATING_MAX": (["10", "100"], [*NUMBERS[1], "1001"]),
    "RATING_STEP": (["0.5", "0.1"], [*ABOVE[1], "0.0001"]),
    "USER_ID_MAX": (["1", "999999999999999999"], ["0", "-1", "1000000000000000000", "x"]),
    "CATALOGUE": (["open", "strict"], ["closed"]),
    "WINDOW_LINES": (["0", "50000"], ["-1", "x", "1.5"]),
    "DOUBLES_ACROSS_PARTITIONS": TRUTHS,
    "PARTITION_WIDTH": (["P1D", "PT1H", "PT90M"], ["PT30S", "PT90S", "PT0S", "-P1D", "1 day"]),
    "TIME_TO_LIVE": (["P14D", "P400D"], [*DURATIONS[1], "P401D", "PT1S"]),
    "DISK_BUDGET_GIB": ([*ABOVE[0], "inf"], [bad for bad in ABOVE[1] if bad != "inf"]),
    "LEASE_BOUND": DURATIONS,
    "OVERRIDE_STUCK_LEASE": TRUTHS,
    "BACKUP_DIRECTORY": (
        ["/var/backups/marquee", "/mnt/my disk"],
        ["backups", "./backups", "../backups", "~/backups", "/a:b", "/"],
    ),
    "BACKUP_CRON": ([*CRONS[0], "off"], [*CRONS[1], "on"]),
    "BACKUP_KEEP": WHOLE,
    "REPOSITORY_URL": REPOSITORIES,
    "JENKINS_POLL_CRON": JENKINS_CRONS,
    "JENKINS_BUILD_CRON": JENKINS_CRONS,
    "JENKINS_CERTIFICATE_CRON": JENKINS_CRONS,
    "JENKINS_DRILL_CRON": JENKINS_CRONS,
    "DOCKER_GROUP": (["999"], ["docker", "-1"]),
    "SCHEDULE": (["internal", "jenkins"], ["cron"]),
    "RETRAIN_CRON": CRONS,
    "RELEASE_CRON": CRONS,
    "RELEASE_STEPS": (
        ["1000", "10,100,500,1000"],
        ["10", "100,10,1000", "0,1000", "1000,1000", "1000,2000", "a", "10, 1000", "10,1000,"],
    ),
    "RELEASE_WATCH_SECONDS": ABOVE,
    "RELEASE_JUDGE_SHARE": (["1", "999"], ["0", "1000", "-1", "x"]),
    "RELEASE_PATIENCE": (["P1D", "P2DT12H", "PT30H"], [*DURATIONS[1], "PT23H"]),
    "RELEASE_UNDECIDED": (["proceed", "abort"], ["wait"]),
    "RELEASE_REPLAY_REQUESTS": (["0", "200"], ["-1", "x", "1.5"]),
    "EVALUATE_CRON": CRONS,
    "EVALUATION_WINDOW": DURATIONS,
    "EVALUATION_HORIZON": DURATIONS,
    "LATENESS": (["P4D", "PT0S"], ["-P1D", "P", "x"]),
    "RETAIN_CRON": CRONS,
    "AUDIT_CRON": CRONS,
    "FULL_AUDIT_CRON": CRONS,
    "ALGORITHMS": (["ease", ",".join(ALGORITHMS)], ["magic", "ease,magic", "ease svd", "ease,"]),
    "DIVERSITY": (["0", "0.5", "1"], ["1.1", "-1", "x", "nan"]),
    "SEARCH_SECONDS": (["0", "600"], NUMBERS[1]),
    "LISTS_ACTIVE_DAYS": (["0", "90"], NUMBERS[1]),
    "TRAINER_MEMORY": (["512m", "4g"], ["lots", "4", "4gb", "0g", "-1g", "1m", "1.5g"]),
    "PIN_TAGS_TO": TEXTS,
    "PIN_CACHE_TO": TEXTS,
    "TIME_LAPSE": ABOVE,
    "RATE": (["0.5", "1000"], [*ABOVE[1], "1001"]),
    "SEED": (["0", "7"], ["-1", "x", "1.5"]),
    "PEOPLE": (["610", "50000"], ["609", "50001", "x"]),
}
CONTROL = ["a\nb", "\x1b[0m", "a\tb"]

READ = "source compose/up/say.sh; source compose/up/settings.sh; read_settings"


def test_of_every_setting_it_is_said_what_it_may_be():
    assert set(CASES) == set(defaults())


def test_nothing_is_said_of_what_is_no_setting():
    script = 'source compose/up/say.sh; source compose/up/allowed.sh; printf %s "$ALLOWED"'
    listed = [line.split()[0] for line in bash(script).stdout.split("\n") if line]
    assert listed == list(dict.fromkeys(listed))
    assert set(listed) == set(defaults())


def read(tmp_path, **given):
    return bash(
        READ, environment={"MARQUEE_ENV_FILE": str(tmp_path / "env"), "SIMULATOR": "off", **given}
    )


EACH_VALUE = """
source compose/up/say.sh; source compose/up/settings.sh; read_settings
for value in "${@:2}"; do
  printf -v "$1" %s "$value"
  if (check_values) 2>&1; then echo taken; fi
done
"""


def said_of(tmp_path, name, values):
    """What is said of each of these values, a line each."""
    arguments = " ".join(map(shlex.quote, [name, *values]))
    environment = {"MARQUEE_ENV_FILE": str(tmp_path / "env"), "SIMULATOR": "off"}
    done = bash(f"set -- {arguments}\n{EACH_VALUE}", environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "env").exists()
    return dict(zip(values, done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_what_is_allowed_is_taken(tmp_path, name):
    said = said_of(tmp_path, name, CASES[name][0])
    assert set(said.values()) == {"taken"}, said


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_is_refused_by_one_line(tmp_path, name):
    for value, said in said_of(tmp_path, name, [*CASES[name][1], *CONTROL]).items():
        assert re.fullmatch(rf"make: {name} .+; allowed is .+", said), f"{value}: {said}"


@pytest.mark.parametrize("name", ["REPOSITORY_URL", "METADATA_URL", "KAFKA_SERVERS"])
def test_a_password_in_a_refused_address_is_not_shown(tmp_path, name):
    (said,) = said_of(tmp_path, name, ["https://me:s3cret@host/a b"]).values()
    assert "'https://***@host/a b'" in said


def test_what_is_refused_is_written_nowhere(tmp_path):
    done = read(tmp_path, BACKUP_DIRECTORY="backups")
    assert (done.returncode, done.stdout) == (1, "")
    assert not (tmp_path / "env").exists()


def test_a_rating_scale_has_to_go_up(tmp_path):
    done = read(tmp_path, RATING_MIN="5", RATING_MAX="1")
    assert "RATING_MIN is '5' and RATING_MAX '1'; allowed is" in done.stderr


def test_rows_are_kept_for_no_more_than_a_thousand_partitions(tmp_path):
    done = read(tmp_path, PARTITION_WIDTH="PT1M", TIME_TO_LIVE="P1D")
    assert "TIME_TO_LIVE is 'P1D'; allowed is up to 1000 times PARTITION_WIDTH" in done.stderr


def test_a_line_of_a_file_is_refused_by_its_number(tmp_path):
    (tmp_path / "env").write_text("# mine\nRATE=7\n\nSEED=lots\n")
    done = read(tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"make: {tmp_path}/env, line 4: SEED is 'lots'; allowed is a whole number from 0 to"
        " 999999999\n"
    )


def test_a_wrong_line_is_mended_by_giving_the_setting(tmp_path):
    (tmp_path / "env").write_text("SEED=lots\n")
    assert read(tmp_path, SEED="7").returncode == 0


DATABASE = {"database_user": "x", "database_passfile": "x"}
SERVICES: dict[str, type[BaseSettings]] = {
    "ingest": IngestSettings,
    "retention": RetentionSettings,
    "trainer": TrainerSettings,
    "recommender": SlotSettings,
    "evaluation": EvaluationSettings,
    "releaser": ReleaserSettings,
    "backup": BackupSettings,
    "simulator": SimulatorSettings,
}
READ_BY_A_SERVICE = [
    pytest.param(name, of, id=f"{name}-{service}")
    for service, of in SERVICES.items()
    for name in CASES
    if name.lower() in of.model_fields
]


def settings_of(of, name, value):
    slot = {"slot": "blue"} if of is SlotSettings else {}
    return of(**DATABASE, **slot, **{name.lower(): value})


@pytest.mark.parametrize(("name", "of"), READ_BY_A_SERVICE)
def test_a_service_takes_what_is_allowed(name, of):
    for value in CASES[name][0]:
        settings_of(of, name, value)


OTHER_SPELLINGS = {
    "1e3",
    ".5",
    "1 day",
    "01",
    "08",
    "P1DT",
    "P",
    "PT",
    "10, 1000",
    "ease,",
    "5-1 * * * *",
}
FITS_A_SERVICE = {"1001", "0.0001", "PT1S"}
"""Out of bounds that are of the whole, not of a service."""
NOT_LOOKED_AT = {"KAFKA_SERVERS", "KAFKA_TOPIC", "METADATA_URL", "COMPOSE_PROFILES"}


@pytest.mark.parametrize(("name", "of"), READ_BY_A_SERVICE)
def test_a_service_refuses_what_is_not(name, of):
    if name in NOT_LOOKED_AT:
        pytest.skip("refused by make up alone")
    for value in set(CASES[name][1]) - OTHER_SPELLINGS - FITS_A_SERVICE:
        with pytest.raises(ValidationError):
            settings_of(of, name, value)


@pytest.mark.parametrize(("given", "status"), [("popularity,of_another_code", 0), ("a b", 1)])
def test_where_these_scripts_are_alone_only_the_form_of_names_is_looked_at(tmp_path, given, status):
    """As in the helper's image, which has nothing of the trainer."""
    (tmp_path / "compose").symlink_to(CHECKOUT / "compose")
    script = f"source compose/up/allowed.sh; algorithms {shlex.quote(given)}"
    assert bash(script, cwd=tmp_path).returncode == status
