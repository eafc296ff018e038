"""An explanation as lines for people."""

from collections.abc import Iterator
from math import isnan

from recommender.explanations.explanation import Cause, Explanation, Recommended

NOT_RANKED = "too little was known of the user's taste, or there was no time to rank by it"
REASONS = {
    "model": "the model's list for this user, computed at training",
    "fold_in": "scored then, from all the user had done until then",
    "people": f"{NOT_RANKED}: what people like them know",
    "lately": f"{NOT_RANKED}: what was popular lately",
    "popular": f"{NOT_RANKED}: what was popular ever",
}
LEFT_OUT_TOLD = 10


def told(explanation: Explanation) -> Iterator[str]:
    """The lines, in the order of the questions: what, by what, why, what not, what is gone."""
    yield from _told_answer(explanation)
    yield from _told_model(explanation)
    yield from _told_movies(explanation)
    yield from _told_left_out(explanation)
    for gone in explanation.gone:
        yield f"gone: {gone}"


def _told_answer(explanation: Explanation) -> Iterator[str]:
    receipt = explanation.receipt
    yield f"receipt  {receipt['receipt_id']}"
    yield (
        f"answer   {len(receipt['movie_ids'])} movies for user {receipt['user_id']},"
        f" {receipt['time']:%Y-%m-%d %H:%M:%S.%f} UTC, in {receipt['latency_ms']:.2f} ms"
    )
    yield f"slot     {receipt['slot']}, bucket {receipt['bucket']}, arm {receipt['arm']}"
    yield f"reason   {receipt['reason']}: {REASONS.get(receipt['reason'], 'unknown')}"


def _told_model(explanation: Explanation) -> Iterator[str]:
    manifest = explanation.manifest
    receipt = explanation.receipt
    yield f"model    {receipt['model_version']}"
    if receipt["interleaved_with"]:
        yield (
            f"drafted  with the list of {receipt['interleaved_with']}: movies that only the model"
            " (A), only that (B) or both (=) would have shown"
        )
    if manifest is not None:
        data, code = manifest["data"], manifest["code"]
        yield f"trained  {manifest['created_at']}, {manifest['algorithm']} {manifest['parameters']}"
        yield (
            f"data     {data.get('hash', 'unknown')}: {data.get('interactions', '?')} interactions,"
            f" {data.get('first_time', '?')} to {data.get('last_time', '?')},"
            f" offsets {data.get('offsets', {})}"
        )
        yield (
            f"code     git commit {code.get('git_commit', 'unknown')},"
            f" lock {code.get('lock_sha256', 'unknown')}"
        )


def _told_movies(explanation: Explanation) -> Iterator[str]:
    if explanation.exact:
        yield f"contributions: {explanation.exact}"
    letters = explanation.receipt["origins"] or ""
    for place, movie in enumerate(explanation.recommended, start=1):
        letter = f"{letters[place - 1]} " if letters else ""
        yield f"{place:3} {letter}{_told_movie(movie)}"


def _told_movie(movie: Recommended) -> str:
    if movie.score is None or not movie.causes:
        return f"{movie.movie_id}{movie.note and f': {movie.note}'}"
    causes = ", ".join(map(_told_cause, movie.causes))
    return f"{movie.movie_id} ({movie.score:.3f}): {causes}; all others {movie.others:+.3f}"


def _told_cause(cause: Cause) -> str:
    opinion = "watched" if isnan(cause.rating) else f"rated {cause.rating:g}"
    return f"{cause.movie_id} ({opinion}) {cause.contribution:+.3f}"


def _told_left_out(explanation: Explanation) -> Iterator[str]:
    left = explanation.left_out
    if left:
        yield f"left out, though placed before the last of these: {len(left)}"
    for movie in left[:LEFT_OUT_TOLD]:
        yield f"    {movie.movie_id}: {movie.why}"
    if len(left) > LEFT_OUT_TOLD:
        yield f"    and {len(left) - LEFT_OUT_TOLD} more"
