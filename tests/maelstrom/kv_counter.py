"""A small Maelstrom node: a g-counter in seq-kv. Each node writes its own sum to a key of its own, and asks again for what a link
has lost: to write the same sum twice is to write it once.

usage: kv_counter.py [HOW], where HOW is something that it does wrong. See WRONG.
"""

import json
import sys
import threading

WRONG = {
    "adds-again": "all nodes add to one key by compare and set; after a lost answer a node adds once more",
    "asks-once": "waits for ever for what a link has lost",
}

RETRY_AFTER_S = 0.2

how = (sys.argv[1:] + [""])[0]
came = threading.Condition()
answers, next_id = {}, 0
name, names = "", []
adding, total, seen = threading.Lock(), 0, {}


def send(dest, body):
    print(json.dumps({"src": name, "dest": dest, "body": body}), flush=True)


def asked_once(body):
    """What seq-kv answers; nothing if a link lost the request or the answer."""
    global next_id
    with came:
        next_id += 1
        number = next_id
        send("seq-kv", {**body, "msg_id": number})
        came.wait_for(lambda: number in answers, None if how == "asks-once" else RETRY_AFTER_S)
        return answers.pop(number, None)


def asked(body):
    while True:
        answer = asked_once(body)
        if answer:
            return answer


def read(key):
    return asked({"type": "read", "key": key}).get("value", 0)


def add(delta):
    global total
    with adding:
        while how == "adds-again":
            value = read("sum")
            cas = {"type": "cas", "key": "sum", "from": value, "to": value + delta, "create_if_not_exists": True}
            if (asked_once(cas) or {}).get("type") == "cas_ok":
                return
        total += delta
        asked({"type": "write", "key": name, "value": total})


def value():
    for key in ["sum"] if how == "adds-again" else names:
        seen[key] = max(seen.get(key, 0), read(key))
    return sum(seen.values())


def take(src, body):
    answer = {"type": body["type"] + "_ok", "in_reply_to": body["msg_id"]}
    if body["type"] == "add":
        add(body["delta"])
    else:
        answer["value"] = value()
    with came:
        send(src, answer)


for line in sys.stdin:
    message = json.loads(line)
    src, body = message["src"], message["body"]
    if body["type"] == "init":
        name, names = body["node_id"], body["node_ids"]
        send(src, {"type": "init_ok", "in_reply_to": body["msg_id"]})
    elif src == "seq-kv":
        with came:
            answers[body["in_reply_to"]] = body
            came.notify_all()
    else:
        threading.Thread(target=take, args=(src, body), daemon=True).start()
