#!/usr/bin/env python3
"""atomik-core 0.4.0 (Apache-2.0) behind abench's engine protocol: its PersistentSyncTable, 16 B a delta, as published.

The library has no outbox. The adapter keeps one, a file of the deltas that are to be passed on, and sends them in requests
until they are answered. A counter is a context: an addition puts the sum of what is shown and the amount.
"""

import base64
import json
import os
import sys

from atomik_core.persistent import PersistentSyncTable
from atomik_core.stream import DeltaMessage

ENGINE = {
    "protocol": 1, "name": "atomik-core PersistentSyncTable", "version": "0.4.0",
    "about": "the XOR of a context before and after, as published, passed on by an outbox",
    "counters": {"min": str(-(2**63)), "max": str(2**63 - 1)}, "peers": False,
    "repeats": True, "clock": "given", "transport": "exactly-once", "store": "files", "id": "kept",
    "survives": "with-author-or-relay",
    "promises": "deltas can arrive out of order, be duplicated, or be merged in transit: the result is always correct",
}
RECORD, WIDTH = 16, 2**64


class Replica:
    def __init__(self, start):
        fields = start["registers"]
        self.start, self.count, self.hub = int(fields["start"]) % WIDTH, fields["counters"], start["serves"]
        self.table = PersistentSyncTable(self.count, path="state.wal")
        self.retry_after, self.retry_at_most = start["retry_after"], start["retry_at_most"]
        # All that is to be passed on, and from whom it came; by neighbour, how far it has answered.
        self.outbox, self.given, self.connected, self.timers = [], {}, set(), {}
        if os.path.exists("outbox"):
            lines = open("outbox").read().splitlines()
            self.outbox = [(int(origin), bytes.fromhex(delta)) for origin, delta in map(str.split, lines)]
        if os.path.exists("given"):
            self.given = {int(peer): at for peer, at in json.load(open("given")).items()}
        self.peers = sorted(self.given)

    def shown(self, register):
        # The library's contexts begin at 0: the register's start is exclusive-ored with them, as a load would do.
        return self.start ^ self.table.get(register)

    def keep(self, origin, delta):
        self.outbox.append((origin, delta))
        with open("outbox", "a") as file:
            file.write(f"{origin} {delta.hex()}\n")
            os.fsync(file.fileno())

    def set_given(self, peer, at):
        self.given[peer] = at
        with open("given.new", "w") as file:
            json.dump(self.given, file)
            os.fsync(file.fileno())
        os.replace("given.new", "given")

    def edit(self, request):
        register = request["register"]
        value = (self.shown(register) + int(request["add"])) % WIDTH
        self.keep(-1, self.table.put(register, value ^ self.start).to_bytes())
        return [{"accept": True}] + [effect for peer in self.connected for effect in self.offer(peer, request["now"])]

    def offer(self, peer, now, again=False):
        at, end = self.given.get(peer, 0), len(self.outbox)
        deltas = b"".join(delta for origin, delta in self.outbox[at:end] if origin != peer)
        if not deltas:
            self.timers.pop(peer, None)
            return []
        wait = min(2 * self.timers[peer][1], self.retry_at_most) if again else self.retry_after
        self.timers[peer] = (now + wait, wait)
        body = base64.b64encode(deltas).decode()
        return [{"send": {"to": peer, "body": body, "request": end, "again": again}}]

    def connected_with(self, request):
        self.connected.add(request["peer"])
        return self.offer(request["peer"], request["now"])

    def disconnected(self, request):
        self.connected.discard(request["peer"])
        self.timers.pop(request["peer"], None)
        return []

    def message(self, request):
        peer, now = request["from"], request["now"]
        if "answer" in request:
            self.set_given(peer, max(self.given.get(peer, 0), request["answer"]))
            self.timers.pop(peer, None)
            return self.offer(peer, now) if self.given[peer] < len(self.outbox) else []
        body, effects = base64.b64decode(request["body"]), []
        for at in range(0, len(body) - len(body) % RECORD, RECORD):
            delta = body[at:at + RECORD]
            self.table.receive(DeltaMessage.from_bytes(delta))
            if self.hub:
                self.keep(peer, delta)
        effects.append({"send": {"to": peer, "body": "", "answer": request["request"], "edits": False}})
        others = self.connected - {peer} if self.hub else ()
        return effects + [effect for other in sorted(others) for effect in self.offer(other, now)]

    def wake(self, request):
        due = sorted(peer for peer, (at, _) in self.timers.items() if at <= request["now"])
        return [effect for peer in due for effect in self.offer(peer, request["now"], again=True)]

    def state(self):
        times = [at for at, _ in self.timers.values()]
        own = max(self.given.values(), default=0)
        return {"wake_at": min(times, default=None), "backlog": sum(o == -1 for o, _ in self.outbox[own:])}

    def views(self):
        numbers = [self.shown(register) for register in range(self.count)]
        return [str(number - WIDTH if number >= WIDTH // 2 else number) for number in numbers]


def main():
    replica = None
    for line in sys.stdin:
        request = json.loads(line)
        what, answer = request["do"], {"n": request["n"]}
        if what == "hello":
            answer["engine"] = ENGINE
        elif what == "start":
            replica = Replica(request)
        elif what == "views":
            answer["views"] = replica.views()
        elif what == "message":
            is_whole = "request" in request or "answer" in request
            effects = replica.message(request) if is_whole and len(request["body"]) % 4 == 0 else []
            answer |= {"message": "taken" if is_whole else "damaged", "effects": effects}
        else:
            does = {"edit": replica.edit, "connected": replica.connected_with, "wake": replica.wake,
                    "disconnected": replica.disconnected}
            answer["effects"] = does[what](request) if what in does else []
        print(json.dumps(answer | (replica.state() if replica else {})), flush=True)


if __name__ == "__main__":
    main()
