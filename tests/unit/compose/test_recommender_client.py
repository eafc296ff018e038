import asyncio

import pytest

from compose.simulator.recommender_client import ask, caller


def asked(reply, *, times=1, user_id="7", delay=0.0):
    """Answers to `times` questions to a server that replies so, and how many connections it saw."""
    connections = []

    async def serve(reader, writer):
        connections.append(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(delay)
            writer.write(reply)
            await writer.drain()
            if b"close" in reply:
                break
        writer.close()

    async def connected(reader, writer):
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    async def questions():
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with caller(f"http://127.0.0.1:{port}") as client:
            answers = [await ask(client, user_id) for _ in range(times)]
        server.close()
        return answers, len(connections)

    return asyncio.run(questions())


def http(status, body):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_a_list_becomes_movie_ids_best_first():
    (answer,), _ = asked(http("200 OK", "up+2009,heat+1995\n"))
    assert (answer.status, answer.movie_ids, answer.error) == (200, ("up+2009", "heat+1995"), None)


def test_connections_are_kept():
    assert asked(http("200 OK", "up+2009"), times=5)[1] == 1


def test_another_status_is_a_failure_in_the_words_of_a_real_log():
    (answer,), _ = asked(http("503 Service Unavailable", ""))
    assert answer.status == 0
    assert answer.error == "dispatch.StatusCode: Unexpected response status: 503"


def test_after_600_ms_the_caller_gives_up():
    (answer,), _ = asked(http("200 OK", "up+2009"), delay=0.9)
    assert answer.status == 0
    assert "TimeoutException" in answer.error
    assert answer.milliseconds >= 550


def test_a_broken_answer_is_a_failure_and_not_asked_for_again():
    (answer,), connections = asked(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nup close")
    assert answer.status == 0
    assert answer.error.startswith("java.io.IOException")
    assert connections == 1


def test_a_refused_connection_is_a_failure():
    async def question():
        async with caller("http://127.0.0.1:1") as client:
            return await ask(client, "7")

    assert asyncio.run(question()).error == "java.net.ConnectException: Connection refused"


@pytest.mark.parametrize("user_id", ["\0", "a/../b", "9" * 40, "user 7"])
def test_odd_ids_can_be_asked_for(user_id):
    (answer,), _ = asked(http("400 Bad Request", "no"), user_id=user_id)
    assert answer.status == 0
