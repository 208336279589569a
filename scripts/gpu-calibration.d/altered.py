#!/usr/bin/env python3
"""A server between a client and vLLM that alters some answers: the cheats that need no other weights.

    altered.py MODEL_DIR PORT [--body JSON] [--burst] [--every N (--other MODEL_DIR | --replay)]

It starts `serve-vllm MODEL_DIR` on another port and passes requests on.

    --body JSON     fields that replace those of every question, such as {"temperature": 0.2}
    --burst         holds each answer until it is whole, and sends it at once
    --every N       of the questions each N-th is answered in another way:
    --other MODEL   by a second server, on this model
    --replay        with the bytes of the first answer ever given, whatever is asked
"""

import argparse
import asyncio
import json
import pathlib
import socket
import subprocess

SERVE = pathlib.Path(__file__).resolve().parent / "serve-vllm"
QUESTION = b"POST /v1/chat/completions "


class Altered:
    def __init__(self, options):
        self.options = options
        self.kept = []
        self.ports = [self.start(options.model)]
        if options.other:
            self.ports.append(self.start(options.other))
        self.questions = 0
        self.first = None

    def start(self, model):
        port = self.port()
        subprocess.Popen([SERVE, model, str(port)])
        return port

    def port(self):
        """A free port, kept from other runs as `bench` keeps its own: vLLM's servers share ports."""
        while True:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            kept = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                kept.bind(f"\0bench-port-{port}")
            except OSError:
                kept.close()
                continue
            self.kept.append(kept)
            return port

    async def client(self, reader, writer):
        try:
            head, body = await request(reader)
            if head.startswith(b"GET /health "):
                # Ready when all are; nobody listening ends this connection without an answer.
                answers = [await self.whole(port, head, body) for port in self.ports]
                writer.write(next((a for a in answers if b" 200 " not in a.split(b"\r\n")[0]), answers[0]))
            elif head.startswith(QUESTION):
                await self.question(head, body, writer)
            else:
                await self.passed_on(self.ports[0], head, body, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def question(self, head, body, writer):
        options = self.options
        self.questions += 1
        another = options.every and self.questions % options.every == 0
        if another and options.replay and self.first:
            writer.write(self.first)
            return
        if options.body:
            body = json.dumps(json.loads(body) | options.body).encode()
        port = self.ports[-1] if another else self.ports[0]
        if options.burst:
            writer.write(await self.whole(port, head, body))
            return
        answer = await self.passed_on(port, head, body, writer)
        self.first = self.first or answer

    async def whole(self, port, head, body):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(alone(head, body))
            return await reader.read()
        finally:
            writer.close()

    async def passed_on(self, port, head, body, client):
        """Passes the answer on as it comes, and returns its bytes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(alone(head, body))
            answer = b""
            while part := await reader.read(65536):
                answer += part
                client.write(part)
                await client.drain()
            return answer
        finally:
            writer.close()


async def request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    fields = [line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line]
    length = next((int(value) for name, value in fields if name.lower() == b"content-length"), 0)
    return head, await reader.readexactly(length)


def alone(head, body):
    """The request again, as the only one of its connection."""
    first, *fields = head.rstrip().split(b"\r\n")
    kept = [f for f in fields if f.split(b":")[0].lower() not in (b"connection", b"content-length")]
    return b"\r\n".join([first, *kept, b"Connection: close", b"Content-Length: %d" % len(body), b"", body])


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("port", type=int)
    parser.add_argument("--body", type=json.loads)
    parser.add_argument("--burst", action="store_true")
    parser.add_argument("--every", type=int)
    parser.add_argument("--other")
    parser.add_argument("--replay", action="store_true")
    options = parser.parse_args()
    server = await asyncio.start_server(Altered(options).client, "127.0.0.1", options.port)
    await server.serve_forever()


asyncio.run(main())
