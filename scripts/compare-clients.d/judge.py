"""What truly went over the wire, from a packet capture or from the server's send log.

`judge.py capture FILE PORT` and `judge.py log FILE` print JSON; each request is
[sent or received ns, [arrival ns of each content chunk], over?]."""

import json
import struct
import sys

SOME = b'"content":"'
EMPTY = b'"content":""'


def capture(path, port):
    """Requests as the loopback interface saw them: the true send is the first packet of the POST,
    an arrival is the packet with the content chunk. A chunk's marker cut by a packet's end is
    looked for in the joined bytes of both."""
    data = open(path, "rb").read()
    order = {b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}.get(data[:4])
    if order is None:
        raise SystemExit(f"{path} is no capture with nanoseconds")
    head = struct.Struct(order + "IIII").unpack_from
    ports = struct.Struct(">HHI").unpack_from
    requests, lines, cut, again = [], {}, 0, 0
    offset, size = 24, len(data)
    while offset + 16 <= size:
        seconds, nanos, kept, length = head(data, offset)
        packet = offset + 16
        offset = packet + kept
        if offset > size:
            break
        tcp = packet + 14 + (data[packet + 14] & 15) * 4
        source, destination, sequence = ports(data, tcp)
        start = tcp + (data[tcp + 12] >> 4) * 4
        if start >= offset:
            continue
        at = seconds * 1_000_000_000 + nanos
        cut += length > kept
        if destination == port:
            if data.startswith(b"POST /v1/chat/completions", start):
                line = lines[source] = [at, [], False, b"", 0]
                requests.append(line)
            continue
        line = lines.get(destination)
        if line is None or line[2]:
            continue
        # A segment that was sent again holds nothing new.
        if line[4] and (sequence - line[4]) & 0xFFFFFFFF >= 1 << 31:
            again += 1
            continue
        line[4] = (sequence + length - (start - packet)) & 0xFFFFFFFF
        bytes_ = line[3] + data[start:offset]
        chunks = bytes_.count(SOME) - bytes_.count(EMPTY)
        if line[3]:
            chunks -= line[3].count(SOME) - line[3].count(EMPTY)
        if chunks:
            line[1].extend([at] * chunks)
        line[2] = b"data: [DONE]" in bytes_
        # An empty text's second quote may be the one that is cut off.
        tail = bytes_[-len(EMPTY) :]
        line[3] = tail if b"\n" not in tail[-2:] else b""
    return {"requests": [line[:3] for line in requests], "cut_packets": cut, "repeated_packets": again}


def log(path):
    """Requests as the server wrote them: it received one, and wrote chunks, just before the call.
    Rows of several tokens are several chunks in one write."""
    requests, ends, flying, most = {}, [], 0, 0
    with open(path) as file:
        next(file)
        for row in file:
            request, _, event, _, tokens, _, at = row.rsplit(",", 6)
            if event == "chunk":
                requests[request][1].extend([int(at)] * int(tokens))
            elif event == "request_received":
                requests[request] = [int(at), [], False]
                flying += 1
                most = max(most, flying)
            elif event == "done":
                requests[request][2] = True
                ends.append(int(at))
                flying -= 1
    first = min((request[0] for request in requests.values()), default=0)
    return {"requests": list(requests.values()), "first_ns": first, "last_ns": max(ends, default=0), "most_in_flight": most}


if __name__ == "__main__":
    kind, path, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    json.dump(capture(path, int(rest[0])) if kind == "capture" else log(path), sys.stdout)
