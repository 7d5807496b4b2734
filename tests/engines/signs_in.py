#!/usr/bin/env python3
"""The template, which wants to be told when its user signs in again; with "untold" it does not say so."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "adapters" / "template"))
import adapter

# With the argument "forgets" a new sign-in begins with an empty outbox.
FORGETS = "forgets" in sys.argv[1:]


class Replica(adapter.Replica):
    def signed_in(self, request):
        if FORGETS:
            self.edits[self.me] = self.edits[self.me][: self.given]
        return []


adapter.ENGINE |= {"name": "template that signs in", "signs_in": "untold" not in sys.argv[1:]}
adapter.Replica = Replica
adapter.main()
