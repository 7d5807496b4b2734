#!/usr/bin/env node
// RxDB 17.6.0 (Apache-2.0) behind abench's engine protocol, with its memory storage, its replication and its own master
// (rxStorageInstanceToReplicationHandler). RxDB has no counter, so the mapping matters:
//   lww         one document a counter, and the default conflict handler, which drops the fork's state for the master's;
//   resolve     the same, with a conflict handler that adds what the fork added: real + new - assumed;
//   per-client  one document a counter and session of a client, written by that session alone, and summed up.
// A request is a pull (a checkpoint) or a push (rows: the document, and the state that its master is assumed to have), in
// JSON. A client pulls once it is connected, and when the hub says that there is something new, by an empty message: RxDB's
// "RESYNC". RxDB itself sends a push again when no answer comes. Numbers are decimal text, since RxDB keeps JSON. Memory is
// all the store: a snapshot of all documents, with those of the replication, is made after each step.
//
// Usage: node adapter.mjs --from FOLDER/package.json --mapping lww|resolve|per-client
// `abench engine check` passes with per-client. With lww it fails at "edits of both replicas are added up", and with
// resolve at "a connection that ends in the middle is no loss": RxDB asks the handler again about what the master took, and
// the handler adds it again.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { option, pack, RANGE, serve, Unacknowledged, unpack, wrapped } from "../node/machine.mjs";

const MAPPING = option("--mapping");
const ENGINE = {
  protocol: 1, name: `rxdb-${MAPPING}`, version: "17.6.0", about: `counters as ${MAPPING}, documents replicated with a hub`,
  counters: RANGE, peers: false, repeats: true, clock: "given",
  transport: "any-order", store: "memory", id: "renewed", survives: "while-shown",
  promises: "the client resolves conflicts by a conflict handler; the default one drops its state and takes the master's",
};
const SCHEMA = {
  version: 0, primaryKey: "id", type: "object", required: ["id", "n"],
  properties: { id: { type: "string", maxLength: 40 }, n: { type: "string" } },
};
const hashFunction = async (text) => createHash("sha256").update(text).digest("hex");

class Replica {
  constructor(machine, rxdb) {
    [this.machine, this.rxdb, this.registers] = [machine, rxdb, machine.start.registers];
    this.own = new Unacknowledged();
  }

  async open(image) {
    const { createRxDatabase, defaultConflictHandler, getRxStorageMemory, rxStorageInstanceToReplicationHandler } = this.rxdb;
    const storage = getRxStorageMemory();
    this.database = await createRxDatabase({ name: "counters", storage, multiInstance: false, hashFunction });
    const conflictHandler = { isEqual: defaultConflictHandler.isEqual, resolve: (conflict) => this.resolved(conflict) };
    this.documents = (await this.database.addCollections({ documents: { schema: SCHEMA, conflictHandler } })).documents;
    const kept = this.documents.storageInstance.originalStorageInstance;
    this.master = rxStorageInstanceToReplicationHandler(kept, conflictHandler, this.database.token);
    // What the replication keeps has a place of its own, which is opened here to be restored and kept, too.
    const replication = this.replicate(false);
    const place = { databaseName: "counters", databaseInstanceToken: this.database.token, ...(await replication.metaInfoPromise) };
    const state = await storage.createStorageInstance({ ...place, multiInstance: false, options: {}, devMode: false });
    await replication.cancel();
    this.kept = [kept, state];
    for (const [instance, documents] of this.kept.map((instance, place) => [instance, image?.kept[place] ?? []]))
      if (documents.length > 0) await instance.bulkWrite(documents.map((document) => ({ document })), "restored");
    for (const [id, edits] of image?.own ?? []) this.own.set(id, edits);
    return this;
  }

  image() {
    return { kept: this.kept.map(({ internals }) => [...internals.documents.values()]), own: [...this.own] };
  }

  resolved({ newDocumentState: fork, realMasterState: real, assumedMasterState: assumed }) {
    if (MAPPING === "resolve")
      return { ...real, n: wrapped(BigInt(real.n) + BigInt(fork.n) - BigInt(assumed?.n ?? this.registers.start)) };
    this.own.delete(fork.id);
    return real;
  }

  replicate(autoStart) {
    const stream$ = (this.stream = new this.rxdb.Subject());
    const ask = async (what, edits) => JSON.parse(await this.machine.ask(pack(what), edits));
    const pull = { stream$, handler: (checkpoint, limit) => ask({ checkpoint, limit }, false) };
    const push = { handler: async (rows) => {
      const acknowledged = this.own.told(rows.map(({ newDocumentState: { id } }) => id));
      const conflicts = await ask({ rows }, true);
      const refused = new Set(conflicts.map(({ id }) => id));
      acknowledged((id) => !refused.has(id));
      return conflicts;
    } };
    const { documents: collection } = this;
    return this.rxdb.replicateRxCollection({ collection, replicationIdentifier: "hub", live: true, autoStart, pull, push });
  }

  connected() {
    this.replication = this.replicate(true);
    this.replication.received$.subscribe(() => this.machine.poke());
  }

  disconnected() {
    this.replication.cancel().catch(this.machine.broken);
  }

  poked() {
    this.stream.next("RESYNC");
  }

  async edit(register, add) {
    const { start } = this.machine;
    const [id, first] = MAPPING === "per-client" ? [`${register}/${start.fresh}`, 0] : [`${register}`, this.registers.start];
    const document = await this.documents.findOne(id).exec();
    if (document) await document.incrementalModify((data) => ({ ...data, n: wrapped(BigInt(data.n) + add) }));
    else await this.documents.insert({ id, n: wrapped(BigInt(first) + add) });
    this.own.add(id);
    this.machine.poke();
  }

  reads(bytes) {
    const asks = unpack(bytes);
    return Array.isArray(asks?.rows) || Number.isInteger(asks?.limit) ? { ...asks, pulls: !asks.rows } : null;
  }

  async answer({ rows, checkpoint, limit }, from) {
    if (!rows) {
      const since = await this.master.masterChangesSince(checkpoint, limit);
      return { body: pack(since), edits: since.documents.length > 0 };
    }
    const conflicts = await this.master.masterWrite(rows);
    if (conflicts.length < rows.length) this.machine.poke(from);
    return { body: pack(conflicts), edits: conflicts.length > 0 };
  }

  backlog() {
    return this.own.sum();
  }

  async views() {
    const numbers = Array(this.registers.counters).fill(BigInt(this.registers.start));
    for (const { id, n } of await this.documents.find().exec())
      numbers[parseInt(id, 10)] = MAPPING === "per-client" ? numbers[parseInt(id, 10)] + BigInt(n) : BigInt(n);
    return numbers.map(wrapped);
  }
}

// Read at the start, when time and random numbers are given.
function load() {
  const require = createRequire(resolve(option("--from")));
  const parts = ["rxdb/plugins/core", "rxdb/plugins/storage-memory", "rxdb/plugins/replication", "rxjs"];
  return Object.assign({}, ...parts.map((part) => require(part)));
}

await serve(ENGINE, async (machine, image) => new Replica(machine, load()).open(image));
