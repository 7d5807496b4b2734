"""The published program, played by a client of its own: it shares no code with abench.

Usage: published_program.py HOST PORT COUNT SEED

It reaches the bench engine over UARTBone on TCP (LiteX: all big-endian, a command, a word count, an address in words).
For 1, 2, 4, ... active banks it writes COUNT, ACTIVE and SEED, starts the engine, polls CTRL until done is up, and reads
CYCLES and RESULT. It clears nothing, reads nothing back, and repeats nothing. It prints the published table.

Exit codes: 0 every row matches, 1 a row does not, 4 the device does not answer.
"""

import socket
import struct
import sys
import time

BASE = 0xF0021000
CTRL, COUNT, ACTIVE, SEED_LO, SEED_HI, CYCLES, RESULT_LO, RESULT_HI, STATUS = range(0x00, 0x24, 4)
WORD = (1 << 32) - 1
STATE = (1 << 64) - 1

# How long the end of a run is waited for, in seconds; the longest run of the table takes 10 ms at 100 MHz.
PATIENCE = 2.0


def delta(index, seed):
    """Delta number `index`: one step of xorshift64."""
    x = (seed ^ index) & STATE
    x ^= x << 13 & STATE
    x ^= x >> 7
    x ^= x << 17 & STATE
    return x


class Device:
    """The registers of the bench engine."""

    def __init__(self, host, port):
        self.line = socket.create_connection((host, port), timeout=PATIENCE)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, offset, word):
        self.line.sendall(struct.pack(">BBII", 1, 1, (BASE + offset) >> 2, word))

    def read(self, offset):
        self.line.sendall(struct.pack(">BBI", 2, 1, (BASE + offset) >> 2))
        answer = b""
        while len(answer) < 4:
            came = self.line.recv(4 - len(answer))
            if not came:
                raise OSError("the far end closed the link")
            answer += came
        return struct.unpack(">I", answer)[0]


def row(device, banks, count, seed):
    """CYCLES and RESULT of one run, or None if it does not end."""
    device.write(COUNT, count)
    device.write(ACTIVE, banks)
    device.write(SEED_LO, seed & WORD)
    device.write(SEED_HI, seed >> 32)
    device.write(CTRL, 1)
    end = time.monotonic() + PATIENCE
    while not device.read(CTRL) & 2:
        if time.monotonic() > end:
            return None
    cycles = device.read(CYCLES)
    return cycles, device.read(RESULT_HI) << 32 | device.read(RESULT_LO)


def main():
    host, port, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4], 16)
    reference = 0
    for index in range(count):
        reference ^= delta(index, seed)
    device = Device(host, port)
    most = device.read(STATUS) >> 16 & 0xFF
    matches, banks, first = True, 1, None
    print(f"count={count}  seed={seed:#018x}\n\nbanks  hw_cycles   speedup  result              ok")
    while banks <= most:
        outcome = row(device, banks, count, seed)
        expected = (-(-count // banks), reference)
        matches &= outcome == expected
        if outcome is None:
            print(f"{banks:<7}not done")
        else:
            cycles, result = outcome
            first = first or cycles
            speedup = f"{first * 100 // cycles / 100:.2f}" if cycles else "-"
            print(f"{banks:<7}{cycles:<12}{speedup:<9}{result:#018x}  {'OK' if outcome == expected else 'MISMATCH!'}")
        banks *= 2
    print(f"\nsoftware reference = {reference:#018x}\nVERIFY: {'ALL MATCH' if matches else 'FAILED'}")
    return 0 if matches else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        print(f"published_program: {error}", file=sys.stderr)
        sys.exit(4)
