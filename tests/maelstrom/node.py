"""A small Maelstrom node: a counter or a set of numbers that every node gossips whole, four times a second.

usage: node.py WORKLOAD [HOW], where HOW is something that it does wrong. See WRONG.
"""

import fcntl
import json
import os
import sys
import threading
import time

WRONG = {
    "sums": "adds what others tell to its own sum, so that gossip counts an edit again and again",
    "keeps-to-itself": "gossips nothing",
    "sometimes:FILE": "gossips nothing in the fourth process that begins: the file has a byte for each",
    "silent": "answers nothing, not even init",
    "answers-init-alone": "answers init, and nothing else",
    "another-workload": "says that it does not support what it is asked",
    "garbage": "writes a line that is no message",
    "crashes": "ends at its third edit",
    "a-stranger": "sends a message to a node that there is not",
    "floods": "writes without end",
    "no-number": "answers read without a number",
    "deaf": "answers no edit",
    "hangs:FILE": "answers init in no world of several nodes: it makes the file, and waits for ever",
    "stores": "nothing: it writes all shares to a file before it answers, and reads them when it begins",
}

workload, how = sys.argv[1], (sys.argv[2:] + [""])[0]
counts = workload.endswith("counter")
lock = threading.Lock()
name, names, edits, next_id = "", [], 0, 0
shares, elements = {}, set()
is_mute = False


def send(dest, body):
    print(json.dumps({"src": name, "dest": dest, "body": body}), flush=True)


def value():
    return sum(plus - minus for plus, minus in shares.values()) if counts else sorted(elements)


def edit(body):
    global edits
    edits += 1
    if how == "crashes" and edits == 3:
        print("the index is corrupt", file=sys.stderr, flush=True)
        sys.exit(3)
    if counts:
        plus, minus = shares.get(name, (0, 0))
        delta = body["delta"]
        shares[name] = (plus + max(delta, 0), minus + max(-delta, 0))
        store()
    else:
        elements.add(body["message" if workload == "broadcast" else "element"])


def store():
    """What was shown once must be shown after a restart: the shares of others, too."""
    if how == "stores":
        with open("shares.json.new", "w", encoding="utf-8") as file:
            json.dump(shares, file)
        os.replace("shares.json.new", "shares.json")


def begins(path):
    """How many processes have begun, this one included."""
    with open(path, "ab", buffering=0) as file:
        file.write(b".")
        return file.tell()


def flood():
    """As fast as any machine can: through a wide pipe, and no line is made anew."""
    noise = json.dumps({"src": name, "dest": "c0", "body": {"type": "noise", "noise": "x" * 1_000_000}}).encode() + b"\n"
    sys.stdout.flush()
    fcntl.fcntl(1, 1031, 1 << 20)  # F_SETPIPE_SZ
    while True:
        left = memoryview(noise)
        while left:
            left = left[os.write(1, left) :]


def merge(body):
    if counts and how == "sums":
        plus, minus = shares.get(name, (0, 0))
        shares[name] = (plus + body["sum"], minus)
    elif counts:
        for writer, (plus, minus) in body["shares"].items():
            mine = shares.get(writer, (0, 0))
            shares[writer] = (max(mine[0], plus), max(mine[1], minus))
        store()
    else:
        elements.update(body["elements"])


def gossip():
    while True:
        time.sleep(0.25)
        with lock:
            if is_mute:
                continue
            for other in names:
                if other != name:
                    send(other, {"type": "gossip", "shares": shares, "sum": value() if counts else 0, "elements": sorted(elements)})


def take(src, body):
    global name, names, is_mute
    kind = body["type"]
    answer = {"type": kind + "_ok", "in_reply_to": body.get("msg_id")}
    if kind == "init":
        name, names = body["node_id"], body["node_ids"]
        if how.startswith("hangs:") and len(names) > 1:
            begins(how.split(":", 1)[1])
            threading.Event().wait()
        if how == "stores" and os.path.exists("shares.json"):
            with open("shares.json", encoding="utf-8") as file:
                shares.update({writer: tuple(share) for writer, share in json.load(file).items()})
        is_mute = how == "keeps-to-itself" or how.startswith("sometimes:") and begins(how.split(":", 1)[1]) == 4
        threading.Thread(target=gossip, daemon=True).start()
    elif how == "answers-init-alone":
        return
    elif how == "another-workload" and kind != "gossip":
        answer = {"type": "error", "code": 10, "text": "what is that?", "in_reply_to": body["msg_id"]}
    elif kind in ("add", "broadcast"):
        edit(body)
        if how == "garbage":
            print("added!", flush=True)
        if how == "a-stranger":
            send("n77", {"type": "gossip"})
        if how == "floods":
            flood()
        if how == "deaf":
            return
    elif kind == "read":
        answer["messages" if workload == "broadcast" else "value"] = "many" if how == "no-number" else value()
    elif kind == "gossip":
        return merge(body)
    elif kind != "topology":
        answer = {"type": "error", "code": 10, "text": f"what is {kind}?", "in_reply_to": body.get("msg_id")}
    send(src, answer)


for line in sys.stdin:
    if how == "silent":
        continue
    message = json.loads(line)
    with lock:
        take(message["src"], message["body"])
