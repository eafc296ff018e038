from ingest.kafka.losses import lost_ranges


def test_what_is_next_and_before_the_first_that_the_broker_has_is_lost():
    held = {0: range(10, 20), 1: range(20), 2: range(30, 40)}
    assert lost_ranges({0: 4, 1: 4, 2: 30}, held) == {0: range(4, 10)}
