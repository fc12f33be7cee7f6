"""Writes one number after another through a Service, and tells on stdout what became of each.

Arguments: run, first number. COUNTER_HOST, COUNTER_PORT and COUNTER_PASSWORD say where. One JSON object a line:
  {"n": 7, "sent": <ms since 1970>, "ms": <how long>, "server": "10.0.0.1"}   acknowledged by the server of this address
  {"n": 8, "sent": ..., "ms": ..., "lost": "before", "error": "..."}          was never sent: no connection
  {"n": 9, "sent": ..., "ms": ..., "lost": "refused", "error": "..."}         the server said no
  {"n": 10, "sent": ..., "ms": ..., "lost": "unknown", "error": "..."}        was sent and not answered: may or may not be stored
One connection at a time. Any trouble closes it, and the next number opens another, as a careful application does. A number is
never sent twice. SIGTERM ends it after the number at hand.
"""

import json
import os
import select
import signal
import sys
import time

from psycopg import pq

EVERY_S = 0.02
CONNECT_WITHIN_S = 1.0
ANSWER_WITHIN_S = 1.0
INSERT = b"INSERT INTO counter (run, n) VALUES ($1, $2) RETURNING host(inet_server_addr())"

leaving = False


def leave(_signal, _frame):
    global leaving
    leaving = True


def ready(connection, writing, deadline):
    """Waits until the connection's socket can be read (or written)."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("time out")
    sockets = [connection.socket]
    readable, writable, _ = select.select([] if writing else sockets, sockets if writing else [], [], remaining)
    if not readable and not writable:
        raise TimeoutError("time out")


def connect(conninfo):
    deadline = time.monotonic() + CONNECT_WITHIN_S
    connection = pq.PGconn.connect_start(conninfo)
    try:
        if connection.status == pq.ConnStatus.BAD:
            raise ConnectionError(message_of(connection))
        step = pq.PollingStatus.WRITING
        while step != pq.PollingStatus.OK:
            ready(connection, step == pq.PollingStatus.WRITING, deadline)
            step = connection.connect_poll()
            if step == pq.PollingStatus.FAILED:
                raise ConnectionError(message_of(connection))
        connection.nonblocking = 1
        return connection
    except Exception:
        connection.finish()
        raise


def insert(connection, run, number):
    """The server's address, or None and what the server answered instead."""
    deadline = time.monotonic() + ANSWER_WITHIN_S
    connection.send_query_params(INSERT, [run.encode(), str(number).encode()])
    while connection.flush():
        ready(connection, True, deadline)
    result = None
    while True:
        while connection.is_busy():
            ready(connection, False, deadline)
            connection.consume_input()
        following = connection.get_result()
        if following is None:
            break
        result = following
    if result is not None and result.status == pq.ExecStatus.TUPLES_OK:
        return result.get_value(0, 0).decode(), None
    # A result with an SQLSTATE is the server's own answer; without one libpq made it up from a broken connection.
    state = result and result.error_field(pq.DiagnosticField.SQLSTATE)
    if not state:
        raise ConnectionError(message_of(connection))
    return None, f"{state.decode()} {result.get_error_message()}"


def message_of(connection):
    return " ".join(connection.get_error_message().split())


def main(run, number):
    signal.signal(signal.SIGTERM, leave)
    host, port, password = (os.environ[f"COUNTER_{name}"] for name in ("HOST", "PORT", "PASSWORD"))
    conninfo = f"host={host} port={port} dbname=postgres user=postgres password={password} application_name=counter".encode()
    connection = None
    following = time.monotonic()
    while not leaving:
        # Behind the beat after a stall: the numbers that were due meanwhile are not made up for.
        following = max(following + EVERY_S, time.monotonic())
        sent, started = time.time(), time.monotonic()
        line = {"n": number, "sent": round(sent * 1000, 1)}
        stage = "before"
        try:
            if connection is None:
                connection = connect(conninfo)
            stage = "unknown"
            server, refusal = insert(connection, run, number)
            if refusal is None:
                line["server"] = server
            else:
                stage = "refused"
                raise ConnectionError(refusal)
        except Exception as error:
            line.update(lost=stage, error=" ".join(str(error).split())[:200])
            if connection is not None:
                connection.finish()
                connection = None
        line["ms"] = round((time.monotonic() - started) * 1000, 1)
        print(json.dumps(line), flush=True)
        number += 1
        time.sleep(max(0.0, following - time.monotonic()))


main(sys.argv[1], int(sys.argv[2]))
