"""A stand-in for the harness whose protocol nodes speak: it starts three nodes, routes their messages over links that lose some
and are down for a time, acts as their clients, and reads from all in the end.

usage: harness.py WORKLOAD COMMAND...
Prints what went wrong, and ends with 1 if anything did. Everything is over within 40 s, and within 5 s on an idle machine.
"""

import json
import queue
import random
import subprocess
import sys
import threading
import time

workload, command = sys.argv[1], sys.argv[2:]
counts, chance = workload.endswith("counter"), random.Random(7)
names = ["n0", "n1", "n2"]
nodes = {name: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in names}
inbox, wrong = queue.Queue(), []
deadline = time.monotonic() + 40


def listen(name):
    for line in nodes[name].stdout:
        inbox.put((name, json.loads(line)))


def send(dest, src, body):
    nodes[dest].stdin.write(json.dumps({"id": 0, "src": src, "dest": dest, "body": body}) + "\n")
    nodes[dest].stdin.flush()


messages = 0


def pump(until, is_down=False, wanted=None):
    """Routes messages until a time, or until the answer to a request came."""
    global messages
    while time.monotonic() < min(until, deadline):
        try:
            src, message = inbox.get(timeout=0.01)
        except queue.Empty:
            continue
        if message["src"] != src:
            wrong.append(f"{src} wrote a message from {message['src']}")
        dest, body = message["dest"], message["body"]
        if dest in nodes:
            messages += 1
            is_cut = is_down and "n0" in (src, dest)
            if not is_cut and chance.random() > 0.1:
                send(dest, src, body)
        elif body.get("in_reply_to") == wanted:
            return body
    if wanted is not None:
        wrong.append(f"no answer to request {wanted}")
    return {}


next_id = 0


def ask(name, body, is_down=False):
    global next_id
    next_id += 1
    send(name, "c1", {**body, "msg_id": next_id})
    return pump(time.monotonic() + 5, is_down, next_id)


def expect(answer, kind):
    if answer.get("type") != kind:
        wrong.append(f"{answer} came, and {kind} was expected")


for name in names:
    threading.Thread(target=listen, args=[name], daemon=True).start()
for name in names:
    expect(ask(name, {"type": "init", "node_id": name, "node_ids": names}), "init_ok")
if workload == "broadcast":
    for name in names:
        line = {"n0": ["n1"], "n1": ["n0", "n2"], "n2": ["n1"]}
        expect(ask(name, {"type": "topology", "topology": line}), "topology_ok")
expected = 0 if counts else set()
for number in range(60):
    name, is_down = chance.choice(names), 20 <= number < 40
    if counts:
        amount = chance.randrange(0 if workload == "g-counter" else -9, 10)
        answer, expected = ask(name, {"type": "add", "delta": amount}, is_down), expected + amount
    else:
        value = number * 70_001
        key, kind = ("message", "broadcast") if workload == "broadcast" else ("element", "add")
        answer = ask(name, {"type": kind, key: value}, is_down)
        expected.add(value)
    expect(answer, "broadcast_ok" if workload == "broadcast" else "add_ok")
    pump(time.monotonic() + 0.02, is_down)
if ask("n0", {"type": "fly"}).get("code") != 10:
    wrong.append("a request that nobody knows has another answer than error 10")


def shown(name):
    answer = ask(name, {"type": "read"})
    expect(answer, "read_ok")
    value = answer.get("messages" if workload == "broadcast" else "value")
    return value if counts else set(value or [])


while time.monotonic() < deadline - 2 and any(shown(name) != expected for name in names):
    pump(time.monotonic() + 0.1)
for name in names:
    if shown(name) != expected:
        wrong.append(f"{name} shows {shown(name)}, and {expected} was expected")
for name, node in nodes.items():
    node.stdin.close()
    try:
        if node.wait(timeout=5) != 0:
            wrong.append(f"{name} ended with {node.returncode}")
    except subprocess.TimeoutExpired:
        node.kill()
        wrong.append(f"{name} did not end with its input")
print(f"{messages} messages between nodes")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
