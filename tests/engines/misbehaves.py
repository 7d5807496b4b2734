#!/usr/bin/env python3
"""An engine that misbehaves as its first argument says, when its user edits or where it is asked to."""

import json
import os
import subprocess
import sys
import time

HOW = sys.argv[1]
ENGINE = {
    "protocol": 2 if HOW == "other-version" else 1,
    "name": "misbehaves",
    "version": "1",
    "counters": {"min": "-10" if HOW == "small-range" else "-9223372036854775808", "max": "9223372036854775807"},
    "tags": "either",
    "peers": True,
    "repeats": HOW != "says-that-it-does-not-repeat",
    "clock": "given",
    "transport": "any-order",
    "store": "files" if HOW == "big-folder" else "journal",
    "id": "renewed",
}
HOARD = []
if HOW == "unknown-key":
    ENGINE["colour"] = "blue"


def say(answer):
    print(json.dumps(answer), flush=True)


def misbehave(n):
    if HOW == "ends":
        print("the database is locked", file=sys.stderr)
        sys.exit(3)
    if HOW == "is-killed":
        os.kill(os.getpid(), 11)
    if HOW == "garbage":
        print("\x1b[31m<html>not json", flush=True)
    elif HOW == "nested":
        print('{"n":%d,"views":%s' % (n, "[" * 200_000), flush=True)
    elif HOW == "flood":
        while True:
            sys.stdout.write("a" * 65536)
    elif HOW == "floods-stderr":
        for _ in range(2000):
            sys.stderr.write("e" * 65536)
        say({"n": n, "effects": [{"accept": True}]})
    elif HOW == "twice":
        say({"n": n, "effects": [{"accept": True}]})
        say({"n": n, "effects": [{"accept": True}]})
    elif HOW == "never-accepts":
        say({"n": n})
    elif HOW == "refuses":
        say({"n": n, "effects": [{"refuse": True}]})
    elif HOW == "accepts-twice":
        say({"n": n, "effects": [{"accept": True}, {"accept": True}]})
    elif HOW == "accepts-late":
        say({"n": n, "effects": [{"accept": True}], "wake_at": 61_000_000})
    elif HOW == "ends-children":
        # Each is an orphan at once, and has ended.
        for _ in range(100):
            subprocess.run(["sh", "-c", "true & exit 0"], check=True)
        time.sleep(0.5)
        say({"n": n, "effects": [{"accept": True}]})
    elif HOW == "late-number":
        say({"n": n - 1})
    elif HOW == "silent":
        time.sleep(3600)
    elif HOW == "array":
        say([n])
    elif HOW == "half-line":
        print('{"n": ', end="", flush=True)
        time.sleep(3600)
    elif HOW == "leaves-its-output":
        subprocess.Popen(["sleep", sys.argv[2]])
        sys.exit(0)
    elif HOW == "closes":
        os.close(1)
        time.sleep(3600)
    elif HOW == "to-a-stranger":
        say({"n": n, "effects": [{"send": {"to": 77, "body": ""}}]})
    elif HOW == "not-base64":
        say({"n": n, "effects": [{"append": "%%%"}]})
    elif HOW == "busy-for-ever":
        say({"n": n, "busy": True})
    elif HOW == "wakes-for-ever":
        say({"n": n, "effects": [] if what == "wake" else [{"accept": True}], "wake_at": 0})
    elif HOW == "wakes-by-turns":
        say({"n": n, "effects": [] if what == "wake" else [{"accept": True}], "wake_at": n % 2})
    elif HOW == "polls":
        say({"n": n, "effects": [] if what == "wake" else [{"accept": True}], "wake_at": request["now"] + 1})
    elif HOW == "says-so":
        say({"n": n, "failed": "my index is corrupt"})
    elif HOW == "takes-memory":
        # It answers all the while: on a busy machine so much memory takes longer than an answer may.
        HOARD.append(b"x" * (64 << 20))
        say({"n": n, "busy": True})
    elif HOW == "forks":
        for _ in range(100):
            subprocess.Popen(["sleep", "1000" if len(sys.argv) < 3 else sys.argv[2]])
        time.sleep(3600)
    elif HOW == "leaves-daemons":
        # One in its group, one in a session of its own, and one whose parent has ended.
        subprocess.Popen(["sleep", "1017"])
        subprocess.Popen(["sleep", "1018"], start_new_session=True)
        subprocess.run(["sh", "-c", "setsid sleep 1019 & exit 0"], check=True)
        sys.exit(0)
    elif HOW == "forks-and-waits":
        subprocess.Popen(["sleep", sys.argv[2]])
        time.sleep(3600)
    elif HOW == "fills-its-folder":
        with open("big", "wb") as file:
            file.truncate(300 << 20)
        time.sleep(3600)
    elif HOW == "fills-its-journal":
        say({"n": n, "effects": [{"append": "A" * (15 << 20)}], "busy": True})
    elif HOW == "big-folder":
        with open("big", "wb") as file:
            file.truncate(300 << 20)
        say({"n": n, "effects": [{"accept": True}]})
    else:
        say({"n": n, "effects": [{"accept": True}]})


registers = {"counters": 2, "tags": 0}
for line in sys.stdin:
    request = json.loads(line)
    registers = request.get("registers", registers)
    n, what = request["n"], request["do"]
    if what == "hello" and HOW == "never-starts":
        time.sleep(3600)
    elif what == "hello":
        say({"n": n, "engine": ENGINE})
        if HOW == "unasked":
            say({"n": 7})
    elif what == "start" and HOW == "refuses-its-own" and request.get("entries"):
        say({"n": n, "damaged": "an entry that it wrote"})
    elif what == "edit" and HOW == "refuses-its-own":
        say({"n": n, "effects": [{"append": "AA=="}, {"sync": True}, {"accept": True}]})
    elif what == "views" and HOW == "views-fail":
        say({"n": n, "failed": "my index is corrupt"})
    elif what == "views" and HOW == "views-send":
        say({"n": n, "views": ["5", "5"], "effects": [{"send": {"to": 2, "body": ""}}]})
    elif what == "start" and HOW == "damaged":
        say({"n": n, "damaged": "page 7 of the index is not one"})
    elif what == "views":
        if HOW == "another-type":
            say({"n": n, "views": ["5", [1]]})
            continue
        say({"n": n, "views": ["5"] if HOW == "too-few-views" else ["5"] * registers["counters"] + [[]] * registers["tags"]})
    elif what in ("edit", "wake") or what == "poll" and HOW in ("busy-for-ever", "takes-memory", "fills-its-journal"):
        misbehave(n)
    elif what == "message":
        say({"n": n, "message": "taken"})
    elif what == "connected" and HOW == "environment":
        say({"n": n, "failed": json.dumps(sorted(os.environ)) + os.getcwd()})
    else:
        say({"n": n})
