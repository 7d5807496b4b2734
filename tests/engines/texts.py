#!/usr/bin/env python3
"""The template, with texts: each letter is a child of the one that it was typed after, the newest first (RGA)."""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "adapters" / "template"))
import adapter

KINDS = ("type", "erase")
LETTER = re.compile(".[\U000E0100-\U000E01EF]?", re.DOTALL)


def is_of_text(edit):
    return any(kind in edit for kind in KINDS)


class Replica(adapter.Replica):
    def edit(self, request):
        kind = next((kind for kind in KINDS if kind in request), None)
        if kind is None:
            return super().edit(request)
        if kind == "erase" and request[kind] not in LETTER.findall(self.views()[request["register"]]["text"]):
            return [{"accept": True}]
        at = 1 + max((edit["at"] for edits in self.edits.values() for edit in edits), default=0)
        self.tell_soon(request["now"])
        edit = {"register": request["register"], kind: request[kind], "at": at}
        return [self.keep(self.me, edit), {"sync": True}, {"accept": True}]

    def views(self):
        all_edits = self.edits
        first = self.registers["counters"] + self.registers["tags"]
        typed, erased = {}, set()
        for author, edits in all_edits.items():
            for edit in filter(is_of_text, edits):
                place = edit["register"] - first
                if "erase" in edit:
                    erased.add((place, edit["erase"]))
                else:
                    letter = (edit["at"], author, edit["type"]["letter"])
                    typed.setdefault((place, edit["type"]["after"]), []).append(letter)
        texts = []
        for place in range(self.registers.get("texts", 0)):
            text, to_come = [], sorted(typed.get((place, None), []))
            while to_come:
                _, _, letter = to_come.pop()
                text.append("" if (place, letter) in erased else letter)
                to_come += sorted(typed.get((place, letter), []))
            texts.append({"text": "".join(text)})
        self.edits = {author: [e for e in edits if not is_of_text(e)] for author, edits in all_edits.items()}
        others, self.edits = super().views(), all_edits
        return others + texts


adapter.ENGINE |= {"name": "template with texts", "texts": "forward"}
# What it may declare besides, for tests of what is refused.
adapter.ENGINE |= dict(zip(sys.argv[1::2], map(json.loads, sys.argv[2::2])))
adapter.Replica = Replica
adapter.main()
