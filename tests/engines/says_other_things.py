"""The template for adapters, whose messages are other bytes each time that it runs: it does not repeat itself."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../adapters/template"))
import adapter as template  # noqa: E402

pack = template.pack
template.pack = lambda value: pack(value | {"noise": os.urandom(6).hex()} if isinstance(value, dict) else value)

if __name__ == "__main__":
    template.main()
