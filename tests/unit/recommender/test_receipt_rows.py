"""Rows in COPY's binary format can be joined and taken apart; PostgreSQL reads them elsewhere."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils import UUID

from recommender.receipts.rows import (
    COLUMNS,
    INTERLEAVED_COLUMNS,
    Receipt,
    apart,
    column_count,
    receipt_id,
    row,
    unix_time,
)

ID = UUID("01890000-0000-7000-8000-000000000000")
WORDS = st.text(max_size=40)
RECEIPTS = st.builds(
    Receipt,
    receipt_id=st.just(ID),
    time=st.floats(0, 4e9),
    user_id=st.integers(1, 10**18 - 1),
    movies=st.lists(WORDS, max_size=5).map(",".join),
    reason=WORDS,
    model_version=WORDS,
    bucket=st.integers(-1, 999),
    seconds=st.floats(0, 100),
    interleaved_with=st.one_of(st.just(""), WORDS),
    origins=st.text("AB=", max_size=5),
)


def values(of_row):
    """The columns of a row, as bytes."""
    found, place = [], 2
    while place < len(of_row):
        start = place + 4
        place = start + int.from_bytes(of_row[place:start])
        found.append(of_row[start:place])
    return found


def test_a_row_has_each_value_as_postgresql_sends_it():
    receipt = Receipt(ID, 946_684_801.5, 5, "heat+1995,ronin", "model", "v1", 7, 0.25)

    assert values(row(receipt, "blue")) == [
        ID.bytes,
        (1_500_000).to_bytes(8),
        (5).to_bytes(8),
        (7).to_bytes(2),
        struct.pack(">f", 250),
        bytes.fromhex("00000001 00000000 00000019 00000002 00000001")
        + b"\0\0\0\x09heat+1995\0\0\0\x05ronin",
        b"v1",
        b"blue",
        b"control",
        b"model",
    ]
    assert column_count(row(receipt, "blue")) == len(COLUMNS)


def test_a_row_of_an_interleaved_list_has_two_columns_more_and_an_arm_of_its_own():
    receipt = Receipt(ID, 1.5, 5, "heat+1995,ronin", "model", "v1", 7, 0.25, "v2", "A=")

    of_row = row(receipt, "blue")
    assert column_count(of_row) == len(INTERLEAVED_COLUMNS)
    assert values(of_row)[6:] == [b"v1", b"blue", b"interleaved", b"model", b"v2", b"A="]


def test_an_answer_without_movies_is_an_array_without_dimensions():
    receipt = Receipt(ID, 1.5, 5, "", "popular", "v1", -1, 0.25)

    assert values(row(receipt, "blue"))[5] == bytes.fromhex("00000000 00000000 00000019")


@given(receipts=st.lists(RECEIPTS))
def test_joined_rows_are_taken_apart_again(receipts):
    rows = [row(receipt, "green") for receipt in receipts]

    assert apart(b"".join(rows)) == rows


@given(receipt=RECEIPTS)
def test_a_row_tells_whose_it_is_and_when_it_was_left(receipt):
    of_row = row(receipt, "blue")

    assert receipt_id(of_row) == ID.hex
    assert unix_time(of_row) == pytest.approx(receipt.time, abs=1e-6)


@given(rows=st.binary(min_size=1))
def test_what_is_no_row_is_told_or_given_back_whole(rows):
    try:
        found = apart(rows)
    except struct.error:
        return
    assert b"".join(found) == rows


def test_zeros_that_a_power_failure_left_are_no_rows():
    with pytest.raises(struct.error, match="no row has 0 columns"):
        apart(bytes(2**16))
