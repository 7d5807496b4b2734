#!/usr/bin/env python3
"""The template, with claims: the hub grants each to the first who asks, in an edit of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "adapters" / "template"))
import adapter

# With the argument "at-once" every replica decides, though the engine declares that the hub does.
AT_ONCE = "at-once" in sys.argv[1:]


def is_of_claim(edit):
    return "claim" in edit or "grant" in edit


class Replica(adapter.Replica):
    def __init__(self, start):
        super().__init__(start)
        self.decides = start.get("decides", False) or AT_ONCE

    def edit(self, request):
        if "claim" not in request:
            return super().edit(request)
        if self.claimed(request["register"])["holder"] is not None:
            return [{"accept": True}]
        self.tell_soon(request["now"])
        kept = self.keep(self.me, {"register": request["register"], "claim": request["claim"], "at": 0})
        return [kept, *self.grants(), {"sync": True}, {"accept": True}]

    def message(self, request, body):
        effects = super().message(request, body)
        grants = self.grants()
        if grants:
            self.tell_soon(request["now"])
            grants.append({"sync": True})
        return grants + effects

    def grants(self):
        first = self.registers["counters"] + self.registers["tags"]
        kept = []
        for register in range(first, first + self.registers.get("claims", 0) if self.decides else first):
            waiting = self.claimed(register)["waiting"]
            if waiting:
                kept.append(self.keep(self.me, {"register": register, "grant": waiting[0], "at": 0}))
        return kept

    def claimed(self, register):
        edits = [edit for edits in self.edits.values() for edit in edits if edit["register"] == register]
        granted = sorted((edit["grant"] for edit in edits if "grant" in edit), key=int)
        holder = granted[0] if granted else None
        others = sorted({edit["claim"] for edit in edits if "claim" in edit} - {holder}, key=int)
        return {"holder": holder, "waiting": [] if granted else others, "refused": others if granted else []}

    def views(self):
        all_edits, first = self.edits, self.registers["counters"] + self.registers["tags"]
        claims = [{"claim": self.claimed(first + place)} for place in range(self.registers.get("claims", 0))]
        self.edits = {author: [e for e in edits if not is_of_claim(e)] for author, edits in all_edits.items()}
        others, self.edits = super().views(), all_edits
        return others + claims


adapter.ENGINE |= {"name": "template with claims", "claims": "by-authority"}
adapter.Replica = Replica
adapter.main()
