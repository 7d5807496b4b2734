#!/usr/bin/env node
// PouchDB 9.0.0 with express-pouchdb 4.2.0 as its hub (both Apache-2.0), behind abench's engine protocol. PouchDB has no
// counter, so the mapping matters:
//   lww         one document a counter, a label or a record, of which the winning revision is shown; others stay as conflicts;
//   merge       one document a counter with an entry for each session of a client; revisions in conflict are merged, entry by entry;
//   per-client  one document a counter and session of a client, written by that session alone, and summed up.
// A client replicates to the hub and then from it, once it is connected, a second after an edit, and when the hub says that
// there is something new, by an empty message. A request is one of PouchDB's HTTP requests: its method, path and body, and
// the answer is a status and a body. With --http a message is all that a connection carries, headers included: PouchDB's
// own client and Node's server run on both ends of it, without compression. Numbers are decimal text. The store is
// PouchDB's LevelDB, in the folder of the node.
//
// Usage: node adapter.mjs --from FOLDER/package.json --mapping lww|merge|per-client [--http]
// `abench engine check` passes with merge and per-client. With lww it fails at "edits of both replicas are added up", and at "a
// record is there as a whole, or not at all", where two fields are changed at the same time.

import http from "node:http";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { Duplex } from "node:stream";
import { option, RANGE, serve, Unacknowledged, wrapped } from "../node/machine.mjs";

const [MAPPING, WHOLE] = [option("--mapping"), process.argv.includes("--http")];
// Whole documents win or lose: so do the fields of a record.
const TYPES = MAPPING === "lww" ? { labels: "one", records: "either" } : {};
const ENGINE = {
  ...TYPES, protocol: 1, name: `pouchdb-${MAPPING}${WHOLE ? " with HTTP" : ""}`, version: "9.0.0",
  about: `registers as ${MAPPING}, replicated with express-pouchdb 4.2.0`,
  counters: RANGE, peers: false, repeats: true, clock: "given", transport: "any-order", store: "files", id: "renewed",
  survives: "while-shown",
  promises: "all replicas pick the same winner among revisions in conflict; the others are kept for the application to resolve",
};
const NAME = "counters";

/** One end of a connection that is no socket: what is written comes out at `written`, what comes in is pushed. */
class End extends Duplex {
  constructor(written) {
    super();
    [this.sent, this.written] = [[], written];
    for (const name of ["setTimeout", "setNoDelay", "setKeepAlive", "ref", "unref"]) this[name] = () => this;
  }
  _read() {}
  _write(bytes, _, done) {
    this.sent.push(bytes);
    this.written?.(this);
    done();
  }
  _final(done) {
    done();
    this.ended?.(Buffer.concat(this.sent));
  }
}

/** The hub's end: a request as bytes, answered by express-pouchdb. HTTP 1.0 has no chunks. */
function exchange(server, request) {
  return new Promise((done) => {
    const end = Object.assign(new End(), { ended: done });
    server.emit("connection", end);
    end.push(request);
    end.push(null);
  });
}

class Replica {
  constructor(machine, { PouchDB, app }) {
    [this.machine, this.registers, this.serves] = [machine, machine.start.registers, machine.start.serves];
    [this.own, this.session] = [new Unacknowledged(), String(machine.start.fresh)];
    this.PouchDB = PouchDB.defaults({ prefix: `${machine.start.folder}/` });
    this.db = new this.PouchDB(NAME);
    if (!this.serves) return;
    const handler = app(this.PouchDB, { mode: "minimumForPouchDB", inMemoryConfig: true });
    // Node's own date is the machine's.
    this.server = http.createServer((request, response) => {
      response.setHeader("Date", new Date().toUTCString());
      handler(request, response);
    });
    this.server.httpAllowHalfOpen = true;
  }

  async open() {
    if (this.serves) await exchange(this.server, `PUT /${NAME} HTTP/1.0\r\n\r\n`);
    this.last = (await this.db.info()).update_seq;
    return this;
  }

  /** What one document and its conflicts come to, with the revisions that lost. */
  async read(id) {
    const none = (error) => (error.status === 404 ? null : Promise.reject(error));
    const won = await this.db.get(id, { conflicts: true }).catch(none);
    if (MAPPING !== "merge" || !won) return { won, entries: {}, lost: [] };
    const [entries, lost] = [{ ...won.entries }, won._conflicts ?? []];
    for (const rev of lost)
      for (const [session, [edits, sum]] of Object.entries((await this.db.get(id, { rev })).entries))
        if (!(entries[session]?.[0] >= edits)) entries[session] = [edits, sum];
    return { won, entries, lost };
  }

  async edit(register, add, request) {
    if (request.add === undefined) return this.editDocument(register, request);
    const _id = MAPPING === "per-client" ? `${register}-${this.session}` : `${register}`;
    const { won, entries, lost } = await this.read(_id);
    const [edits, sum] = entries[this.session] ?? [0, "0"];
    entries[this.session] = [edits + 1, wrapped(BigInt(sum) + add)];
    const first = MAPPING === "lww" ? this.registers.start : "0";
    const content = MAPPING === "merge" ? { entries } : { n: wrapped(BigInt(won?.n ?? first) + add) };
    await this.db.put({ _id, ...(won && { _rev: won._rev }), ...content });
    for (const rev of lost) await this.db.remove(_id, rev);
    await this.edited(_id);
  }

  /** A label, or a record: one document that is replaced as a whole. */
  async editDocument(register, { write, create, set, tag, untag, ...request }) {
    const [_id, { won }] = [`${register}`, await this.read(`${register}`)];
    const { labels, tags } = won ?? {};
    if (write === undefined && (create !== undefined) === (won !== null)) return;
    if (untag !== undefined && !tags.includes(untag)) return;
    if (request.delete) await this.db.remove(won);
    else if (write !== undefined) await this.db.put({ _id, ...(won && { _rev: won._rev }), value: write });
    else if (create !== undefined) {
      const values = Array.from({ length: this.registers.record_labels }, (_, place) => String(BigInt(create) + BigInt(place)));
      await this.db.put({ _id, labels: values, tags: [] });
    } else {
      if (set) labels[set.field] = set.value;
      const others = tags.filter((element) => element !== tag && element !== untag);
      await this.db.put({ ...won, labels, tags: tag === undefined ? others : [...others, tag].sort((a, b) => a - b) });
    }
    await this.edited(_id);
  }

  async edited(_id) {
    this.own.add(_id);
    this.last = (await this.db.info()).update_seq;
    this.machine.poke();
    this.machine.syncSoon();
  }

  connected() {
    this.machine.syncSoon(0);
  }

  poked() {
    this.machine.syncSoon(0);
  }

  async sync() {
    const fetch = WHOLE ? this.fetchWhole() : this.fetch();
    const remote = new this.PouchDB(`http://hub/${NAME}`, { skip_setup: true, fetch });
    const acknowledged = this.own.told([...this.own.keys()]);
    await this.db.replicate.to(remote);
    acknowledged();
    await this.db.replicate.from(remote);
  }

  fetch() {
    return async (url, { method = "GET", body = "" } = {}) => {
      const { pathname, search } = new URL(url);
      const asked = Buffer.from(`${method} ${pathname}${search}\n${body}`);
      const text = String(await this.machine.ask(asked, pathname.endsWith("/_bulk_docs")));
      const [status, answer] = [parseInt(text, 10), text.slice(text.indexOf("\n") + 1)];
      return { ok: status < 300, status, headers: new Map(), json: async () => JSON.parse(answer), text: async () => answer };
    };
  }

  fetchWhole() {
    const agent = new http.Agent();
    agent.createConnection = () => {
      const ask = async (end) => {
        const bytes = Buffer.concat(end.sent.splice(0));
        const answer = this.machine.ask(bytes, bytes.includes("/_bulk_docs"));
        await answer.then((bytes) => (end.push(bytes), end.push(null)), (error) => end.destroy(error));
      };
      // A request is written in pieces, head and body, with nothing in between.
      return new End((end) => void (end.due ??= setTimeout(() => ((end.due = null), ask(end)))));
    };
    return (url, options) => this.PouchDB.fetch(url, { ...options, agent, compress: false });
  }

  reads(bytes) {
    const [, method, path] = /^([A-Z]+) (\/(?:counters\/\S*)?)(?=\s)/.exec(bytes) ?? [];
    return path ? { bytes, method, path, pulls: path.includes("/_changes") } : null;
  }

  async answer({ bytes, method, path }, from) {
    const body = bytes.subarray(bytes.indexOf("\n") + 1);
    const head = `${method} ${path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = await exchange(this.server, WHOLE ? bytes : Buffer.concat([Buffer.from(head), body]));
    const before = this.last;
    this.last = (await this.db.info()).update_seq;
    if (this.last !== before) this.machine.poke(from);
    const status = parseInt(answer.subarray(9, 12), 10);
    const bare = Buffer.concat([Buffer.from(`${status}\n`), answer.subarray(answer.indexOf("\r\n\r\n") + 4)]);
    const edits = /_bulk_get|rev=|include_docs/.test(path);
    if (edits) this.own.clear();
    return { body: WHOLE ? answer : bare, edits };
  }

  backlog() {
    return this.own.sum();
  }

  async views() {
    const { counters, start, labels: written = 0, records = 0 } = this.registers;
    const numbers = Array(counters).fill(BigInt(start));
    const others = [...Array(written).fill({ values: [] }), ...Array(records).fill({ record: null })];
    for (const { id, doc } of (await this.db.allDocs({ include_docs: true })).rows) {
      const { labels, tags, value } = doc;
      if (labels) others[id - counters] = { record: { labels: labels.map((label) => [label]), tags } };
      if (value !== undefined) others[id - counters] = { values: [value] };
      if (labels || value !== undefined) continue;
      const { entries } = MAPPING === "merge" ? await this.read(id) : { entries: { one: [1, doc.n] } };
      const sum = Object.values(entries).reduce((sum, [, n]) => sum + BigInt(n), 0n);
      numbers[parseInt(id, 10)] = MAPPING === "lww" ? BigInt(doc.n) : numbers[parseInt(id, 10)] + sum;
    }
    return [...numbers.map(wrapped), ...others];
  }
}

// Read at the start, when time and random numbers are given.
function load() {
  const require = createRequire(resolve(option("--from")));
  return { PouchDB: require("pouchdb"), app: require("express-pouchdb") };
}

await serve(ENGINE, async (machine) => new Replica(machine, load()).open());
