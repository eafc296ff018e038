from ingest.kafka.replay import paced


def test_lines_are_as_far_apart_as_their_times_divided_by_the_speed():
    lines = [b"2026-03-10T11:00,1,x", b"2026-03-10T11:00:30.5,1,x", b"2026-03-10T11:01,1,x"]
    assert [due for due, _line in paced(lines, speed=10)] == [0, 3.05, 6]


def test_a_line_without_a_time_or_out_of_order_goes_after_the_one_before():
    lines = [b"?", b"2026-03-10T11:00,1,x", b"2026-03-10T11:01,1,x", b"?", b"2026-03-10T11:00,1,x"]
    assert [due for due, _line in paced(lines, speed=1)] == [0, 0, 60, 60, 60]
