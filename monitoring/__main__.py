"""Commands that tell how the system does: judge answers, show the state of everything."""

import json
import sys
import time
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Annotated

import psycopg
import typer
from prometheus_client import start_http_server
from rich.table import Table

from compose.service.command_line import run as run_commands
from compose.service.jobs import job_app, work
from compose.service.log import configure_logging
from compose.service.metrics import process_registry
from monitoring.alerting import alert_test
from monitoring.alerting.collector import AlertingCollector
from monitoring.dashboards.panels import model
from monitoring.dashboards.questions import DASHBOARDS
from monitoring.drift.exporter import DriftExporter
from monitoring.errors import ListingError, MonitoringError
from monitoring.evaluation.evaluation_pass import Pass
from monitoring.evaluation.exporter import Exporter
from monitoring.evaluation.figures import OnlineFigure
from monitoring.evaluation.results import too_late
from monitoring.experiments.gate import Decision, Ruling, rule, unless_silent
from monitoring.experiments.plot import interval_over_time
from monitoring.experiments.summaries import Summary, looks, summaries
from monitoring.page.publisher import Publisher, prepare, publish_forever, publish_or_log
from monitoring.page.rendering import style_hash
from monitoring.settings import Settings
from monitoring.status.alerts import alert_facts
from monitoring.status.containers import project, services
from monitoring.status.overview import Fact
from monitoring.status.slots import unread
from monitoring.status.status import console, database_facts, ingest_lag, last_backup, table
from monitoring.status.volumes import volume_sizes
from monitoring.worker import QUEUE, evaluate_once, register, stoppable_connection

PAGE_SECONDS = 10.0
MOMENT = "%Y-%m-%d %H:%M:%S %Z"

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
evaluate = typer.Typer(no_args_is_help=True, help="Judge answers by what people did after them.")
app.add_typer(evaluate, name="evaluate")


@evaluate.command("work")
def work_queue() -> None:
    """Run the service: a pass at each time of EVALUATE_CRON, metrics on METRICS_PORT."""
    configure_logging("evaluation")
    settings = Settings()
    registry = process_registry()
    registry.register(AlertingCollector(settings))
    exporter = Exporter(registry, time.time, settings.evaluate_cron)
    start_http_server(settings.metrics_port, registry=registry)
    prepare(settings)
    publisher = Publisher(settings)
    publish_or_log(publisher, datetime.now(UTC))  # with the database away, what follows ends
    stop = Event()
    page = Thread(target=publish_forever, args=(publisher, stop, PAGE_SECONDS), daemon=True)
    page.start()
    jobs = job_app(settings.conninfo())
    register(jobs, settings, exporter, DriftExporter(registry))
    work(jobs, QUEUE, settings.heartbeat_file, may_refuse=False)
    stop.set()


@evaluate.command("pass")
def one_pass() -> None:
    """Judge now what can be judged, and print the figures.

    A window of answers (EVALUATION_WINDOW long) can be judged once the stream has moved
    EVALUATION_HORIZON past its end. What belongs to it and comes later, by at most LATENESS,
    has it judged again. Judging twice does no harm.
    """
    settings = Settings()
    with stoppable_connection(settings, lambda: False) as connection:
        done = evaluate_once(connection, settings, lambda: False)
        late = too_late(connection)
    out = console()
    if done.judgements:
        out.print(judgement_table(done))
    needed = done.judged_until + settings.evaluation_window + settings.evaluation_horizon
    progress = f"{done.progress:{MOMENT}}" if done.progress else "an unknown time"
    out.print(f"judged: answers before {done.judged_until:{MOMENT}}")
    out.print(f"final: those before {done.closed_until:{MOMENT}}")
    out.print(f"the next window waits for the stream to pass {needed:{MOMENT}}")
    out.print(f"the stream has landed up to {progress}")
    counted = ", ".join(f"{rows:,} of {kind}" for kind, rows in late.items() if rows)
    out.print(f"rows that came too late so far: {counted or 'none'}")


@app.command()
def status(
    volumes: Annotated[
        str,
        typer.Option(
            help="What `docker system df --verbose --format '{{json .Volumes}}'` printed;"
            " without, no volume is shown."
        ),
    ] = "",
) -> None:
    """Show how everything is; exit status 1 when something is not well (marked !).

    The services are read from standard input, as `docker compose ps --all --format json`
    prints them; with nothing there, only what the database knows is shown.
    """
    settings = Settings()
    listing = "" if sys.stdin.isatty() else sys.stdin.read()
    try:
        found = services(listing) if listing.strip() else []
    except ListingError as error:
        raise typer.BadParameter(str(error), param_hint="standard input") from error
    now = datetime.now(UTC)
    facts = [
        *alert_facts(settings.prometheus_url, now),
        ingest_lag(settings.ingest_metrics_url),
        last_backup(settings.backup_metrics_url, now),
        *database_facts(settings.conninfo(), now),
        *_sizes(volumes, listing),
    ]
    console().print(table(found, facts))
    if not (all(service.well for service in found) and all(fact.well for fact in facts)):
        raise typer.Exit(1)


def _sizes(volumes: str, listing: str) -> list[Fact]:
    try:
        return volume_sizes(volumes, project(listing)) if volumes.strip() else []
    except ListingError as error:
        raise typer.BadParameter(str(error), param_hint="--volumes") from error


@app.command("gate")
def ask_gate(
    version: Annotated[str, typer.Argument(help="The model version that is tried on people.")],
) -> None:
    """Say in one line of JSON whether a version may go on, why, and by which figures.

    Exit status: 0 go, 3 wait (nothing is known, or something cannot be read), 1 stop.
    """
    settings = Settings()
    try:
        with psycopg.connect(settings.conninfo()) as connection:
            ruling = rule(connection, version)
    except LookupError as error:
        raise typer.BadParameter(str(error), param_hint="VERSION") from error
    except psycopg.Error as error:
        words = " ".join(str(error).split())
        ruling = Ruling(Decision.WAIT, f"the database cannot be read: {words}")
    else:
        ruling = unless_silent(ruling, list(unread(settings.prometheus_url)))
    typer.echo(ruling.as_json(version))
    raise typer.Exit(ruling.decision.exit_status)


@app.command("experiments")
def show_experiments() -> None:
    """Show the experiments that run and ran, and say in a sentence what the newest found."""
    with psycopg.connect(Settings().conninfo()) as connection:
        found = summaries(connection)
    if not found:
        typer.echo("there has been no experiment; make experiment CHALLENGER=version begins one")
        return
    console().print(experiment_table(found))
    typer.echo(found[0].sentence)


@app.command("experiment-plot")
def plot_experiment(
    experiment: Annotated[int | None, typer.Argument(help="Its number; else the newest.")] = None,
) -> None:
    """Print how the interval of an experiment went, look by look, as SVG; nothing of none."""
    with psycopg.connect(Settings().conninfo()) as connection:
        known = {one.experiment_id: one for one in summaries(connection, 1000)}
        if experiment is None and not known:
            return
        chosen = max(known) if experiment is None else experiment
        if chosen not in known:
            raise typer.BadParameter("there is no such experiment", param_hint="EXPERIMENT")
        seen = looks(connection, chosen)
    typer.echo(interval_over_time(known[chosen], seen))


@app.command("alert-test")
def send_alert_test() -> None:
    """Send one alert through the whole way, from a figure to Slack, and wait for it.

    Exit status 1 when it does not arrive; says how far it came and what to look at.
    """
    settings = Settings()
    try:
        for line in alert_test.run(settings, time.monotonic, time.sleep):
            typer.echo(line)
    except MonitoringError as error:
        typer.echo(f"alert-test: {error}", err=True)
        raise typer.Exit(1) from error


@app.command("dashboards")
def write_dashboards(
    folder: Annotated[Path, typer.Argument(help="Where Grafana's JSON files go.", file_okay=False)],
) -> None:
    """Write Grafana's dashboards; those in monitoring/grafana/dashboards/ were made by this."""
    for dashboard in DASHBOARDS:
        file = folder / f"{dashboard.uid}.json"
        file.write_text(json.dumps(model(dashboard), indent=2) + "\n")
        typer.echo(file)


@app.command("style-hash")
def print_style_hash() -> None:
    """Print what nginx/page_headers.conf has to name after a change of page/style.css."""
    typer.echo(style_hash())


def experiment_table(found: list[Summary]) -> Table:
    """The experiments, one row each."""
    heading = ("no.", "experiment", "kind", "share", "people", "verdict", "difference", "interval")
    table = Table(*heading, "begun", "ended")
    for one in found:
        table.add_row(
            str(one.experiment_id),
            one.name,
            one.kind,
            f"{one.share} of 1,000",
            f"{one.people or 0:,}",
            one.verdict or "",
            "" if one.value is None else f"{one.value:+.1%}",
            "" if one.low is None else f"{one.low:+.1%} to {one.high:+.1%}",
            f"{one.started_at:{MOMENT}}",
            f"{one.ended_at:{MOMENT}}" if one.ended_at else "runs",
        )
    return table


def judgement_table(done: Pass) -> Table:
    """The figures of a pass, one row each."""
    heading = ("window", "model version", "arm", "reason", "segment", "figure")
    table = Table(*heading, "value", "95 % interval", "samples")
    for judgement in done.judgements:
        for figure in judgement.figures:
            table.add_row(
                f"{judgement.window.start:{MOMENT}}",
                *astuple(figure.group),
                figure.metric,
                f"{figure.value:.4g}",
                _interval(figure),
                f"{figure.samples}",
            )
    return table


def _interval(figure: OnlineFigure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{figure.low:.4g} to {figure.high:.4g}"


if __name__ == "__main__":
    run_commands(app)
