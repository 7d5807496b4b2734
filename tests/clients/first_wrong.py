"""Reads a waveform with pyvcd, a parser that shares no code with abench, and finds the clock that a report names.

Usage: first_wrong.py FILE NANOSECONDS SIGNAL WORD [stays]

SIGNAL is the end of a signal's path, WORD the hexadecimal word that the report says it holds after the clock that rises at
NANOSECONDS. Exit code 0: no signal but the clock changes when the clock rises; sampled as the named clock rises, SIGNAL holds
another word; sampled as the next clock rises, it holds WORD. With "stays" as a last argument it holds WORD at both: it should
have changed. Exit code 1: that is not so.
"""

import sys

from vcd.reader import TokenKind, tokenize


def main():
    path, at, suffix, word = sys.argv[1], int(sys.argv[2]) * 1000, sys.argv[3], int(sys.argv[4], 16)
    scopes, names, words, time = [], {}, {}, 0
    changed = {}
    with open(path, "rb") as file:
        for token in tokenize(file):
            if token.kind is TokenKind.SCOPE:
                scopes.append(token.data.ident)
            elif token.kind is TokenKind.UPSCOPE:
                scopes.pop()
            elif token.kind is TokenKind.VAR:
                reference = token.data.reference + (f"[{token.data.bit_index}]" if isinstance(token.data.bit_index, int) else "")
                names.setdefault(token.data.id_code, []).append(".".join([*scopes, reference]))
            elif token.kind is TokenKind.CHANGE_TIME:
                time = token.data
            elif token.kind in (TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_VECTOR):
                code, value = token.data.id_code, token.data.value
                value = int(value) if str(value) in "01" else value
                changed.setdefault(time, {})[code] = value
    clocks = {code for code, paths in names.items() if any(path.split(".")[-1] == "clk" for path in paths)}
    wanted = [code for code, paths in names.items() if any(path.endswith(suffix) for path in paths)]
    if len(wanted) != 1 or not clocks:
        sys.exit(f"{suffix} is not one signal of {sorted(sum(names.values(), []))}")
    samples = {}
    for time in sorted(changed):
        now = changed[time]
        rises = any(now.get(code) == 1 for code in clocks) and any(words.get(code) == 0 for code in clocks)
        if rises:
            samples[time] = words.get(wanted[0])
            others = sorted(names[code][0] for code in now if code not in clocks)
            if others:
                sys.exit(f"at {time} ps the clock rises, and {others} change")
        words.update(now)
    later = [time for time in sorted(samples) if time > at]
    if at not in samples or not later:
        sys.exit(f"no clock rises at {at} ps, or none after it: {sorted(samples)}")
    stays = sys.argv[5:] == ["stays"]
    if (samples[at] == word) != stays or samples[later[0]] != word:
        sys.exit(f"{suffix} is {samples[at]} at {at} ps and {samples[later[0]]} at {later[0]} ps, not {word} from then on")
    touched = [path for paths in names.values() for path in paths if path.startswith("contexts.")]
    print(f"{len(samples)} clocks, {suffix} holds {word:#x} after the one at {at} ps; contexts: {' '.join(touched) or 'none'}")


if __name__ == "__main__":
    main()
