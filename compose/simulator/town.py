"""Who lives in the simulated town, who is at home, who moves in and who has moved away."""

from collections import deque
from collections.abc import Iterable
from random import Random

from compose.simulator.people import Person, Tastes, newcomer

NEWCOMERS = 0.03
"""Share of the visits that are somebody's first."""
MOST_NEWCOMERS = 300
"""When more have moved in, the one longest here moves away."""


class Town:
    """The people of the rating set, who stay, and newcomers, who come and go.

    Nobody is called out twice before they are home again.
    """

    def __init__(self, settled: Iterable[Person], first_new_id: int) -> None:
        self._people = {person.user_id: person for person in settled}
        self._at_home = list(self._people.values())
        self._newcomers: deque[Person] = deque()
        self._next_id = first_new_id

    def __contains__(self, user_id: int) -> bool:
        return user_id in self._people

    def call(self, tastes: Tastes, random: Random) -> tuple[Person, bool] | None:
        """Somebody who goes out now, and whether they are new; None when nobody is home."""
        if random.random() < NEWCOMERS:
            return self._move_in(newcomer(self._next_id, tastes, random)), True
        while self._at_home:
            place = random.randrange(len(self._at_home))
            self._at_home[place], self._at_home[-1] = self._at_home[-1], self._at_home[place]
            person = self._at_home.pop()
            if person.user_id in self:
                return person, False
        return None

    def welcome_home(self, person: Person) -> None:
        """Let somebody who went out be called again."""
        if person.user_id in self:
            self._at_home.append(person)

    def _move_in(self, person: Person) -> Person:
        self._next_id += 1
        self._people[person.user_id] = person
        self._newcomers.append(person)
        if len(self._newcomers) > MOST_NEWCOMERS:
            del self._people[self._newcomers.popleft().user_id]
        return person
