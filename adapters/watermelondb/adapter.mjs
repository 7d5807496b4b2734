#!/usr/bin/env node
// WatermelonDB 0.28.0 (MIT) behind abench's engine protocol, with its LokiJS adapter and its `synchronize`. It is a
// database for clients: the hub's two endpoints are written here, as its documentation asks for them ("Implementing your
// Sync backend"). They keep rows by an increasing sequence, and refuse a push with a row that was changed after the
// client's last pull. WatermelonDB has no counter, so the mapping matters:
//   lww         one row a counter, that all replicas have from the start; in a conflict the client's column wins;
//   per-client  one row a counter and session of a client, written by that session alone, and summed up.
// A client syncs once it is connected, a second after an edit, and when the hub says that there is something new, by an
// empty message: WatermelonDB leaves that to the application. Numbers are decimal text. Memory is all the store: a
// snapshot, LokiJS's own, is made after each step.
//
// Usage: node adapter.mjs --from FOLDER/package.json --mapping lww|per-client
// `abench engine check` passes with per-client. With lww it fails at "edits of both replicas are added up".

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { option, pack, RANGE, serve, Unacknowledged, unpack, wrapped } from "../node/machine.mjs";

const MAPPING = option("--mapping");
const ENGINE = {
  protocol: 1, name: `watermelondb-${MAPPING}`, version: "0.28.0", about: `counters as ${MAPPING}, rows synced with a hub`,
  counters: RANGE, peers: false, repeats: true, clock: "given", transport: "any-order", store: "memory", id: "renewed",
  survives: "while-shown",
  promises: "in a conflict the server's row is taken, except for any column that was changed locally since the last sync",
};
const TABLE = "counters";
const first = (registers) => (MAPPING === "lww" ? registers.start : "0");
const added = (n, amount) => wrapped(BigInt(n) + amount);

/** The hub: rows, and for each the number of the change that made it so. */
class Hub {
  constructor(machine, image) {
    [this.machine, this.registers] = [machine, machine.start.registers];
    [this.last, this.rows, this.own] = [image?.last ?? 1, new Map(image?.rows), image?.own ?? 0];
  }

  image() {
    return { last: this.last, rows: [...this.rows], own: this.own };
  }

  put(id, n) {
    this.rows.set(id, { n, at: (this.last += 1) });
  }

  async edit(register, add) {
    const id = MAPPING === "lww" ? `${register}` : `${register}-${this.machine.start.fresh}`;
    this.put(id, added(this.rows.get(id)?.n ?? first(this.registers), add));
    this.own += 1;
    this.machine.poke();
  }

  reads(bytes) {
    const asks = unpack(bytes);
    const { created, updated } = asks?.changes?.[TABLE] ?? {};
    if (Array.isArray(created) && Array.isArray(updated))
      return { rows: [...created, ...updated], since: asks.lastPulledAt ?? 0, pulls: false };
    return asks?.lastPulledAt === undefined ? null : { rows: null, since: asks.lastPulledAt ?? 0, pulls: true };
  }

  async answer({ rows, since }, from) {
    if (!rows) {
      const updated = [...this.rows].filter(([, { at }]) => at > since).map(([id, { n }]) => ({ id, n }));
      const changes = { [TABLE]: { created: [], updated, deleted: [] } };
      this.own = 0;
      return { body: pack({ changes, timestamp: this.last }), edits: updated.length > 0 };
    }
    const isRefused = rows.some(({ id }) => (this.rows.get(id)?.at ?? 0) > since);
    if (!isRefused) rows.forEach(({ id, n }) => this.put(id, n));
    if (!isRefused) this.machine.poke(from);
    return { body: pack(isRefused ? { error: "changed after the last pull" } : {}), edits: false };
  }

  backlog() {
    return this.own;
  }

  views() {
    return shown(this.registers, [...this.rows].map(([id, { n }]) => [id, n]));
  }
}

function shown(registers, rows) {
  const numbers = Array(registers.counters).fill(BigInt(registers.start));
  for (const [id, n] of rows) {
    const register = parseInt(id, 10);
    numbers[register] = MAPPING === "lww" ? BigInt(n) : numbers[register] + BigInt(n);
  }
  return numbers.map(wrapped);
}

class Client {
  constructor(machine, library, image) {
    [this.machine, this.library, this.registers] = [machine, library, machine.start.registers];
    this.own = new Unacknowledged(image?.own);
  }

  async open(image) {
    const { appSchema, Database, LokiJSAdapter, LokiMemoryAdapter, Model, tableSchema } = this.library;
    class Counter extends Model {
      static table = TABLE;
    }
    const columns = [{ name: "n", type: "string" }];
    const schema = appSchema({ version: 1, tables: [tableSchema({ name: TABLE, columns })] });
    const store = new LokiMemoryAdapter();
    if (image) store.saveDatabase(TABLE, image.loki, () => {});
    const options = { useWebWorker: false, useIncrementalIndexedDB: true, extraLokiOptions: { autosave: false } };
    const adapter = new LokiJSAdapter({ schema, dbName: TABLE, _testLokiAdapter: store, ...options });
    this.database = new Database({ adapter, modelClasses: [Counter] });
    this.rows = this.database.get(TABLE);
    this.loki = () => adapter._driver.loki;
    await this.rows.query().fetch();
    if (image || MAPPING !== "lww") return this;
    // As after a first sync: rows that each replica made by itself would not be in conflict, but taken from the hub.
    const row = { n: this.registers.start, _status: "synced" };
    const make = (register) => this.rows.prepareCreateFromDirtyRaw({ id: `${register}`, ...row });
    await this.database.write(() => this.database.batch([...Array(this.registers.counters).keys()].map(make)));
    return this;
  }

  image() {
    return { loki: this.loki().serialize(), own: [...this.own] };
  }

  async edit(register, add) {
    const id = MAPPING === "lww" ? `${register}` : `${register}-${this.machine.start.fresh}`;
    await this.database.write(async () => {
      const row = await this.rows.find(id).catch(() => null);
      if (row) await row.update(() => row._setRaw("n", added(row._getRaw("n"), add)));
      else await this.rows.create((row) => ((row._raw.id = id), row._setRaw("n", added(first(this.registers), add))));
    });
    this.own.add(id);
    this.machine.syncSoon();
  }

  connected() {
    this.machine.syncSoon(0);
  }

  poked() {
    this.machine.syncSoon(0);
  }

  async sync() {
    const ask = async (what, edits) => JSON.parse(await this.machine.ask(pack(what), edits));
    const pullChanges = ({ lastPulledAt }) => ask({ lastPulledAt }, false);
    const pushChanges = async ({ changes, lastPulledAt }) => {
      const { created, updated } = changes[TABLE];
      const acknowledged = this.own.told([...created, ...updated].map(({ id }) => id));
      const { error } = await ask({ changes, lastPulledAt }, true);
      if (error) throw new Error(error);
      acknowledged();
    };
    await this.library.synchronize({ database: this.database, pullChanges, pushChanges, sendCreatedAsUpdated: true });
  }

  backlog() {
    return this.own.sum();
  }

  async views() {
    return shown(this.registers, (await this.rows.query().fetch()).map((row) => [row.id, row._getRaw("n")]));
  }
}

// Read at the start, when time and random numbers are given.
function load() {
  // What it logs would be lines that nobody asked for.
  for (const name of ["log", "info", "warn", "error"]) console[name] = () => {};
  const require = createRequire(resolve(option("--from")));
  const { Database, Model, appSchema, tableSchema } = require("@nozbe/watermelondb");
  const { synchronize } = require("@nozbe/watermelondb/sync");
  const { default: LokiJSAdapter } = require("@nozbe/watermelondb/adapters/lokijs");
  const { LokiMemoryAdapter } = require("lokijs");
  return { Database, Model, appSchema, tableSchema, synchronize, LokiJSAdapter, LokiMemoryAdapter };
}

const open = async (machine, image) =>
  machine.start.serves ? new Hub(machine, image) : new Client(machine, load(), image).open(image);
await serve(ENGINE, open);
