import pytest

from vaultadmin.outbound.budget import MAX_HEADER_BYTES, AnswerTooBig
from vaultadmin.outbound.reading import AnswerReader, BadAnswer
from vaultadmin.outbound.trip import MAX_BODY, Trip

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = {
    "counted": (OK + b"Content-Length: 5\r\n\r\nhello", b"hello", True),
    "empty": (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    "chunked": (CHUNKED + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", b"hello", True),
    "chunked with trailers": (CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\n\r\n", b"hello", True),
    "after an interim answer": (b"HTTP/1.1 103 Hints\r\nX: y\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx", b"x", True),
    "last on its connection": (OK + b"Connection: Close\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
    "from an older server": (b"HTTP/1.0 200\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
    "with more behind it": (OK + b"Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", b"ok", False),
}

BROKEN = {
    "length and chunks": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "one length told twice": OK + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "signed length": OK + b"Content-Length: +5\r\n\r\n",
    "folded header": OK + b"X: a\r\n b\r\n\r\n",
    "space before the colon": OK + b"Content-Length : 5\r\n\r\n",
    "NUL in a header": OK + b"X: a\x00b\r\n\r\n",
    "bare line feed in a header": OK + b"X: a\nContent-Length: 5\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "another version": b"HTTP/2 200\r\n\r\n",
    "another version in full": b"HTTP/2.0 200 OK\r\n\r\n",
    "another protocol": b"RTSP/1.0 200 OK\r\n\r\n",
    "signed chunk": CHUNKED + b"-1\r\n",
    "chunk longer than told": CHUNKED + b"1\r\nxyz",
}


def read(data, piece):
    trip = Trip()
    reader = AnswerReader(trip, "GET")
    for start in range(0, len(data), piece):
        reader.feed(data[start : start + piece])
    return reader, trip


@pytest.mark.parametrize("piece", [1, 7, 10_000])
@pytest.mark.parametrize(("data", "body", "stays"), WHOLE.values(), ids=WHOLE.keys())
def test_answer_is_read_whatever_pieces_it_comes_in(data, body, stays, piece):
    reader, trip = read(data, piece)

    assert (reader.done, trip.finished().body) == (True, body)
    assert reader.may_ask_again is stays


@pytest.mark.parametrize("piece", [1, 10_000])
@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_answer_that_could_be_read_in_two_ways_is_none(data, piece):
    with pytest.raises(BadAnswer):
        read(data, piece)


def test_body_without_a_length_ends_with_the_connection():
    reader, trip = read(OK + b"\r\nhel", 4)
    reader.feed(b"lo")
    assert not reader.done

    reader.ended()

    assert (reader.done, reader.may_ask_again, trip.finished().body) == (True, False, b"hello")


def test_end_in_the_middle_is_told():
    reader, _ = read(OK + b"Content-Length: 5\r\n\r\nhel", 100)

    with pytest.raises(ConnectionResetError):
        reader.ended()


def test_head_without_end_is_given_up():
    with pytest.raises(AnswerTooBig):
        read(OK + b"X: " + b"y" * MAX_HEADER_BYTES, 5000)


def test_no_more_is_kept_than_shows_that_there_was_more():
    reader, trip = read(OK + b"Content-Length: 10000000\r\n\r\n" + b"x" * (MAX_BODY + 2), 60_000)

    assert (reader.done, reader.may_ask_again, trip.finished().truncated) == (True, False, True)
