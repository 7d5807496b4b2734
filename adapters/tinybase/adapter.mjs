#!/usr/bin/env node
// TinyBase 10.0.1 (MIT) behind abench's engine protocol. TinyBase has no counter, so the mapping matters:
//   lww         a cell a counter, overwritten by the last writer, as many applications keep a number;
//   per-client  a cell a counter and client, written by that client alone, and summed up.
// A tags register is a row with a cell for each element.
//
// A MergeableStore with a synchronizer for each connection, which sends what TinyBase's own WebSocket client sends. These
// messages need a line that loses nothing: the adapter numbers them, acknowledges them and sends them again, as TCP would.
//
// Usage: node adapter.mjs --from FOLDER/package.json --mapping lww|per-client [--same-id]
// --from says where tinybase is installed. --same-id names the client's cells by its node, and not anew at every start.
// `abench engine check` passes with per-client. With lww it fails at "edits of both replicas are added up".

import { createHash, webcrypto } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const [MAPPING, SAME_ID] = [option("--mapping"), process.argv.includes("--same-id")];
const require = createRequire(resolve(option("--from")));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { createMergeableStore } = await load("tinybase/mergeable-store");
const { createCustomSynchronizer, Message } = await load("tinybase/synchronizers");

const ENGINE = {
  protocol: 1, name: `tinybase-${MAPPING}${SAME_ID ? " with the same client id" : ""}`, version: "10.0.1",
  about: `counters as ${MAPPING} in a MergeableStore, a synchronizer for each connection`,
  counters: { min: String(-(2n ** 63n)), max: String(2n ** 63n - 1n) }, tags: "either", peers: true, repeats: true,
  clock: "given", transport: "in-order", store: "memory", id: SAME_ID ? "kept" : "renewed", survives: "while-shown",
  promises: "stores that are merged come to the same content; timestamps over five minutes in the future are rejected",
};
// Date 0 of the world: TinyBase's timestamps have no negative times. And how long a request may wait for its response.
const [EPOCH, REQUEST_S] = [Date.UTC(2026, 0), 30];

// Time and random ids come from requests alone.
let [now, wall, random, timers] = [0, 0, { seed: "", drawn: 0 }, new Map()];
webcrypto.getRandomValues = (array) => {
  random.drawn += 1;
  array.set(createHash("sha512").update(`${random.seed} ${random.drawn}`).digest().subarray(0, array.length));
  return array;
};
globalThis.setTimeout = (does, after = 0) => {
  const timer = { at: now + after * 1000, does };
  timers.set(timer, timer.at);
  return timer;
};
globalThis.clearTimeout = (timer) => timers.delete(timer);
const settled = () => new Promise(setImmediate);

// As TinyBase's own clients write what JSON lacks: a cell that was deleted is undefined.
const pack = (value) => Buffer.from(JSON.stringify(value, (_, of) => (of === undefined ? "\uFFFC" : of)));
const revived = (value) => {
  if (value === "\uFFFC") return undefined;
  if (Array.isArray(value)) return value.map(revived);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, revived(of)]));
};
const unpack = (bytes) => revived(JSON.parse(bytes.toString()));

/** One connection: a synchronizer, and what it said and the neighbour has not acknowledged. */
class Line {
  constructor(replica, peer) {
    Object.assign(this, { replica, peer, said: [], number: 0, taken: 0, due: null, wait: replica.retryAfter });
    this.synchronizer = createCustomSynchronizer(replica.store, (_, ...message) => this.say(message),
      (receive) => { this.receive = receive; }, () => {}, REQUEST_S, undefined, undefined, () => {});
    this.synchronizer.startSync();
  }

  say(message) {
    if (this.isOver) return;
    this.number += 1;
    // What has content is a response or a difference; the others tell hashes.
    const [body, edits] = [pack(message), [Message.Response, Message.ContentDiff].includes(message[1])];
    this.said.push({ to: this.peer, body, request: this.number, ids: edits ? 0 : body.length, edits });
    this.replica.send(this.said.at(-1));
    this.due ??= now + this.wait;
  }

  acknowledged(number) {
    const taken = this.said.filter(({ request }) => request <= number);
    if (taken.length === 0) return;
    this.said.splice(0, taken.length);
    this.wait = this.replica.retryAfter;
    this.due = this.said.length > 0 ? now + this.wait : null;
    for (const { body } of taken) this.replica.delivered(body.toString());
  }

  message(number, body) {
    if (number === this.taken + 1) {
      this.taken = number;
      this.replica.compared(body);
      this.receive(String(this.peer), ...body);
    }
    this.replica.send({ to: this.peer, body: Buffer.alloc(0), answer: this.taken, edits: false });
  }

  wake() {
    if (this.due === null || this.due > now) return;
    this.wait = Math.min(2 * this.wait, this.replica.retryAtMost);
    this.due = now + this.wait;
    for (const said of this.said) this.replica.send({ ...said, again: true });
  }

  end() {
    this.isOver = true;
    this.synchronizer.destroy();
  }
}

class Replica {
  constructor(start) {
    this.registers = start.registers;
    [this.retryAfter, this.retryAtMost] = [start.retry_after, start.retry_at_most];
    [this.lines, this.sends, this.pending, this.revision] = [new Map(), [], [], 0];
    this.client = SAME_ID ? `n${start.node}` : `s${start.fresh}`;
    this.store = createMergeableStore(this.client, () => EPOCH + Math.floor(wall / 1000));
    if (start.image) {
      const [content, pending] = unpack(Buffer.from(start.image, "base64"));
      this.store.setMergeableContent(content);
      this.pending = pending;
    }
    this.kept = this.content().toString();
  }

  content() {
    return pack(this.store.getMergeableContent());
  }

  send({ body, ...rest }) {
    this.sends.push({ send: { ...rest, body: body.toString("base64") } });
  }

  /** Edits of this node that nobody else is known to have: the cell, its stamp, and how many edits made it. A neighbour has
   * them if it acknowledged the stamp, or if it tells the hash that all tables, the table, the row or the cell has here. */
  delivered(text) {
    this.pending = this.pending.filter(([, , , stamp]) => !text.includes(stamp));
  }

  compared([, kind, hashes]) {
    const depth = [Message.ContentHashes, Message.GetTableDiff, Message.GetRowDiff, Message.GetCellDiff].indexOf(kind);
    if (depth < 0) return;
    const tables = this.store.getMergeableContent()[0];
    const isThere = (of) => {
      const path = of.slice(0, depth);
      const here = path.reduce((stamp, key) => stamp?.[0][key], tables)?.[2];
      return here !== undefined && here === (depth === 0 ? hashes[0] : path.reduce((told, key) => told?.[key], hashes));
    };
    this.pending = this.pending.filter((of) => !isThere(of));
  }

  stamp([table, row, cell]) {
    return this.store.getMergeableContent()[0][0][table]?.[0][row]?.[0][cell]?.[1];
  }

  edit({ register, add, insert, remove }) {
    const { counters, start } = this.registers;
    const [table, row] = add === undefined ? ["tags", String(register - counters)] : ["counters", String(register)];
    const cell = String(insert ?? remove ?? (MAPPING === "lww" ? "value" : this.client));
    if (insert !== undefined) this.store.setCell(table, row, cell, true);
    else if (remove !== undefined) this.store.delCell(table, row, cell, true);
    else {
      const first = MAPPING === "lww" ? start : 0;
      const number = BigInt.asIntN(64, BigInt(this.store.getCell(table, row, cell) ?? first) + BigInt(add));
      // A number of more than 53 bits is kept as text.
      this.store.setCell(table, row, cell, Number.isSafeInteger(Number(number)) ? Number(number) : String(number));
    }
    const [key, stamp] = [[table, row, cell], this.stamp([table, row, cell])];
    const same = this.pending.find((of) => key.every((part, at) => of[at] === part));
    if (same) [same[3], same[4]] = [stamp, same[4] + 1];
    else if (stamp) this.pending.push([...key, stamp, 1]);
  }

  connected({ peer }) {
    this.lines.set(peer, new Line(this, peer));
  }

  disconnected({ peer }) {
    this.lines.get(peer)?.end();
    this.lines.delete(peer);
  }

  message({ from, body, request, answer }) {
    const line = this.lines.get(from);
    if (answer !== undefined) line.acknowledged(answer);
    else line.message(request, unpack(Buffer.from(body, "base64")));
  }

  wake() {
    const due = [...timers.keys()].filter(({ at }) => at <= now);
    for (const timer of due) if (timers.delete(timer)) timer.does();
    for (const line of this.lines.values()) line.wake();
  }

  /** What was taken is durable before the answer acknowledges it. */
  effects() {
    const [content, sends] = [this.content().toString(), this.sends.splice(0)];
    if (content === this.kept) return sends;
    [this.kept, this.revision] = [content, this.revision + 1];
    this.pending = this.pending.filter((of) => this.stamp(of) === of[3]);
    return [{ replace: pack([this.store.getMergeableContent(), this.pending]).toString("base64") }, ...sends];
  }

  state() {
    const times = [...timers.values(), ...[...this.lines.values()].map(({ due }) => due).filter((due) => due !== null)];
    const backlog = this.pending.reduce((sum, of) => sum + of[4], 0);
    return { wake_at: times.length > 0 ? Math.min(...times) : null, backlog, revision: this.revision };
  }

  views() {
    const { counters, start, tags } = this.registers;
    const cells = (table, row) => Object.entries(this.store.getRow(table, String(row)));
    const number = (row) => {
      const shares = cells("counters", row).map(([, of]) => BigInt(of));
      const first = MAPPING === "lww" && shares.length > 0 ? 0n : BigInt(start);
      return String(BigInt.asIntN(64, shares.reduce((sum, of) => sum + of, first)));
    };
    const elements = (row) => cells("tags", row).map(([element]) => Number(element)).sort((a, b) => a - b);
    const each = (count, of) => Array.from({ length: count }, (_, row) => of(row));
    return [...each(counters, number), ...each(tags, elements)];
  }
}

let replica = null;

async function answerTo(request) {
  if (request.do === "hello") return { engine: ENGINE };
  if (request.do === "views") return { views: replica.views() };
  if (request.do === "start") {
    random.seed = request.seed;
    try {
      replica = new Replica(request);
    } catch (error) {
      return { damaged: String(error) };
    }
    return {};
  }
  const answer = {};
  try {
    replica[request.do]?.(request);
    if (request.do === "message") answer.message = "taken";
  } catch (error) {
    if (request.do !== "message") throw error;
    answer.message = "damaged";
  }
  await settled();
  answer.effects = replica.effects();
  if (request.do === "edit") answer.effects.push({ accept: true });
  return answer;
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  [now, wall] = [request.now, request.wall];
  const answer = { n: request.n, ...(await answerTo(request)) };
  if (replica && !answer.damaged) Object.assign(answer, replica.state());
  process.stdout.write(JSON.stringify(answer) + "\n");
}
