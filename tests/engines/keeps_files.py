"""The template for adapters, with its journal in a file of its own folder."""

import json
import os
import sys

# The template lies in a folder that nothing is to be written to.
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../adapters/template"))
import adapter as template  # noqa: E402

LOG = "log"


def main():
    replica = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"engine": template.ENGINE | {"store": "files"}} if request["do"] == "hello" else {}
        if request["do"] == "start":
            entries = open(LOG).read().split() if os.path.exists(LOG) else []
            replica = template.Replica(request | {"entries": entries})
        elif replica:
            answer = template.answer_to(replica, request)
        effects = answer.get("effects", [])
        with open(LOG, "a") as log:
            log.writelines(effect["append"] + "\n" for effect in effects if "append" in effect)
        answer["effects"] = [effect for effect in effects if "append" not in effect and "sync" not in effect]
        if replica:
            revision = sum(replica.have().values())
            answer |= {"wake_at": replica.wake_at, "backlog": replica.backlog(), "revision": revision}
        print(json.dumps({"n": request["n"]} | answer), flush=True)


if __name__ == "__main__":
    main()
