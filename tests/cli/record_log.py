# What the template lacks to carry records: a log of edits, each with what its user's replica had. Tests put it into the template.
ENGINE |= {"tags": "insert-wins", "labels": "one", "records": "edit-wins"}


class Replica(Replica):
    def edit(self, request):
        edit = {key: value for key, value in request.items() if key not in ("n", "do", "now", "wall")}
        if not is_meant(edit, self.views()[edit["register"]]):
            return [{"accept": True}]
        edit["saw"] = self.have()
        self.tell_soon(request["now"])
        return [self.keep(self.me, edit), {"sync": True}, {"accept": True}]

    def views(self):
        of = self.registers
        kinds = ["counters", "stocks", "tags", "labels", "records"]
        types = [kind for kind in kinds for _ in range(of.get(kind, 0))]
        return [self.view(register, kind) for register, kind in enumerate(types)]

    def view(self, register, kind):
        edits = [
            {**edit, "id": (author, number)}
            for author, edits in self.edits.items()
            for number, edit in enumerate(edits)
            if edit["register"] == register
        ]
        if kind == "counters":
            return str(int(self.registers["start"]) + sum(int(edit["add"]) for edit in edits))
        if kind == "tags":
            return elements(edits, "insert", lambda edit: edit.get("remove"))
        if kind == "labels":
            return {"values": values(edits, lambda edit: edit.get("write"))}
        deletes = [edit for edit in edits if "delete" in edit]
        if not left([edit for edit in edits if "delete" not in edit], deletes):
            return {"record": None}
        fields = range(self.registers["record_labels"])
        return {"record": {
            "labels": [values(edits, lambda edit, field=field: value_of(edit, field)) for field in fields],
            "tags": elements(edits, "tag", lambda edit: edit.get("untag"), every=lambda edit: "create" in edit),
        }}


def is_meant(edit, shown):
    if "remove" in edit:
        return edit["remove"] in shown
    if "create" in edit:
        return shown["record"] is None
    return not {"delete", "set", "tag", "untag"} & set(edit) or shown["record"] is not None


def left(edits, takers):
    """Edits that no taker had seen."""
    seen = lambda edit, taker: taker["saw"].get(edit["id"][0], 0) > edit["id"][1]
    return [edit for edit in edits if not any(seen(edit, taker) for taker in takers)]


def elements(edits, insert, removed, every=lambda edit: False):
    inserts = [edit for edit in edits if insert in edit]
    kept = [i for i in inserts if left([i], [e for e in edits if removed(e) == i[insert] or every(e)])]
    return sorted({edit[insert] for edit in kept})


def value_of(edit, field):
    if "create" in edit:
        return str(int(edit["create"]) + field)
    return edit["set"]["value"] if "set" in edit and edit["set"]["field"] == field else None


def values(edits, value):
    writes = [edit for edit in edits if value(edit) is not None]
    kept = sorted(left(writes, writes), key=lambda edit: edit["id"])
    return [value(edit) for edit in kept[-1:]]
