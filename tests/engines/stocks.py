#!/usr/bin/env python3
"""The template, with stocks kept as counters: units are taken as long as this replica shows so many."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "adapters" / "template"))
import adapter


class Replica(adapter.Replica):
    def __init__(self, start):
        self.first, self.stocks = start["registers"]["counters"], start["registers"].get("stocks", 0)
        start["registers"]["counters"] += self.stocks
        super().__init__(start)

    def edit(self, request):
        units = request.get("take") or request.get("transfer", {}).get("units", 0)
        if units > int(self.views()[request["register"]]["left"]) if units else False:
            return [{"refuse": True}]
        if "transfer" in request:
            return [{"accept": True}]
        if "supply" in request or "take" in request:
            request["add"] = str(request.get("supply", 0) - request.get("take", 0))
        return super().edit(request)

    def views(self):
        views, start = super().views(), int(self.registers["start"])
        for stock in range(self.first, self.first + self.stocks):
            views[stock] = {"left": str(int(views[stock]) - start)}
        return views


adapter.ENGINE |= {"name": "template with stocks", "stocks": "shown"}
adapter.Replica = Replica
adapter.main()
