#!/usr/bin/env node
// Replicache 15.3.0 (Replicache Terms of Service, not an open-source licence) behind abench's engine protocol. A client is a
// Replicache instance. The hub is a server of the adapter, by the Global Version Strategy of Replicache's documentation: it
// runs the same mutators, and a pull brings what changed since a version. It refuses a version or a mutation that it lost.
// Bodies are the JSON of these requests and answers; there is no HTTP.
//
// An edit is accepted when the promise of its mutation resolves. What Replicache writes to its key-value store is durable at
// once. Its timers run in the world's time. Those of its housekeeping (a heartbeat, garbage collection: all of a minute or
// more) wake nobody: they are late until something else happens. Node has no idle callback, as some browsers have none: there
// Replicache waits for a second where it would wait for an idle moment, and a second at most.
//
// Usage: node adapter.mjs --from FOLDER/package.json
// --from says where replicache is installed. `abench engine check` fails at "an accepted edit survives a power failure": the
// mutation is in memory alone for a second.

import { createInterface } from "node:readline";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const modules = join(resolve(process.argv[process.argv.indexOf("--from") + 1]), "../node_modules");
const ENGINE = {
  protocol: 1, name: "replicache-mutators", version: "15.3.0",
  about: "additions, inserts and removes as mutators, which the server runs again",
  counters: { min: String(-(2n ** 63n)), max: String(2n ** 63n - 1n) }, tags: "either", peers: false, repeats: true,
  clock: "given", transport: "any-order", store: "journal", id: "renewed", survives: "with-author-or-relay",
  promises: "changes made offline are sent the next time that it connects; pending mutations are stored periodically",
};
const [EPOCH, SNAPSHOT_AFTER, HOUSEKEEPING_MS] = [Date.UTC(2026, 0), 256, 60_000];

// Time and random ids come from requests alone. No other instance shares the store.
let [now, wall, drawn, effects] = [0, 0, 0n, []];
const timers = new Set();
const timer = (does, after_ms, { every = undefined, wakes = true } = {}) => {
  const of = { at: now + Math.ceil(after_ms * 1000), does, every, wakes };
  timers.add(of);
  return of;
};
Date.now = () => EPOCH + Math.floor(wall / 1000);
performance.now = () => now / 1000;
Math.random = () => {
  drawn = (drawn * 6364136223846793005n + 1442695040888963407n) & (2n ** 64n - 1n);
  return Number(drawn >> 11n) / 2 ** 53;
};
crypto.getRandomValues = (array) => {
  for (let at = 0; at < array.length; at += 1) array[at] = Math.floor(Math.random() * 2 ** 32);
  return array;
};
globalThis.setTimeout = (does, after = 0) => timer(does, after, { wakes: after < HOUSEKEEPING_MS });
globalThis.setInterval = (does, after) => timer(does, after, { every: after * 1000, wakes: false });
globalThis.clearTimeout = globalThis.clearInterval = (of) => timers.delete(of);
delete globalThis.BroadcastChannel;
process.env.NODE_ENV = "production";
console.log = console.info = console.debug = console.error;
const settled = async () => { for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate); };

const { Replicache } = await import(pathToFileURL(join(modules, "replicache/out/replicache.js")).href);
const { RWLock } = await import(pathToFileURL(join(modules, "@rocicorp/lock/out/lock.js")).href);

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64");
const unpack = (text) => JSON.parse(Buffer.from(text, "base64").toString());
// A number of more than 53 bits travels as text.
const plain = (number) => (Number.isSafeInteger(Number(number)) ? Number(number) : String(number));

/** What an edit does, on a client and on the server. */
const mutatorsOf = (start) => ({
  async add(tx, [register, amount]) {
    const key = `c/${register}`;
    await tx.set(key, plain(BigInt.asIntN(64, BigInt((await tx.get(key)) ?? start) + BigInt(amount))));
  },
  async insert(tx, [register, element]) { await tx.set(`t/${register}/${element}`, true); },
  async remove(tx, [register, element]) { await tx.del(`t/${register}/${element}`); },
});

/** Maps by name in abench's journal: what Replicache and the server store. An entry is a transaction. */
class Journal {
  constructor({ image, entries }) {
    this.maps = new Map((image ? unpack(image) : []).map(([name, of]) => [name, new Map(of)]));
    this.entries = entries.length;
    for (const change of entries.flatMap(unpack)) this.change(...change);
    this.changes = [];
  }

  map(name) {
    if (!this.maps.has(name)) this.maps.set(name, new Map());
    return this.maps.get(name);
  }

  /** A change without a value takes the key away. */
  change(name, key, ...value) {
    this.changes?.push([name, key, ...value]);
    if (value.length > 0) this.map(name).set(key, value[0]);
    else this.map(name).delete(key);
  }

  commit() {
    if (this.changes.length === 0) return;
    const entry = base64(this.changes.splice(0));
    this.entries = (this.entries + 1) % SNAPSHOT_AFTER;
    if (this.entries > 0) effects.push({ append: entry }, { sync: true });
    else effects.push({ replace: base64([...this.maps].map(([name, map]) => [name, [...map]])) });
  }
}

/** A key-value store for Replicache. */
class Kept {
  constructor(journal, name) {
    Object.assign(this, { journal, name, lock: new RWLock(), closed: false });
  }

  async read() {
    const release = await this.lock.read();
    return this.transaction(release, new Map());
  }

  async write() {
    const release = await this.lock.write();
    const changed = new Map();
    const set = async (key, value) => { changed.set(key, value); };
    const commit = async () => {
      for (const [key, value] of changed) this.journal.change(this.name, key, ...(value === undefined ? [] : [value]));
      this.journal.commit();
    };
    return Object.assign(this.transaction(release, changed), { put: set, del: set, commit });
  }

  transaction(release, changed) {
    const get = async (key) => (changed.has(key) ? changed.get(key) : this.journal.map(this.name).get(key));
    const of = { get, has: async (key) => (await get(key)) !== undefined, closed: false };
    return Object.assign(of, { release: () => { if (!of.closed) { of.closed = true; release(); } } });
  }

  async close() { this.closed = true; }
}

/** Requests that wait for their answer: sent again until it comes, and when there is a new connection. */
class Client {
  constructor(start) {
    Object.assign(this, { start, journal: new Journal(start), parent: null, requests: new Map(), number: 0 });
    this.wait = start.retry_after;
    this.open();
  }

  open() {
    const drop = async (name) => {
      for (const key of [...this.journal.map(name).keys()]) this.journal.change(name, key);
      this.journal.commit();
    };
    this.replicache = new Replicache({
      name: "abench", kvStore: { create: (name) => new Kept(this.journal, name), drop }, pullInterval: null,
      mutators: mutatorsOf(this.start.registers.start), logLevel: "error", logSinks: [],
      pusher: (body) => this.ask(["push", body]), puller: (body) => this.ask(["pull", body]),
    });
  }

  /** The answer of the server, as Replicache takes it: 500 where the server refuses. */
  async ask(body) {
    const { refused, ...response } = (await this.asked(body)) ?? {};
    if (refused) return { httpRequestInfo: { httpStatusCode: 500, errorMessage: refused } };
    const httpRequestInfo = { httpStatusCode: 200, errorMessage: "" };
    return body[0] === "pull" ? { response, httpRequestInfo } : { httpRequestInfo };
  }

  asked(body) {
    this.number += 1;
    return new Promise((resolve) => {
      const of = { request: this.number, body: base64(body), edits: body[0] === "push", resolve };
      this.requests.set(this.number, of);
      this.send(of);
    });
  }

  send(of) {
    if (this.parent === null) return;
    const { request, body, edits, again } = of;
    effects.push({ send: { to: this.parent, request, body, edits, again: again === true } });
    of.again = true;
    of.timer = timer(() => { this.wait = Math.min(2 * this.wait, this.start.retry_at_most); this.send(of); }, this.wait / 1000);
  }

  edit({ register, add, insert, remove }) {
    const { mutate } = this.replicache;
    const done = () => effects.push({ accept: true });
    if (add !== undefined) return mutate.add([register, plain(BigInt(add))]).then(done);
    return (insert !== undefined ? mutate.insert([register, insert]) : mutate.remove([register, remove])).then(done);
  }

  connected({ peer }) {
    [this.parent, this.wait] = [peer, this.start.retry_after];
    for (const of of this.requests.values()) this.send(of);
    if (![...this.requests.values()].some(({ edits }) => !edits)) this.pull();
  }

  disconnected() {
    this.parent = null;
    for (const of of this.requests.values()) timers.delete(of.timer);
  }

  pull() {
    this.replicache.pull({ now: true }).catch(() => {});
  }

  message({ body, answer }) {
    const said = unpack(body);
    const of = this.requests.get(answer);
    if (answer === undefined) this.pull();
    if (!of) return;
    timers.delete(of.timer);
    this.requests.delete(answer);
    this.wait = this.start.retry_after;
    of.resolve(said);
  }

  entries() {
    return this.replicache.query((tx) => tx.scan().entries().toArray());
  }

  async backlog() {
    return (await this.replicache.experimentalPendingMutations()).length;
  }
}

/** The hub: values with the version that set them, the last mutation of each client, and a poke for who may lack a version. */
class Server {
  constructor(start) {
    Object.assign(this, { start, journal: new Journal(start), children: new Map(), own: [] });
    this.mutators = mutatorsOf(start.registers.start);
    [this.values, this.clients, this.head] = ["values", "clients", "head"].map((name) => this.journal.map(name));
  }

  get version() { return this.head.get("version") ?? 0; }

  async mutate(name, args) {
    this.journal.change("head", "version", this.version + 1);
    const set = async (key, value) => this.journal.change("values", key, [this.version, value ?? null]);
    await this.mutators[name]({ get: async (key) => this.values.get(key)?.[1] ?? undefined, set, del: set }, args);
  }

  async edit({ register, add, insert, remove }) {
    const name = add !== undefined ? "add" : insert !== undefined ? "insert" : "remove";
    await this.mutate(name, [register, add ?? insert ?? remove]);
    this.journal.commit();
    this.own.push(this.version);
    effects.push({ accept: true });
    this.poke();
  }

  poke() {
    for (const [peer, { version, wait }] of this.children) {
      if (version === this.version) continue;
      effects.push({ send: { to: peer, body: base64("poke"), edits: false } });
      this.again(peer, wait);
    }
  }

  again(peer, wait) {
    const child = this.children.get(peer);
    timers.delete(child.timer);
    child.timer = timer(() => { child.wait = Math.min(2 * wait, this.start.retry_at_most); this.poke(); }, wait / 1000);
  }

  connected({ peer }) {
    this.children.set(peer, { version: this.version, wait: this.start.retry_after });
  }

  disconnected({ peer }) {
    timers.delete(this.children.get(peer)?.timer);
    this.children.delete(peer);
  }

  async message({ from, body, request }) {
    const [what, asked] = unpack(body);
    const answer = what === "push" ? await this.push(asked) : this.pull(from, asked);
    effects.push({ send: { to: from, answer: request, body: base64(answer), edits: what === "pull" } });
    if (what === "push") this.poke();
  }

  async push({ clientGroupID, mutations }) {
    let refused;
    for (const { clientID, id, name, args } of mutations) {
      const last = this.clients.get(clientID)?.[1] ?? 0;
      if (id > last + 1) refused = "a mutation is from the future";
      if (id !== last + 1) continue;
      await this.mutate(name, args);
      this.journal.change("clients", clientID, [clientGroupID, id, this.version]);
    }
    this.journal.commit();
    return refused ? { refused } : null;
  }

  pull(peer, { clientGroupID, cookie }) {
    const since = cookie ?? 0;
    if (since > this.version) return { refused: "the cookie is from the future" };
    const child = this.children.get(peer);
    if (child) { timers.delete(child.timer); Object.assign(child, { version: this.version, wait: this.start.retry_after }); }
    this.own = this.own.filter((version) => version > since);
    const changed = [...this.values].filter(([, [version]]) => version > since);
    const patch = changed.map(([key, [, value]]) => (value === null ? { op: "del", key } : { op: "put", key, value }));
    const clients = [...this.clients].filter(([, [group, , version]]) => group === clientGroupID && version > since);
    const lastMutationIDChanges = Object.fromEntries(clients.map(([client, [, id]]) => [client, id]));
    return { cookie: this.version, lastMutationIDChanges, patch };
  }

  async entries() {
    return [...this.values].filter(([, [, value]]) => value !== null).map(([key, [, value]]) => [key, value]);
  }

  async backlog() { return this.own.length; }
}

let [replica, registers] = [null, null];

async function views() {
  const { counters, start, tags } = registers;
  const [numbers, sets] = [Array(counters).fill(String(start)), Array.from({ length: tags }, () => [])];
  for (const [key, value] of await replica.entries()) {
    const [kind, register, element] = key.split("/");
    if (kind === "c") numbers[register] = String(value);
    else sets[register - counters].push(Number(element));
  }
  return [...numbers, ...sets.map((set) => set.sort((a, b) => a - b))];
}

async function runDueTimers() {
  for (;;) {
    const [of] = [...timers].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    if (!of) return;
    of.every ? (of.at = now + of.every) : timers.delete(of);
    of.does();
    await settled();
  }
}

async function answerTo(request) {
  if (request.do === "hello") return { engine: ENGINE };
  if (request.do === "views") return { views: await views() };
  if (request.do === "start") {
    [registers, drawn] = [request.registers, BigInt(`0x${request.seed}`)];
    replica = request.serves ? new Server(request) : new Client(request);
    await settled();
    return { effects: effects.splice(0) };
  }
  await runDueTimers();
  let failed = null;
  // An edit waits for nothing but what happens at once; so does all else.
  (async () => replica[request.do]?.(request))().catch((error) => { failed = error; });
  await settled();
  const answer = { effects: effects.splice(0) };
  if (request.do === "message") answer.message = failed ? "damaged" : "taken";
  else if (failed) answer.failed = String(failed);
  return answer;
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  [now, wall] = [request.now, request.wall];
  const answer = { n: request.n, ...(await answerTo(request)) };
  if (replica) {
    const times = [...timers].filter(({ wakes }) => wakes).map(({ at }) => at);
    Object.assign(answer, { wake_at: times.length > 0 ? Math.min(...times) : null, backlog: await replica.backlog() });
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
