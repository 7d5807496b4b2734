#!/usr/bin/env python3
"""The template, with cases: the hub closes each with the items that it has, in an edit of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "adapters" / "template"))
import adapter

# With the argument "at-once" every replica closes, though the engine declares that the hub does. With "late-counts" an item
# that comes after the close counts.
AT_ONCE = "at-once" in sys.argv[1:]
LATE_COUNTS = "late-counts" in sys.argv[1:]


def is_of_case(edit):
    return "item" in edit or "close" in edit or "closed" in edit


class Replica(adapter.Replica):
    def __init__(self, start):
        super().__init__(start)
        self.decides = start.get("decides", False) or AT_ONCE

    def edit(self, request):
        if "item" not in request and "close" not in request:
            return super().edit(request)
        if self.case(request["register"])["stage"] == "closed":
            return [{"accept": True}]
        self.tell_soon(request["now"])
        what = {"close": True} if "close" in request else {"item": request["item"]}
        kept = self.keep(self.me, {"register": request["register"], "at": 0} | what)
        return [kept, *self.closes(), {"sync": True}, {"accept": True}]

    def message(self, request, body):
        effects = super().message(request, body)
        closes = self.closes()
        if closes:
            self.tell_soon(request["now"])
            closes.append({"sync": True})
        return closes + effects

    def closes(self):
        first = self.registers["counters"] + self.registers["tags"]
        kept = []
        for register in range(first, first + self.registers.get("cases", 0) if self.decides else first):
            case = self.case(register)
            if case["stage"] == "close-requested":
                kept.append(self.keep(self.me, {"register": register, "closed": case["done"], "at": 0}))
        return kept

    def case(self, register):
        edits = [edit for edits in self.edits.values() for edit in edits if edit["register"] == register]
        items = {edit["item"] for edit in edits if "item" in edit}
        closed = sorted(edit["closed"] for edit in edits if "closed" in edit)
        if closed:
            done = items if LATE_COUNTS else set(closed[0])
            return {"stage": "closed", "done": sorted(done), "refused": sorted(items - done)}
        stage = "close-requested" if any("close" in edit for edit in edits) else "open"
        return {"stage": stage, "done": sorted(items), "refused": []}

    def views(self):
        all_edits, first = self.edits, self.registers["counters"] + self.registers["tags"]
        cases = [{"case": self.case(first + place)} for place in range(self.registers.get("cases", 0))]
        self.edits = {author: [e for e in edits if not is_of_case(e)] for author, edits in all_edits.items()}
        others, self.edits = super().views(), all_edits
        return others + cases


adapter.ENGINE |= {"name": "template with cases", "cases": "by-authority"}
adapter.Replica = Replica
adapter.main()
