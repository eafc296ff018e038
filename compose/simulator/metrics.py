"""What Prometheus can read of the simulator."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter(
    "marquee_simulator_requests",
    "Recommendation requests by outcome: answered, failed, or odd (an id nobody should ask for).",
    ["outcome"],
)
LINES = Counter(
    "marquee_simulator_lines",
    "Lines published by kind; damaged and doubled ones under those names, lost ones never arrived.",
    ["kind"],
)
ANSWER_SECONDS = Histogram(
    "marquee_simulator_answer_seconds",
    "Time to the recommender's answer, or to giving up.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8),
)
