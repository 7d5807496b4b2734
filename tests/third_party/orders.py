"""Checks what a record of abench holds about arrival orders, by docs/orders.md and without abench.

    orders.py RECORD...     computes or reads the orders of each record again, and counts what they cover
    orders.py --golden      the golden values of the document

Exit 0 if every number and every warrant of the records is so, 1 with the reason if one is not. Needs Python 3.8 and its
standard library.
"""

import itertools
import json
import math
import struct
import sys

WORD = (1 << 64) - 1


def chacha20(key, nonce):
    """The key stream as 64-bit words."""
    rotate = lambda x, by: (x << by | x >> (32 - by)) & 0xFFFFFFFF
    fixed = list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key))
    for counter in itertools.count():
        start = fixed + [counter & 0xFFFFFFFF, counter >> 32, nonce & 0xFFFFFFFF, nonce >> 32]
        x = list(start)
        for _ in range(10):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                for p, q, r, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    x[p] = (x[p] + x[q]) & 0xFFFFFFFF
                    x[r] = rotate(x[r] ^ x[p], by)
        block = struct.pack("<16I", *((u + v) & 0xFFFFFFFF for u, v in zip(x, start)))
        yield from struct.unpack("<8Q", block)


def stream(seed, name, member=0):
    return chacha20((struct.pack("<Q", seed) + name.encode("ascii")).ljust(32, b"\0"), member)


def below(words, bound):
    while True:
        product = next(words) * bound
        if product & WORD >= (1 << 64) % bound:
            return product >> 64


def shuffled(words, n):
    items = list(range(n))
    for last in range(n - 1, 0, -1):
        other = below(words, last + 1)
        items[last], items[other] = items[other], items[last]
    return items


def feistel(words, n):
    """What each position delivers, as a function."""
    bits = max((n - 1).bit_length(), 2)
    low = bits // 2
    high = bits - low
    tables = []
    for number in range(12):
        size, width = (1 << low, high) if number % 2 == 0 else (1 << high, low)
        table = []
        while len(table) < size:
            word = next(words)
            table += [(word >> 16 * place & 0xFFFF) & ((1 << width) - 1) for place in range(4)]
        tables.append(table[:size])

    def index(position):
        while True:
            left, right = position & ((1 << low) - 1), position >> low
            for number, table in enumerate(tables):
                if number % 2 == 0:
                    right ^= table[left]
                else:
                    left ^= table[right]
            position = right << low | left
            if position < n:
                return position

    return index


def seeded(seed, n, number):
    words = stream(seed, "orders", number)
    if n <= 131072:
        return shuffled(words, n)
    return list(map(feistel(words, n), range(n)))


def named(text, n):
    name, _, argument = text.partition(":")
    if name == "given":
        return list(range(n))
    if name == "reverse":
        return list(range(n))[::-1]
    if name in ("rotate", "halves-swapped"):
        by = n // 2 if name == "halves-swapped" else int(argument) % n
        return list(range(by, n)) + list(range(by))
    if name == "by-bank":
        return [index for bank in range(int(argument)) for index in range(bank, n, int(argument))]
    if name == "riffle":
        runs, begin = [], 0
        for run in range(int(argument)):
            length = n // int(argument) + (run < n % int(argument))
            runs.append(range(begin, begin + length))
            begin += length
        return [index for row in itertools.zip_longest(*runs) for index in row if index is not None]
    if name == "exactly":
        return [int(index) for index in argument.split(".")]
    return None


def siphash128(data):
    """SipHash-2-4 with 128 bits of output under the key 0, as a number."""
    rotate = lambda x, by: (x << by | x >> (64 - by)) & WORD
    v = [0x736F6D6570736575, 0x646F72616E646F6D ^ 0xEE, 0x6C7967656E657261, 0x7465646279746573]

    def rounds(number):
        for _ in range(number):
            v[0] = (v[0] + v[1]) & WORD
            v[1] = rotate(v[1], 13) ^ v[0]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[3]) & WORD
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & WORD
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & WORD
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    whole = len(data) // 8 * 8
    last = data[whole:].ljust(7, b"\0") + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", data[:whole] + last):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xEE
    rounds(4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return first | (v[0] ^ v[1] ^ v[2] ^ v[3]) << 64


def identity(order):
    if len(order) > 20:
        return siphash128(struct.pack("<%dI" % len(order), *order))
    rank = 0
    for place, index in enumerate(order):
        smaller = sum(1 for later in order[place + 1:] if later < index)
        rank += smaller * math.factorial(len(order) - 1 - place)
    return rank


class Wrong(Exception):
    pass


def expect(what, computed, recorded):
    if computed != recorded:
        raise Wrong("%s: computed %s, recorded %s" % (what, computed, recorded))


def orders_of(group, seed, n):
    """The orders that an explorer delivered, and whether they were computed rather than read."""
    claim = group["claim"]
    if claim == "every-order":
        return list(map(list, itertools.islice(itertools.permutations(range(n)), group["orders"]))), True
    if isinstance(claim, dict) and "drawn" in claim:
        expect("family", "fisher-yates" if n <= 131072 else "feistel", claim["drawn"]["by"])
        return [seeded(seed, n, number) for number in range(group["orders"])], True
    by_name = [named(text, n) for text in group.get("named", [])]
    if by_name and None not in by_name:
        return by_name, True
    return [named("exactly:" + text, n) for text in group["listed"]], False


def check(name, of, warrant):
    """Checks one check's orders; gives what was found, in a sentence."""
    n, seed, coverage = of["deltas"], int(of["seed"], 16), of["coverage"]
    expect("described in", of["described_in"], "docs/orders.md, version 1")
    identities, tried, told, covered, drawn = set(), 0, [], set(), 0
    for group in of["delivered"]:
        orders, computed = orders_of(group, seed, n)
        expect("orders of " + group["explorer"], len(orders), group["orders"])
        for order in orders:
            if sorted(order) != list(range(n)):
                raise Wrong("%s delivers no permutation: %s" % (group["explorer"], order))
        if group.get("listed"):
            expect("listed orders", [".".join(map(str, order)) for order in orders], group["listed"])
        ids = list(map(identity, orders))
        digest = siphash128(b"".join(i.to_bytes(16, "little") for i in ids))
        expect("digest of " + group["explorer"], "%032x" % digest, group["digest"])
        identities.update(ids)
        tried += len(orders)
        drawn += len(orders) if isinstance(group["claim"], dict) and "drawn" in group["claim"] else 0
        told.append("%d %s %s" % (len(orders), group["explorer"], "computed" if computed else "read"))
        if isinstance(group["claim"], dict) and "every-tuple" in group["claim"]:
            strength = group["claim"]["every-tuple"]["strength"]
            tuples = {t for order in orders for t in itertools.combinations(order, strength)}
            expect("tuples", len(tuples), coverage["tuples"]["counted"])
            expect("all tuples", math.perm(n, strength), coverage["tuples"]["all"])
            if len(tuples) == math.perm(n, strength):
                covered.add(strength)
            told.append("%d %d-tuples counted" % (len(tuples), strength))
    expect("tried", tried, coverage["tried"])
    expect("distinct", len(identities), coverage["distinct"])
    told.append("%d different" % len(identities))
    for kind, value in (warrant or {}).items():
        sound = {
            "proved": lambda: len(identities) == math.factorial(n),
            "covered": lambda: value["strength"] in covered and value["tuples"] == math.perm(n, value["strength"]),
            "sampled": lambda: drawn == value["orders"] >= 4,
        }[kind]()
        if not sound:
            raise Wrong("the warrant '%s' of %s is not what the orders give" % (kind, name))
        told.append("warrant %s is so" % kind)
    return "%s: %s" % (name, ", ".join(told))


def golden():
    seed = 0xDEADBEEF0BADF00D
    print(*seeded(seed, 10, 3))
    order = feistel(stream(seed, "orders", 3), 4294967295)
    print(*map(order, range(6)))


def main(arguments):
    if arguments == ["--golden"]:
        return golden()
    for path in arguments:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        checked = [(each["name"], each["orders"], each["warrant"]) for each in record["checks"] if each["orders"]]
        if not checked:
            raise Wrong("%s holds no arrival orders" % path)
        for each in checked:
            print(check(*each))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Wrong, KeyError, ValueError) as wrong:
        sys.exit("%s: %s" % (type(wrong).__name__, wrong))
