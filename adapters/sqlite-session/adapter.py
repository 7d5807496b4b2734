#!/usr/bin/env python3
"""SQLite's session extension (public domain), by apsw, behind abench's engine protocol. The conflict handler is the mapping:
replace      the answer to every conflict is REPLACE: the last changeset to be applied wins;
add          a counter that is not what the changeset began with gets the difference of its new and its old value;
patchset     as replace, with patchsets: they have no old values, so that nobody can add.

SQLite has no protocol. Every node keeps all changesets, each with its author and number, and sends what a neighbour lacks.
The author is new at every start, since a store may have been copied or set back.

Usage: adapter.py MAPPING [--diff] [--unnumbered]
--diff keeps a copy of the table as the changesets have it: an edit that is in none of them is found at the next start.
--unnumbered applies whatever comes, as a program does that has no numbers for its changesets.
`abench engine check` passes with add --diff. Without --diff it fails at "an accepted edit survives a power failure": the session
ends with its connection. With replace and patchset it fails at "edits of both replicas are added up".
"""

import base64
import json
import sys

import apsw

MAPPING, DIFF, UNNUMBERED = sys.argv[1], "--diff" in sys.argv, "--unnumbered" in sys.argv
ENGINE = {
    "protocol": 1, "name": "sqlite-session-" + "-".join(word.strip("-") for word in sys.argv[1:]), "version": "3.54.1",
    "about": f"a table of counters; its changesets are applied with {MAPPING} (apsw 3.54.1.0)",
    "counters": {"min": str(-(2**63)), "max": str(2**63 - 1)}, "peers": True, "repeats": True, "clock": "given",
    "transport": "exactly-once" if UNNUMBERED else "any-order", "store": "files", "id": "renewed",
    "survives": "while-shown", "rounds": True,
    "promises": "changesets make the same changes in another database that has compatible data; conflicts are the program's",
}
LINGER = 1_000_000


def wrapped(number):
    return (number + 2**63) % 2**64 - 2**63


class Replica:
    """By neighbour, how many changesets of each author it has, None until it is heard, and how many were sent."""

    def __init__(self, start):
        fields = start["registers"]
        self.count, self.me, self.number = fields["counters"], start["fresh"], 0
        self.retry_after, self.retry_at_most, self.retry = start["retry_after"], start["retry_at_most"], start["retry_after"]
        self.known, self.sent, self.wake_at, self.lingers, self.revision = {}, {}, None, False, 0
        self.db = apsw.Connection("table.db")
        self.db.execute("ATTACH 'synced.db' AS synced")
        for schema in ("main", "synced"):
            if self.db.pragma("integrity_check", schema=schema) != "ok":
                raise apsw.CorruptError(f"the integrity check of {schema}")
        with self.db:
            first = [(register, int(fields["start"])) for register in range(self.count)]
            for schema in ("main", "synced"):
                self.db.execute(f"CREATE TABLE IF NOT EXISTS {schema}.counters (register INTEGER PRIMARY KEY, value INTEGER)")
                self.db.executemany(f"INSERT OR IGNORE INTO {schema}.counters VALUES (?, ?)", first)
            # How many edits of this node a changeset has: 0 if it is of another.
            columns = "author, number, changeset, edits, PRIMARY KEY (author, number)"
            self.db.execute(f"CREATE TABLE IF NOT EXISTS log ({columns})")
        self.own = list(self.db.execute("SELECT author, number, edits FROM log WHERE edits > 0"))
        # Edits that the session recorded.
        self.waiting = 0
        self.record()
        if DIFF:
            self.session.diff("synced", "counters")
            self.waiting = len(list(apsw.Changeset.iter(self.session.changeset())))

    def record(self):
        """A session records what happens to the table from now on, in memory."""
        self.session = apsw.Session(self.db, "main")
        self.session.attach("counters")

    def take(self):
        """What the session recorded becomes a changeset of its own, durably, and a new session begins."""
        if self.session.is_empty:
            return
        changeset = self.session.patchset() if MAPPING == "patchset" else self.session.changeset()
        self.session.close()
        if changeset:
            self.number += 1
            with self.db:
                self.keep(self.me, self.number, changeset, self.waiting)
            self.own.append((self.me, self.number, self.waiting))
        self.waiting = 0
        self.record()

    def keep(self, author, number, changeset, edits):
        self.db.execute("INSERT OR IGNORE INTO log VALUES (?, ?, ?, ?)", (author, number, changeset, edits))
        if DIFF:
            self.db.execute("REPLACE INTO synced.counters SELECT * FROM main.counters EXCEPT SELECT * FROM synced.counters")

    def apply(self, author, number, changeset):
        """The session must not record what comes from others, nor mix it with what it has recorded."""
        self.take()
        self.session.enabled = False
        try:
            with self.db:
                apsw.Changeset.apply(changeset, self.db, conflict=self.conflict)
                self.keep(author, number, changeset, 0)
        finally:
            self.session.enabled = True
        self.revision += 1

    def conflict(self, reason, change):
        if MAPPING == "add" and reason == apsw.SQLITE_CHANGESET_DATA:
            value = wrapped(change.conflict[1] + change.new[1] - change.old[1])
            self.db.execute("UPDATE main.counters SET value = ? WHERE register = ?", (value, change.old[0]))
            return apsw.SQLITE_CHANGESET_OMIT
        return apsw.SQLITE_CHANGESET_REPLACE if reason == apsw.SQLITE_CHANGESET_DATA else apsw.SQLITE_CHANGESET_ABORT

    def have(self):
        return dict(self.db.execute("SELECT author, max(number) FROM log GROUP BY author"))

    def lacks(self, peer, sent):
        """Whether a neighbour lacks a changeset; those that were sent count as there if so asked."""
        known = self.known[peer]
        return known is None or any(max(known.get(a, 0), sent.get(a, 0)) < number for a, number in self.have().items())

    def tell(self, peer):
        self.take()
        known, sent = self.known[peer], self.sent[peer]
        lacking = []
        if known is not None:
            rows = self.db.execute("SELECT author, number, changeset FROM log ORDER BY rowid")
            lacking = [row for row in rows if max(known.get(row[0], 0), sent.get(row[0], 0)) < row[1]]
            self.sent[peer] = self.have()
        sent = [[author, number, len(changeset)] for author, number, changeset in lacking]
        head = json.dumps([list(self.have().items()), sent, known is None], separators=(",", ":")).encode() + b"\n"
        body = base64.b64encode(head + b"".join(changeset for _, _, changeset in lacking)).decode()
        marks = {"edits": bool(lacking), "begins": known is not None, "ends": known is not None}
        return {"send": {"to": peer, "body": body, "ids": len(head)} | marks}

    def tell_soon(self, now):
        self.retry = self.retry_after
        if self.known:
            self.wake_at, self.lingers = now + LINGER, True

    def edit(self, request):
        register = request["register"]
        [(value,)] = self.db.execute("SELECT value FROM counters WHERE register = ?", (register,))
        value = wrapped(value + int(request["add"]))
        self.db.execute("UPDATE main.counters SET value = ? WHERE register = ?", (value, register))
        self.waiting, self.revision = self.waiting + 1, self.revision + 1
        self.tell_soon(request["now"])
        return [{"accept": True}]

    def connected(self, request):
        self.known[request["peer"]], self.sent[request["peer"]] = None, {}
        self.wake_at, self.retry = request["now"] + self.retry_after, self.retry_after
        return [self.tell(request["peer"])]

    def disconnected(self, request):
        self.known.pop(request["peer"], None)
        return []

    def message(self, request):
        peer, body = request["from"], base64.b64decode(request["body"])
        at = body.index(b"\n") + 1
        have, sent, first = json.loads(body[:at])
        here, taken = self.have(), 0
        for author, number, length in sent:
            changeset, at = body[at:at + length], at + length
            if here.get(author, 0) + 1 == number or UNNUMBERED:
                self.apply(author, number, changeset)
                here[author], taken = number, taken + 1
        was_heard, self.known[peer] = self.known.get(peer) is not None, dict(have)
        self.own = [of for of in self.own if self.known[peer].get(of[0], 0) < of[1]]
        if taken:
            self.tell_soon(request["now"])
        # What was taken is durable before the answer acknowledges it.
        return [self.tell(peer)] if sent or first or not was_heard or self.lacks(peer, self.sent[peer]) else []

    def wake(self, request):
        self.take()
        lacking = [peer for peer in self.known if self.lacks(peer, {})]
        self.wake_at = request["now"] + self.retry if lacking else None
        if self.lingers:
            self.lingers = False
            return [self.tell(peer) for peer in lacking if self.lacks(peer, self.sent[peer])]
        # No answer came: all of it is sent again.
        self.sent, self.retry = {peer: {} for peer in self.known}, min(2 * self.retry, self.retry_at_most)
        return [self.tell(peer) for peer in lacking]

    def state(self):
        backlog = self.waiting + sum(edits for _, _, edits in self.own)
        return {"wake_at": self.wake_at, "backlog": backlog, "revision": self.revision}

    def views(self):
        return [str(value) for (value,) in self.db.execute("SELECT value FROM counters ORDER BY register")]


def answer_to(replica, request):
    what = request["do"]
    if what == "views":
        return {"views": replica.views()}
    if what == "message":
        try:
            return {"message": "taken", "effects": replica.message(request)}
        except (ValueError, TypeError, AttributeError, apsw.Error):
            return {"message": "damaged"}
    return {"effects": getattr(replica, what)(request) if hasattr(replica, what) else []}


def main():
    replica = None
    for line in sys.stdin:
        request, answer = json.loads(line), {}
        if request["do"] == "hello":
            answer["engine"] = ENGINE
        elif request["do"] == "start":
            try:
                replica = Replica(request)
            except apsw.Error as error:
                answer["damaged"] = str(error)
        else:
            answer = answer_to(replica, request)
        print(json.dumps({"n": request["n"]} | answer | (replica.state() if replica else {})), flush=True)


if __name__ == "__main__":
    main()
