#!/usr/bin/env node
// A template for adapters, in JavaScript: a log of edits behind abench's engine protocol, version 1.
//
// Replace Replica by your engine. docs/engine-protocol.md says what abench asks, and what an adapter may answer;
// docs/data-types.md says what a replica must show.

import { createInterface } from "node:readline";

const ENGINE = {
  protocol: 1, name: "template", version: "1", about: "every edit to everyone who lacks it, each once",
  // Whole numbers are BigInt here: a Number loses them from 2^53 on.
  counters: { min: String(-(2n ** 63n)), max: String(2n ** 63n - 1n) }, tags: "either", peers: true,
  repeats: true, clock: "given", transport: "any-order", store: "journal", id: "renewed",
  survives: "while-shown", rounds: true,
};
const LINGER = 1_000_000;

const pack = (value) => Buffer.from(JSON.stringify(value)).toString("base64");
const unpack = (text) => JSON.parse(Buffer.from(text, "base64").toString());

/** Edits by author, in the order of each; by neighbour, how many of each author's it has: null until it is heard. */
class Replica {
  constructor(start) {
    this.registers = start.registers;
    this.me = String(start.fresh);
    [this.retryAfter, this.retryAtMost, this.retry] = [start.retry_after, start.retry_at_most, start.retry_after];
    [this.edits, this.known, this.wakeAt, this.given] = [new Map(), new Map(), null, 0];
    for (const entry of start.entries) this.keep(...unpack(entry));
  }

  of(author) {
    return this.edits.get(author) ?? [];
  }

  have() {
    return Object.fromEntries([...this.edits].map(([author, edits]) => [author, edits.length]));
  }

  keep(author, edit) {
    this.edits.set(author, [...this.of(author), edit]);
    return { append: pack([author, edit]) };
  }

  tellSoon(now) {
    this.retry = this.retryAfter;
    if (this.known.size > 0) this.wakeAt = now + LINGER;
  }

  lacks(peer) {
    const known = this.known.get(peer);
    return known === null || [...this.edits].some(([author, edits]) => (known[author] ?? 0) < edits.length);
  }

  tell(peer, first = false) {
    const known = this.known.get(peer);
    const lacking = known === null ? [] : [...this.edits].filter(([a, edits]) => (known[a] ?? 0) < edits.length);
    const from = Object.fromEntries(lacking.map(([author]) => [author, known[author] ?? 0]));
    const edits = Object.fromEntries(lacking.map(([author, edits]) => [author, edits.slice(from[author])]));
    const body = pack({ have: this.have(), from, edits, first });
    // One message tells all that the peer lacks, once that is known: it is a whole round then.
    const isRound = known !== null;
    return { send: { to: peer, body, edits: lacking.length > 0, begins: isRound, ends: isRound } };
  }

  edit({ now, register, add, insert, remove }) {
    // A remove means what is shown: an insert that is still on its way must not be undone.
    if (remove !== undefined && !this.views()[register].includes(remove)) return [{ accept: true }];
    const at = 1 + Math.max(0, ...[...this.edits.values()].flat().map((edit) => edit.at));
    this.tellSoon(now);
    // An edit is accepted once it would survive a crash.
    return [this.keep(this.me, { register, add, insert, remove, at }), { sync: true }, { accept: true }];
  }

  connected({ now, peer }) {
    this.known.set(peer, null);
    [this.wakeAt, this.retry] = [now + this.retryAfter, this.retryAfter];
    return [this.tell(peer, true)];
  }

  disconnected({ peer }) {
    this.known.delete(peer);
    return [];
  }

  message({ now, from: peer }, { have, from, edits, first }) {
    const stored = [];
    for (const [author, those] of Object.entries(edits)) {
      const here = this.of(author).length;
      if (from[author] <= here) stored.push(...those.slice(here - from[author]).map((edit) => this.keep(author, edit)));
    }
    this.given = Math.max(this.given, have[this.me] ?? 0);
    const wasHeard = (this.known.get(peer) ?? null) !== null;
    this.known.set(peer, { ...have });
    // What was taken is durable before the answer acknowledges it. Edits that came before, too: that answer was lost.
    if (stored.length > 0) stored.push({ sync: true });
    if (stored.length > 0) this.tellSoon(now);
    return Object.keys(edits).length > 0 || first || !wasHeard || this.lacks(peer) ? [...stored, this.tell(peer)] : stored;
  }

  wake({ now }) {
    const lacking = [...this.known.keys()].filter((peer) => this.lacks(peer));
    this.wakeAt = lacking.length > 0 ? now + this.retry : null;
    this.retry = Math.min(2 * this.retry, this.retryAtMost);
    return lacking.map((peer) => this.tell(peer, this.known.get(peer) === null));
  }

  backlog() {
    return this.of(this.me).length - this.given;
  }

  views() {
    const { counters, start, tags } = this.registers;
    const numbers = Array(counters).fill(BigInt(start));
    const sets = Array.from({ length: tags }, () => new Set());
    const all = [...this.edits].flatMap(([author, edits]) => edits.map((edit) => ({ author, ...edit })));
    all.sort((a, b) => a.at - b.at || (a.author < b.author ? -1 : 1));
    for (const { register, add, insert, remove } of all) {
      // Counters wrap at 64 bits.
      if (add !== undefined) numbers[register] = BigInt.asIntN(64, numbers[register] + BigInt(add));
      else if (insert !== undefined) sets[register - counters].add(insert);
      else sets[register - counters].delete(remove);
    }
    return [...numbers.map(String), ...sets.map((set) => [...set].sort((a, b) => a - b))];
  }
}

let replica = null;

function answerTo(request) {
  if (request.do === "hello") return { engine: ENGINE };
  if (request.do === "start") replica = new Replica(request);
  if (request.do === "views") return { views: replica.views() };
  if (["edit", "connected", "disconnected", "wake"].includes(request.do)) return { effects: replica[request.do](request) };
  if (request.do !== "message") return {};
  try {
    return { message: "taken", effects: replica.message(request, unpack(request.body)) };
  } catch {
    return { message: "damaged" };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = { n: request.n, ...answerTo(request) };
  const revision = replica ? Object.values(replica.have()).reduce((sum, count) => sum + count, 0) : 0;
  if (replica) Object.assign(answer, { wake_at: replica.wakeAt, backlog: replica.backlog(), revision });
  process.stdout.write(JSON.stringify(answer) + "\n");
}
