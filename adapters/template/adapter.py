#!/usr/bin/env python3
"""A template for adapters, in Python: an operation log behind abench's engine protocol, version 1.

Replace Replica by your engine. What abench asks and what an adapter may answer is in docs/engine-protocol.md.
"""

import base64
import json
import sys

ENGINE = {
    "protocol": 1,
    "name": "template",
    "version": "1",
    "about": "every edit to everyone who lacks it, each once",
    "counters": {"min": str(-(2**63)), "max": str(2**63 - 1)},
    "tags": "either",
    "peers": True,
    "repeats": True,
    "clock": "given",
    "transport": "any-order",
    "store": "journal",
    "id": "renewed",
    "survives": "while-shown",
    "rounds": True,
}


def pack(value):
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def unpack(text):
    return json.loads(base64.b64decode(text))


class Replica:
    """Every edit of everyone, by author; by neighbour, how many of each it is known to have."""

    def __init__(self, start):
        self.registers, self.me = start["registers"], str(start["fresh"])
        self.retry = self.retry_after = start["retry_after"]
        self.retry_at_most = start["retry_at_most"]
        self.edits, self.known, self.wake = {}, {}, None
        for entry in start["entries"]:
            author, edit = unpack(entry)
            self.edits.setdefault(author, []).append(edit)

    def have(self):
        return {author: len(edits) for author, edits in self.edits.items()}

    def keep(self, author, edit):
        self.edits.setdefault(author, []).append(edit)
        return [{"append": pack([author, edit])}]

    def edit(self, request):
        edit = {key: request[key] for key in ("register", "add", "insert", "remove") if key in request}
        edit["at"] = 1 + max((e["at"] for edits in self.edits.values() for e in edits), default=0)
        effects = self.keep(self.me, edit) + [{"sync": True}, {"accept": True}]
        self.again(request["now"])
        return effects

    def again(self, now):
        """Somebody may lack something: tell everyone soon."""
        self.retry = self.retry_after
        if self.known:
            self.wake = min(self.wake or now + 1_000_000, now + 1_000_000)

    def tell(self, peer, first):
        known = self.known[peer]
        lacking = {a: e[known.get(a, 0):] for a, e in self.edits.items()} if known is not None else {}
        lacking = {author: edits for author, edits in lacking.items() if edits}
        body = {"have": self.have(), "from": {a: known.get(a, 0) for a in lacking}, "edits": lacking, "first": first}
        # Edits in a message are all that the sender has, so that one message is a whole round.
        return {"send": {"to": peer, "body": pack(body), "edits": bool(lacking), "begins": True, "ends": True}}

    def connected(self, request):
        self.known[request["peer"]] = None
        self.wake, self.retry = request["now"] + self.retry_after, self.retry_after
        return [self.tell(request["peer"], True)]

    def disconnected(self, request):
        self.known.pop(request["peer"], None)
        return []

    def message(self, request):
        peer, body, effects = request["from"], unpack(request["body"]), []
        for author, edits in body["edits"].items():
            here = len(self.edits.get(author, []))
            if body["from"][author] <= here:
                for edit in edits[here - body["from"][author]:]:
                    effects += self.keep(author, edit)
        effects = effects + [{"sync": True}] if effects else []
        knew = self.known.get(peer)
        self.known[peer] = body["have"]
        if effects or body["first"] or knew is None or self.lacks(peer):
            effects.append(self.tell(peer, False))
        if effects and any("append" in effect for effect in effects):
            self.again(request["now"])
        return effects

    def lacks(self, peer):
        known = self.known[peer]
        return known is None or any(known.get(a, 0) < n for a, n in self.have().items())

    def wake_up(self, request):
        if self.wake is None or self.wake > request["now"]:
            return []
        lacking = [peer for peer in self.known if self.lacks(peer)]
        self.wake = request["now"] + self.retry if lacking else None
        self.retry = min(2 * self.retry, self.retry_at_most)
        return [self.tell(peer, self.known[peer] is None) for peer in lacking]

    def backlog(self):
        have = len(self.edits.get(self.me, []))
        given = max(((known or {}).get(self.me, 0) for known in self.known.values()), default=0)
        return have - given

    def views(self):
        fields = self.registers
        counters = [int(fields["start"])] * fields["counters"]
        tags = [set() for _ in range(fields["tags"])]
        everything = [(e["at"], author, e) for author, edits in self.edits.items() for e in edits]
        for _, _, edit in sorted(everything, key=lambda edit: edit[:2]):
            register = edit["register"]
            if "add" in edit:
                # 64 bits, and round again.
                counters[register] = (counters[register] + int(edit["add"]) + 2**63) % 2**64 - 2**63
            elif "insert" in edit:
                tags[register - fields["counters"]].add(edit["insert"])
            else:
                tags[register - fields["counters"]].discard(edit["remove"])
        return [str(counter) for counter in counters] + [sorted(of) for of in tags]


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
        else:
            does = {"wake": replica.wake_up, "refused": lambda _: [], "poll": lambda _: []}
            answer["effects"] = does.get(what, getattr(replica, what, None))(request)
            if what == "message":
                answer["message"] = "taken"
        if replica:
            answer["wake_at"], answer["backlog"] = replica.wake, replica.backlog()
            answer["revision"] = sum(len(edits) for edits in replica.edits.values())
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
