"""One list drafted from two versions' lists: what is sent, and whose each movie is.

Both versions know what the user did since the live one was trained; what that one knows of them
from its training, the other may not, so that is taken out of its list.
"""

from typing import NamedTuple, get_args

from uuid_utils import UUID

from recommender.answers.lines import Line, ModelLines, as_json
from recommender.answers.ranking import Reason
from recommender.answers.team_draft import LETTERS, coins_of, letters_of, team_draft
from trainer.versions.contents import ANSWER_LENGTH

REASONS: tuple[Reason, ...] = get_args(Reason)


class Side(NamedTuple):
    """One version's answer to a user."""

    lines: ModelLines
    line: Line

    def movies(self, count: int) -> list[str]:
        """Movie ids, best first, 1 to 100."""
        listed = self.line.movies
        if count != ANSWER_LENGTH:
            listed = self.lines.in_full(self.line, count).movies
        return listed.split(",") if listed else []

    def scores(self, count: int) -> dict[str, float]:
        """Of the movies that were scored for this user."""
        answer = self.lines.answer(self.line, count)
        return dict(zip(answer.movie_ids, answer.scores, strict=False))


class Drafted(NamedTuple):
    """A drafted list."""

    receipt_id: UUID
    movies: str
    """Movie ids, best first, separated by commas."""
    reason: Reason
    """That of the side with less to say of the user: the list is no more personal than that."""
    interleaved_with: str
    """The challenger."""
    origins: str
    """Whose each movie is, a letter each."""


def draft(control: Side, challenger: Side, user_id: int, length: int, receipt_id: UUID) -> Drafted:
    """Draft a list of this length; of the same two lists and receipt's id always the same."""
    known = _known(control.lines, user_id)
    fresh = [movie for movie in challenger.movies(length) if movie not in known]
    picks = team_draft(control.movies(length), fresh, length, coins_of(receipt_id.bytes))
    return Drafted(
        receipt_id,
        ",".join(picks),
        max(control.line.reason, challenger.line.reason, key=REASONS.index),
        challenger.lines.model.name,
        letters_of(picks.values()),
    )


def _known(lines: ModelLines, user_id: int) -> set[str]:
    model = lines.model
    return {model.movies[item] for item in model.user(user_id).seen.tolist()}


def drafted_json(drafted: Drafted, control: Side, challenger: Side) -> bytes:
    """A drafted list's part of the JSON: each score is on the scale of the movie's version."""
    movies = drafted.movies.split(",") if drafted.movies else []
    ours, theirs = control.scores(len(movies)), challenger.scores(len(movies))
    scored = [
        (movie, (theirs if letter == LETTERS["challenger"] else ours).get(movie))
        for movie, letter in zip(movies, drafted.origins, strict=True)
    ]
    versions = {
        "model_version": control.lines.model.name,
        "interleaved_with": drafted.interleaved_with,
    }
    return as_json(scored, drafted.reason, versions)
