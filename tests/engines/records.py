#!/usr/bin/env python3
"""The template, with records: all edits in the order of their numbers and authors, so that of two creates the first counts."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "adapters" / "template"))
import adapter

KINDS = ("create", "delete", "set", "tag", "untag")


def kind_of(edit):
    return next((kind for kind in KINDS if kind in edit), None)


class Replica(adapter.Replica):
    def edit(self, request):
        kind = kind_of(request)
        if kind is None:
            return super().edit(request)
        shown = self.views()[request["register"]]["record"]
        is_meant = (kind == "create") == (shown is None)
        if not is_meant or kind == "untag" and request[kind] not in shown["tags"]:
            return [{"accept": True}]
        at = 1 + max((edit["at"] for edits in self.edits.values() for edit in edits), default=0)
        self.tell_soon(request["now"])
        edit = {"register": request["register"], kind: request[kind], "at": at}
        return [self.keep(self.me, edit), {"sync": True}, {"accept": True}]

    def views(self):
        records, all_edits = [None] * self.registers.get("records", 0), self.edits
        first = self.registers["counters"] + self.registers["tags"]
        of_records = [(e["at"], author, e) for author, edits in all_edits.items() for e in edits if kind_of(e)]
        for _, _, edit in sorted(of_records, key=lambda of: of[:2]):
            place, kind = edit["register"] - first, kind_of(edit)
            record = records[place]
            if kind == "create" and record is None:
                labels = [[str(int(edit["create"]) + place)] for place in range(self.registers["record_labels"])]
                records[place] = {"labels": labels, "tags": set()}
            elif record is None or kind == "create":
                continue
            elif kind == "delete":
                records[place] = None
            elif kind == "set":
                record["labels"][edit["set"]["field"]] = [edit["set"]["value"]]
            elif kind == "tag":
                record["tags"].add(edit["tag"])
            else:
                record["tags"].discard(edit["untag"])
        self.edits = {author: [e for e in edits if not kind_of(e)] for author, edits in all_edits.items()}
        others, self.edits = super().views(), all_edits
        whole = [record and {"labels": record["labels"], "tags": sorted(record["tags"])} for record in records]
        return others + [{"record": record} for record in whole]


adapter.ENGINE |= {"name": "template with records", "records": "either"}
# What it may declare besides, for tests of what is refused.
adapter.ENGINE |= dict(zip(sys.argv[1::2], map(json.loads, sys.argv[2::2])))
adapter.Replica = Replica
adapter.main()
