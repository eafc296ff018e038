import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from random import Random

from compose.simulator.movielens import Movie, Rating
from compose.simulator.people import Person, StreamScale, learn_tastes, population
from compose.simulator.recommender_client import Answer
from compose.simulator.town import Town
from compose.simulator.world import World, call_oddly, live, visit
from ingest.lines.grammar import AccountCreated, Rated, Requested, Watched

MOVIES = [Movie(n, f"movie+{n}+1999", f"Movie {n} (1999)", 1999, ("Drama",)) for n in range(40)]
SENT = [Rating(user, (user + n) % 40, 4.0, n) for user in range(1, 31) for n in range(8)]
HELD_OUT = [Rating(user, (user + 10) % 40, 5.0, 99) for user in range(1, 31)]
FIRST_LIST = tuple(movie.slug for movie in MOVIES[:20])


class Clock:
    """Simulated time: sleepers are woken in order, and no time passes but by sleeping."""

    def __init__(self):
        self.seconds = 0.0
        self.sleepers = []

    def now(self):
        return datetime(2025, 11, 24, tzinfo=UTC) + timedelta(seconds=self.seconds)

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.seconds + seconds, len(self.sleepers), woken))
        await woken

    async def turn(self, until):
        while True:
            for _ in range(10):
                await asyncio.sleep(0)
            if not self.sleepers or min(self.sleepers)[0] > until:
                return
            first = min(self.sleepers)
            self.sleepers.remove(first)
            self.seconds = first[0]
            first[2].set_result(None)


def a_world(answer, *, time_lapse=1.0):
    tastes = learn_tastes(SENT, HELD_OUT, len(MOVIES))
    clock, events, asked = Clock(), [], []

    async def ask(user_id):
        asked.append(user_id)
        return answer

    world = World(
        tastes=tastes,
        movies=MOVIES,
        place={movie.slug: place for place, movie in enumerate(MOVIES)},
        runtimes=[100] * len(MOVIES),
        scale=StreamScale(1, 5, 1),
        server="nginx:8082",
        time_lapse=time_lapse,
        ask=ask,
        write=events.append,
        sleep=clock.sleep,
        now=clock.now,
    )
    return world, clock, events, asked


def lived(answer, *, seed=1, seconds=3600.0, rate=5.0, time_lapse=60.0):
    """The events of a town's hour."""
    world, clock, events, _ = a_world(answer, time_lapse=time_lapse)

    async def hour():
        town = Town(population(world.tastes, SENT), first_new_id=1000)
        living = asyncio.create_task(live(world, town, rate, Random(seed)))
        await clock.turn(until=seconds)
        living.cancel()
        await asyncio.wait([living])

    asyncio.run(hour())
    return events


def one_visit(answer, seed, time_lapse=1.0):
    world, clock, events, asked = a_world(answer, time_lapse=time_lapse)

    async def all_of_it():
        visiting = asyncio.create_task(visit(world, Person(1, 0), Random(seed)))
        await clock.turn(until=float("inf"))
        await visiting

    asyncio.run(all_of_it())
    return events, asked


ANSWERED = Answer(200, FIRST_LIST, None, 12)
FAILED = Answer(0, (), "java.net.ConnectException: Connection refused", 3)


def test_a_minute_of_a_movie_takes_a_minute():
    events = next(e for s in range(50) if len(e := one_visit(ANSWERED, s)[0]) > 10)
    watched = [event for event in events if isinstance(event, Watched)]
    assert [event.minute for event in watched] == list(range(1, len(watched) + 1))
    assert {b.time - a.time for a, b in itertools.pairwise(watched)} == {timedelta(minutes=1)}


def test_a_time_lapse_shortens_the_minutes():
    events = next(e for s in range(50) if len(e := one_visit(ANSWERED, s, 60)[0]) > 10)
    watched = [event for event in events if isinstance(event, Watched)]
    assert watched[1].time - watched[0].time == timedelta(seconds=1)


def test_a_request_is_logged_with_what_was_answered():
    events = next(
        e for s in range(50) if isinstance((e := one_visit(ANSWERED, s)[0])[0], Requested)
    )
    expected = Requested(events[0].time, 1, "nginx:8082", 200, FIRST_LIST, None, 12)
    assert events[0] == expected


def test_people_go_on_watching_when_the_recommender_is_gone():
    visits = [one_visit(FAILED, seed)[0] for seed in range(30)]
    failed = [events for events in visits if events and isinstance(events[0], Requested)]
    assert {events[0].status for events in failed} == {0}
    assert any(isinstance(event, Watched) for events in failed for event in events)


def test_a_rating_comes_after_the_movie_and_on_the_scale():
    visits = [one_visit(ANSWERED, seed)[0] for seed in range(60)]
    rated = [events for events in visits if events and isinstance(events[-1], Rated)]
    assert rated
    assert all(isinstance(events[-2], Watched) for events in rated)
    assert {events[-1].rating for events in rated} <= {1, 2, 3, 4, 5}


def test_a_recommended_movie_that_is_not_in_the_set_is_passed_over():
    events, _ = one_visit(Answer(200, ("no+such+movie+1900",), None, 1), 1)
    assert "no+such+movie+1900" not in {getattr(event, "movie_id", None) for event in events}


def test_the_same_seed_lives_the_same_hour():
    assert lived(ANSWERED, seed=5) == lived(ANSWERED, seed=5) != lived(ANSWERED, seed=6)


def test_about_as_many_lines_as_asked_for_are_written():
    events = lived(ANSWERED, seconds=7200.0, rate=5.0)
    assert 0.6 * 5 < len(events) / 7200 < 1.5 * 5


def test_lines_are_written_in_the_order_of_their_times():
    times = [event.time for event in lived(ANSWERED)]
    assert times == sorted(times)


def test_whoever_is_new_creates_an_account_first():
    events = lived(ANSWERED)
    created = [event.user_id for event in events if isinstance(event, AccountCreated)]
    assert created
    for user_id in created:
        first = next(event for event in events if event.user_id == user_id)
        assert isinstance(first, AccountCreated)


def test_an_odd_call_is_logged_only_where_its_id_is_a_number():
    world, _, events, asked = a_world(FAILED)
    for seed in range(40):
        asyncio.run(call_oddly(world, Random(seed)))
    assert {str(event.user_id) for event in events} < set(asked)
    assert all(10**6 <= event.user_id < 10**7 for event in events)
