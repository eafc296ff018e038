"""How receipts wait for the disk."""

import pytest
from uuid_utils import UUID

from recommender.errors import SpoolFullError
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue, ReceiptWriter
from recommender.receipts.rows import Receipt
from recommender.receipts.spool import Spool


def receipt(user_id, movies="heat+1995"):
    identifier = UUID("01890000-0000-7000-8000-000000000000")
    return Receipt(identifier, 1.5, user_id, movies, "model", "v1", 7, 0.0002)


def test_receipts_are_taken_in_the_order_they_were_put():
    queue = ReceiptQueue(10, Metrics())
    for user in (1, 2, 3):
        queue.put(receipt(user))

    assert [taken.user_id for taken in queue.take(2)] == [1, 2]
    assert len(queue) == 1


def test_a_full_queue_drops_the_oldest_and_counts_it():
    metrics = Metrics()
    queue = ReceiptQueue(2, metrics)
    for user in (1, 2, 3):
        queue.put(receipt(user))

    assert [taken.user_id for taken in queue.take(9)] == [2, 3]
    assert metrics.registry.get_sample_value("marquee_receipts_dropped_total") == 1


def test_receipts_put_back_are_the_next_to_be_taken():
    queue = ReceiptQueue(3, Metrics())
    for user in (1, 2, 3):
        queue.put(receipt(user))
    queue.requeue(queue.take(2))

    assert [taken.user_id for taken in queue.take(9)] == [1, 2, 3]


def test_receipts_put_back_in_a_full_queue_drop_the_oldest():
    metrics = Metrics()
    queue = ReceiptQueue(2, metrics)
    for user in (1, 2):
        queue.put(receipt(user))
    taken = queue.take(2)
    queue.put(receipt(3))
    queue.requeue(taken)

    assert [left.user_id for left in queue.take(9)] == [2, 3]
    assert metrics.registry.get_sample_value("marquee_receipts_dropped_total") == 1


def test_what_cannot_be_written_stays_queued(tmp_path):
    queue = ReceiptQueue(9, Metrics())
    queue.put(receipt(1))
    full = Spool(tmp_path, limit=0)
    with pytest.raises(SpoolFullError):
        ReceiptWriter(queue, full, "blue").write_all()

    assert len(queue) == 1
