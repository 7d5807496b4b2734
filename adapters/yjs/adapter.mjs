#!/usr/bin/env node
// yjs 13.6.33 with y-protocols 1.0.7 (both MIT) behind abench's engine protocol. Yjs has no counter, so the mapping matters:
//   lww         one map entry a counter or label, overwritten by the last writer, as many applications keep a value, for each
//               record a map of its own, with an entry for each label and tag, and for each text a Y.Text;
//   per-client  one map entry a counter and client, written by that client alone, and summed up;
//   log         one array of all additions, summed up.
// A message is step 1 of y-protocols (the state vector), and step 2 (the update) for a neighbour whose vector is known. State vectors
// do not tell what was deleted: with records or texts, a digest of the whole snapshot goes along, 8 bytes, so that a lost delete is sent again.
//
// Usage: node adapter.mjs --from FOLDER/package.json --mapping lww|per-client|log [--same-id]
// --from says where yjs is installed. --same-id sets one client id at each start. The FAQ of Yjs allows that with caution: it is
// designed for a new id in every session, and two documents that hold one id can corrupt a document for good.
// `abench engine check` passes with per-client and log. With lww it fails at "edits of both replicas are added up".

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { resolve } from "node:path";

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const [MAPPING, SAME_ID] = [option("--mapping"), process.argv.includes("--same-id")];
const require = createRequire(resolve(option("--from")));
const Y = require("yjs");
const sync = require("y-protocols/sync");
const [encoding, decoding] = [require("lib0/encoding"), require("lib0/decoding")];

const TYPES = MAPPING === "lww" ? { labels: "one", records: "either", texts: "forward" } : {};
const ENGINE = {
  ...TYPES, protocol: 1, name: `yjs-${MAPPING}${SAME_ID ? " with the same client id" : ""}`, version: "13.6.33",
  about: `registers as ${MAPPING}, state vectors by y-protocols 1.0.7`,
  counters: { min: String(-(2n ** 63n)), max: String(2n ** 63n - 1n) }, peers: true, repeats: true, clock: "given",
  transport: "any-order", store: "journal", id: SAME_ID ? "kept" : "renewed", survives: "while-shown", rounds: true,
  promises: "shared types merge without conflicts; made for a new client id in every session",
};
const [LINGER, SNAPSHOT_AFTER] = [1_000_000, 64];

const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

/** The letters of a text. */
const lettersOf = (text) => text.match(/.[\u{E0100}-\u{E01EF}]?/gsu) ?? [];

/** By neighbour, the state vector that it told last: null until it is heard. */
class Replica {
  constructor(start) {
    this.registers = start.registers;
    [this.retryAfter, this.retryAtMost, this.retry] = [start.retry_after, start.retry_at_most, start.retry_after];
    [this.known, this.wakeAt, this.revision, this.entries] = [new Map(), null, 0, start.entries.length];
    // Edits of this node that nobody else is known to have: the client id, and its clock after the edit.
    this.own = [];
    [this.hasDeletes, this.theirs] = [this.registers.records > 0 || this.registers.texts > 0, new Map()];
    this.doc = new Y.Doc();
    for (const stored of [start.image, ...start.entries]) if (stored) this.load(bytes(stored));
    // After loading: a document that sees its own id in an update takes another, with a warning.
    this.doc.clientID = SAME_ID ? 1 + start.node : start.fresh;
    this.updates = [];
    this.doc.on("update", (update) => this.updates.push(update));
  }

  load(stored) {
    const decoder = decoding.createDecoder(stored);
    for (let left = decoding.readVarUint(decoder); left > 0; left -= 1)
      this.own.push([decoding.readVarUint(decoder), decoding.readVarUint(decoder)]);
    Y.applyUpdate(this.doc, decoding.readVarUint8Array(decoder));
  }

  stored(own, update) {
    return base64(encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, own.length);
      own.flat().forEach((number) => encoding.writeVarUint(encoder, number));
      encoding.writeVarUint8Array(encoder, update);
    }));
  }

  /** Stores what the document gained, durably: an entry, or at times a snapshot. */
  store(own) {
    if (this.updates.length === 0) return [];
    const update = Y.mergeUpdates(this.updates.splice(0));
    this.own.push(...own);
    [this.revision, this.entries] = [this.revision + 1, this.entries + 1];
    if (this.entries < SNAPSHOT_AFTER) return [{ append: this.stored(own, update) }, { sync: true }];
    this.entries = 0;
    return [{ replace: this.stored(this.own, Y.encodeStateAsUpdate(this.doc)) }];
  }

  vector() {
    return Y.decodeStateVector(Y.encodeStateVector(this.doc));
  }

  digest() {
    return createHash("sha256").update(Y.encodeSnapshot(Y.snapshot(this.doc))).digest().subarray(0, 8);
  }

  lacks(peer) {
    const known = this.known.get(peer);
    if (this.hasDeletes && known !== null && !this.digest().equals(this.theirs.get(peer))) return true;
    return known === null || [...this.vector()].some(([client, clock]) => (known.get(client) ?? 0) < clock);
  }

  tell(peer) {
    const known = this.known.get(peer);
    const edits = known !== null && this.lacks(peer);
    const body = encoding.encode((encoder) => {
      sync.writeSyncStep1(encoder, this.doc);
      if (edits) sync.writeSyncStep2(encoder, this.doc, Y.encodeStateVector(known));
      if (this.hasDeletes) encoding.writeUint8Array(encoder, this.digest());
    });
    return { send: { to: peer, body: base64(body), edits, begins: known !== null, ends: known !== null } };
  }

  tellSoon(now) {
    this.retry = this.retryAfter;
    if (this.known.size > 0) this.wakeAt = now + LINGER;
  }

  /** Where a letter is typed, or stands: a letter is a code point, and perhaps a mark after it. */
  placeIn(shown, letter) {
    const places = shown.map((_, place) => shown.slice(0, place).join("").length);
    return places[shown.indexOf(letter)] ?? -1;
  }

  editText(text, { type, erase }) {
    const shown = lettersOf(text.toString());
    const place = this.placeIn(shown, type ? type.after : erase);
    if (type) text.insert(place < 0 ? 0 : place + type.after.length, type.letter);
    else if (place >= 0) text.delete(place, erase.length);
  }

  /** A label, a record, or a text. */
  editOther(key, { write, create, set, tag, untag, ...request }) {
    if (request.type || request.erase !== undefined) return this.editText(this.doc.getText(`text ${key}`), request);
    const [labels, records] = [this.doc.getMap("labels"), this.doc.getMap("records")];
    if (write !== undefined) return void labels.set(key, write);
    const record = records.get(key);
    if ((create !== undefined) === (record !== undefined)) return;
    if (request.delete) records.delete(key);
    else if (record === undefined) {
      const label = (place) => [String(place), String(BigInt(create) + BigInt(place))];
      records.set(key, new Y.Map(Array.from({ length: this.registers.record_labels }, (_, place) => label(place))));
    } else if (set) record.set(String(set.field), set.value);
    else if (tag !== undefined) record.set(`tag ${tag}`, true);
    else if (record.has(`tag ${untag}`)) record.delete(`tag ${untag}`);
  }

  edit({ now, register, add, ...request }) {
    const clock = () => this.vector().get(this.doc.clientID) ?? 0;
    const before = clock();
    // A delete is in no vector: it waits for the digest.
    const own = () => [clock() > before ? [this.doc.clientID, clock()] : [0, 1]];
    if (add === undefined) {
      this.doc.transact(() => this.editOther(String(register), request));
      this.tellSoon(now);
      return [...this.store(own()), { accept: true }];
    }
    const [map, log, key] = [this.doc.getMap("counters"), this.doc.getArray("log"), String(register)];
    const mine = MAPPING === "lww" ? key : `${key}/${this.doc.clientID}`;
    const first = MAPPING === "lww" ? BigInt(this.registers.start) : 0n;
    if (MAPPING === "log") log.push([[register, BigInt(add)]]);
    else map.set(mine, BigInt.asIntN(64, (map.get(mine) ?? first) + BigInt(add)));
    this.tellSoon(now);
    return [...this.store(own()), { accept: true }];
  }

  connected({ now, peer }) {
    this.known.set(peer, null);
    [this.wakeAt, this.retry] = [now + this.retryAfter, this.retryAfter];
    return [this.tell(peer)];
  }

  disconnected({ peer }) {
    this.known.delete(peer);
    return [];
  }

  message({ now, from: peer, body }) {
    const [all, digest] = [bytes(body), this.hasDeletes ? 8 : 0];
    if (all.length < digest) throw new Error("no digest");
    const decoder = decoding.createDecoder(all.subarray(0, all.length - digest));
    decoding.readVarUint(decoder);
    const vector = Y.decodeStateVector(decoding.readVarUint8Array(decoder));
    const hasUpdate = decoding.hasContent(decoder);
    if (hasUpdate) sync.readSyncMessage(decoder, encoding.createEncoder(), this.doc, peer, (error) => { throw error; });
    const stored = this.store([]);
    if (stored.length > 0) this.tellSoon(now);
    const wasHeard = (this.known.get(peer) ?? null) !== null;
    this.known.set(peer, vector);
    this.theirs.set(peer, Buffer.from(all.subarray(all.length - digest)));
    if (this.hasDeletes && this.digest().equals(this.theirs.get(peer))) this.own = this.own.filter(([client]) => client !== 0);
    this.own = this.own.filter(([client, clock]) => (vector.get(client) ?? 0) < clock);
    // Step 1 in the answer acknowledges the update, once what was taken is durable.
    return hasUpdate || !wasHeard || this.lacks(peer) ? [...stored, this.tell(peer)] : stored;
  }

  wake({ now }) {
    const lacking = [...this.known.keys()].filter((peer) => this.lacks(peer));
    this.wakeAt = lacking.length > 0 ? now + this.retry : null;
    this.retry = Math.min(2 * this.retry, this.retryAtMost);
    return lacking.map((peer) => this.tell(peer));
  }

  views() {
    const { counters, start, labels = 0, records = 0, texts = 0, record_labels: fields = 0 } = this.registers;
    const numbers = Array(counters).fill(BigInt(start));
    for (const [key, value] of this.doc.getMap("counters")) {
      const register = parseInt(key, 10);
      numbers[register] = MAPPING === "lww" ? value : numbers[register] + value;
    }
    for (const [register, amount] of this.doc.getArray("log")) numbers[register] += amount;
    const label = (map, key) => (map.has(key) ? [map.get(key)] : []);
    const written = Array.from({ length: labels }, (_, place) => ({ values: label(this.doc.getMap("labels"), String(counters + place)) }));
    const whole = (record) => ({
      labels: Array.from({ length: fields }, (_, place) => label(record, String(place))),
      tags: [...record.keys()].filter((key) => key.startsWith("tag ")).map((key) => Number(key.slice(4))).sort((a, b) => a - b),
    });
    const shown = (record) => ({ record: record === undefined ? null : whole(record) });
    const kept = Array.from({ length: records }, (_, place) => shown(this.doc.getMap("records").get(String(counters + labels + place))));
    const text = (place) => ({ text: this.doc.getText(`text ${counters + labels + records + place}`).toString() });
    const typed = Array.from({ length: texts }, (_, place) => text(place));
    return [...numbers.map((number) => String(BigInt.asIntN(64, number))), ...written, ...kept, ...typed];
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
    return { message: "taken", effects: replica.message(request) };
  } catch {
    return { message: "damaged" };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = { n: request.n, ...answerTo(request) };
  if (replica) Object.assign(answer, { wake_at: replica.wakeAt, backlog: replica.own.length, revision: replica.revision });
  process.stdout.write(JSON.stringify(answer) + "\n");
}
