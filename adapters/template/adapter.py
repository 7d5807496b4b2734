#!/usr/bin/env python3
"""A template for adapters, in Python: a log of edits behind abench's engine protocol, version 1.
Replace Replica by your engine. docs/engine-protocol.md says what abench asks, and what an adapter may answer;
docs/data-types.md says what a replica must show.
"""

import base64
import json
import sys

ENGINE = {
    "protocol": 1, "name": "template", "version": "1", "about": "every edit to everyone who lacks it, each once",
    "counters": {"min": str(-(2**63)), "max": str(2**63 - 1)}, "tags": "either", "peers": True,
    "repeats": True, "clock": "given", "transport": "any-order", "store": "journal", "id": "renewed",
    "survives": "while-shown", "rounds": True,
}
LINGER = 1_000_000


def pack(value):
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def unpack(text):
    return json.loads(base64.b64decode(text))


class Replica:
    """Edits by author, in the order of each; by neighbour, how many of each author's it has: None until it is heard."""

    def __init__(self, start):
        self.registers, self.me = start["registers"], str(start["fresh"])
        self.retry_after, self.retry_at_most = start["retry_after"], start["retry_at_most"]
        self.edits, self.known, self.wake_at, self.retry, self.given = {}, {}, None, self.retry_after, 0
        for entry in start["entries"]:
            author, edit = unpack(entry)
            self.edits.setdefault(author, []).append(edit)

    def have(self):
        return {author: len(edits) for author, edits in self.edits.items()}

    def keep(self, author, edit):
        self.edits.setdefault(author, []).append(edit)
        return {"append": pack([author, edit])}

    def tell_soon(self, now):
        self.retry = self.retry_after
        if self.known:
            self.wake_at = now + LINGER

    def lacks(self, peer):
        known = self.known[peer]
        return known is None or any(known.get(author, 0) < count for author, count in self.have().items())

    def tell(self, peer, first=False):
        known = self.known[peer]
        lacking = {a: e[known.get(a, 0):] for a, e in self.edits.items()} if known is not None else {}
        lacking = {author: edits for author, edits in lacking.items() if edits}
        body = {"have": self.have(), "from": {a: known.get(a, 0) for a in lacking}, "edits": lacking, "first": first}
        # One message tells all that the peer lacks, once that is known: it is a whole round then.
        whole = known is not None
        return {"send": {"to": peer, "body": pack(body), "edits": bool(lacking), "begins": whole, "ends": whole}}

    def edit(self, request):
        edit = {key: request[key] for key in ("register", "add", "insert", "remove") if key in request}
        # A remove means what is shown: an insert that is still on its way must not be undone.
        if "remove" in edit and edit["remove"] not in self.views()[edit["register"]]:
            return [{"accept": True}]
        edit["at"] = 1 + max((e["at"] for edits in self.edits.values() for e in edits), default=0)
        self.tell_soon(request["now"])
        # An edit is accepted once it would survive a crash.
        return [self.keep(self.me, edit), {"sync": True}, {"accept": True}]

    def connected(self, request):
        self.known[request["peer"]] = None
        self.wake_at, self.retry = request["now"] + self.retry_after, self.retry_after
        return [self.tell(request["peer"], first=True)]

    def disconnected(self, request):
        self.known.pop(request["peer"], None)
        return []

    def message(self, request, body):
        peer, stored = request["from"], []
        for author, edits in body["edits"].items():
            here = len(self.edits.get(author, []))
            if body["from"][author] <= here:
                stored += [self.keep(author, edit) for edit in edits[here - body["from"][author]:]]
        self.given = max(self.given, body["have"].get(self.me, 0))
        was_heard, self.known[peer] = self.known.get(peer) is not None, body["have"]
        if stored:
            self.tell_soon(request["now"])
            stored.append({"sync": True})
        # What was taken is durable before the answer acknowledges it. Edits that came before, too: that answer was lost.
        answers = body["edits"] or body["first"] or not was_heard or self.lacks(peer)
        return stored + ([self.tell(peer)] if answers else [])

    def wake(self, request):
        lacking = [peer for peer in self.known if self.lacks(peer)]
        self.wake_at = request["now"] + self.retry if lacking else None
        self.retry = min(2 * self.retry, self.retry_at_most)
        return [self.tell(peer, first=self.known[peer] is None) for peer in lacking]

    def backlog(self):
        return len(self.edits.get(self.me, [])) - self.given

    def views(self):
        counters = [int(self.registers["start"])] * self.registers["counters"]
        tags = [set() for _ in range(self.registers["tags"])]
        all_edits = [(edit["at"], author, edit) for author, edits in self.edits.items() for edit in edits]
        for _, _, edit in sorted(all_edits, key=lambda of: of[:2]):
            register, of_tags = edit["register"], edit["register"] - len(counters)
            if "add" in edit:
                # Counters wrap at 64 bits.
                counters[register] = (counters[register] + int(edit["add"]) + 2**63) % 2**64 - 2**63
            elif "insert" in edit:
                tags[of_tags].add(edit["insert"])
            else:
                tags[of_tags].discard(edit["remove"])
        return [str(counter) for counter in counters] + [sorted(elements) for elements in tags]


def answer_to(replica, request):
    what = request["do"]
    if what == "views":
        return {"views": replica.views()}
    if what == "message":
        try:
            return {"message": "taken", "effects": replica.message(request, unpack(request["body"]))}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"message": "damaged"}
    return {"effects": getattr(replica, what)(request) if hasattr(replica, what) else []}


def main():
    replica = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"engine": ENGINE} if request["do"] == "hello" else {}
        if request["do"] == "start":
            replica = Replica(request)
        elif replica:
            answer = answer_to(replica, request)
        if replica:
            answer |= {"wake_at": replica.wake_at, "backlog": replica.backlog(), "revision": sum(replica.have().values())}
        print(json.dumps({"n": request["n"]} | answer), flush=True)


if __name__ == "__main__":
    main()
