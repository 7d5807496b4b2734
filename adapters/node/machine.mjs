// What a library in Node takes from its machine (clock, timers, random numbers) and from its network (requests and their
// answers), given by abench's engine protocol alone. adapters/rxdb, adapters/watermelondb and adapters/pouchdb stand on it.
//
// Time stands still while a request is worked on, and only `now` and `wall` of requests move it: a timer is due at `now`
// plus its delay, and asks for a wake. A timer of 0 or 1 ms is due once nothing else is left to do. A request is answered
// when nothing runs any more: no callback, no timer that is due, no file operation. So the same requests give the same
// bytes again.

import { createHook } from "node:async_hooks";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { createInterface } from "node:readline";
import timers from "node:timers";

const RealDate = Date;
const { setImmediate: soon, clearImmediate: notSoon } = timers;
const elapsed = performance.now.bind(performance);
// An answer must come within 10 s. One that takes longer says `busy`.
const PATIENCE_MS = 4_000;
const LINGER_MS = 1_000;
// Clocks of worlds begin at 0, and those of machines do not: some libraries take 0 for no time.
const EPOCH_MS = 1_767_225_600_000;
// What the machine does beside the event loop: file operations, those of LevelDB, and of the cryptography.
const WORK = /^(FSREQ|leveldown\.|(?!HTTP)\w+REQUEST$)/;

let [now, wall, running, numbers] = [0, 0, 0, 0];
const pending = new Map();
const work = new Set();

function setTimer(call, delay = 0, args = [], every = false) {
  const wait = delay > 1 ? Math.ceil(delay * 1000) : 0;
  const timer = { id: (numbers += 1), at: now + wait, call: () => call(...args), wait: every ? Math.max(wait, 1000) : null };
  for (const name of ["ref", "unref"]) timer[name] = () => timer;
  Object.assign(timer, { hasRef: () => true, refresh: () => Object.assign(timer, { at: now + wait }) });
  timer[Symbol.toPrimitive] = () => timer.id;
  pending.set(timer.id, timer);
  return timer;
}
const clearTimer = (timer) => pending.delete(timer?.id ?? timer);
const firstTimer = () => [...pending.values()].sort((a, b) => a.at - b.at || a.id - b.id)[0];

function runTimer(timer) {
  if (timer.wait === null) pending.delete(timer.id);
  else timer.at = now + timer.wait;
  timer.call();
}

/** Numbers that look random and follow from a text: SHA-256 of it and a count. */
function randomFrom(text) {
  let [bytes, count] = [Buffer.alloc(0), 0];
  return (length) => {
    while (bytes.length < length)
      bytes = Buffer.concat([bytes, crypto.createHash("sha256").update(`${text}/${(count += 1)}`).digest()]);
    const taken = bytes.subarray(0, length);
    bytes = bytes.subarray(length);
    return taken;
  };
}
let random = randomFrom("");

function takeOver() {
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length > 0 ? args : [Date.now()]));
    }
    static now() {
      return EPOCH_MS + Math.floor(wall / 1000);
    }
  };
  performance.now = () => now / 1000;
  const ours = {
    setTimeout: (call, delay, ...args) => setTimer(call, delay, args),
    setInterval: (call, delay, ...args) => setTimer(call, delay, args, true),
    setImmediate: (call, ...args) => {
      running += 1;
      let isDone = false;
      const done = () => void (isDone || ((isDone = true), (running -= 1)));
      return Object.assign(soon(() => (done(), call(...args))), { done });
    },
    clearTimeout: clearTimer, clearInterval: clearTimer,
    clearImmediate: (immediate) => (immediate?.done(), notSoon(immediate)),
  };
  Object.assign(timers, ours);
  Object.assign(globalThis, ours);
  const fill = (view) => (new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(random(view.byteLength)), view);
  const uuid = () => {
    const bytes = random(16);
    [bytes[6], bytes[8]] = [(bytes[6] & 15) | 64, (bytes[8] & 63) | 128];
    return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  Math.random = () => random(6).readUIntBE(0, 6) / 2 ** 48;
  const randomBytes = (length, back) => (back ? process.nextTick(back, null, random(length)) : random(length));
  Object.assign(crypto, { randomBytes, randomFillSync: fill, randomUUID: uuid });
  Object.defineProperties(crypto.webcrypto, { getRandomValues: { value: fill }, randomUUID: { value: uuid } });
  syncBuiltinESMExports();
  const begins = (id, type) => void (WORK.test(type) && work.add(id));
  createHook({ init: begins, destroy: (id) => work.delete(id) }).enable();
}

/** Something that waits for no other node: it runs until it is done. */
function during(promise) {
  running += 1;
  return promise.finally(() => (running -= 1));
}

/** Lets the library run until nothing is left to do at this time. Says whether something still runs. */
async function settle() {
  const end = elapsed() + PATIENCE_MS;
  for (let quiet = 0; quiet < 3; quiet += 1) {
    await new Promise((resolve) => soon(resolve));
    const first = firstTimer();
    if (running > 0 || work.size > 0) quiet = -1;
    else if (first && first.at <= now) [quiet] = [-1, runTimer(first)];
    if (elapsed() > end) return true;
  }
  return false;
}

/** By record, how many edits of its user no other replica has decided on. */
export class Unacknowledged extends Map {
  add(id) {
    this.set(id, (this.get(id) ?? 0) + 1);
  }

  /** What is told now; the answer says what to forget once it is acknowledged. Edits that come in between stay. */
  told(ids) {
    const told = ids.map((id) => [id, this.get(id) ?? 0]);
    return (isAcknowledged = () => true) => {
      for (const [id, edits] of told.filter(([id]) => isAcknowledged(id)))
        if (this.get(id) > edits) this.set(id, this.get(id) - edits);
        else this.delete(id);
    };
  }

  sum() {
    return [...this.values()].reduce((sum, edits) => sum + edits, 0);
  }
}

/** The node's network and store, as the replica sees them. */
class Machine {
  constructor(start) {
    Object.assign(this, { start, parent: null, children: new Map(), waiting: new Map(), sends: [], accepts: [] });
    // An answer to a request of an earlier start is none to a request of this one.
    [this.asked, this.patience] = [(start.fresh % 2 ** 12) * 16, 5 * start.retry_after];
    [this.isSyncing, this.isAskedAgain, this.timer, this.retry] = [false, false, null, start.retry_after];
  }

  send(to, body, more) {
    const isConnected = to === this.parent || this.children.has(to);
    if (isConnected) this.sends.push({ send: { to, body: body.toString("base64"), ...more } });
  }

  /** A request to the parent, and its answer. Fails if the connection ends, or if no answer comes for a time that doubles. */
  ask(body, edits) {
    return new Promise((resolve, reject) => {
      if (this.parent === null) return void reject(new Error("no connection"));
      const request = (this.asked += 1);
      const late = () => {
        this.patience = Math.min(2 * this.patience, Math.max(this.start.retry_at_most, this.patience));
        this.waiting.get(request)?.fail("no answer");
      };
      const timer = setTimer(late, this.patience / 1000);
      const end = () => (clearTimer(timer), this.waiting.delete(request));
      const done = (answer) => ((this.patience = 5 * this.start.retry_after), end(), resolve(answer));
      this.waiting.set(request, { done, fail: (why) => (end(), reject(new Error(why))) });
      this.send(this.parent, body, { request, edits });
    });
  }

  fail(why) {
    for (const request of [...this.waiting.values()]) request.fail(why);
  }

  /** Tells the children that there is something to pull, again and again until they do. */
  poke(except = null) {
    for (const [peer, child] of this.children) if (peer !== except) this.pokeOne(peer, child, this.start.retry_after);
  }

  pokeOne(peer, child, wait) {
    clearTimer(child.timer);
    this.send(peer, Buffer.alloc(0), { edits: false, again: wait > this.start.retry_after });
    const again = () => this.pokeOne(peer, child, Math.min(2 * wait, this.start.retry_at_most));
    child.timer = setTimer(again, wait / 1000);
  }

  /** For libraries that sync when their application says so: a sync after a while, one at a time, and again if it failed. */
  syncSoon(wait = LINGER_MS) {
    if (this.parent === null) return;
    this.isAskedAgain = this.isSyncing;
    if (this.isSyncing || (this.timer && this.timer.at <= now + wait * 1000)) return;
    clearTimer(this.timer);
    this.timer = setTimer(() => this.syncNow(), wait);
  }

  async syncNow() {
    [this.timer, this.isSyncing, this.isAskedAgain] = [null, true, false];
    const parent = this.parent;
    const isDone = await this.replica.sync().then(() => true, () => false);
    this.isSyncing = false;
    if (isDone) this.retry = this.start.retry_after;
    if (isDone && this.isAskedAgain) this.syncSoon();
    if (isDone || this.parent === null) return;
    this.syncSoon(parent === this.parent ? this.retry / 1000 : 0);
    this.retry = Math.min(2 * this.retry, this.start.retry_at_most);
  }

  edit(request) {
    const edit = during(this.replica.edit(request.register, BigInt(request.add ?? 0), request));
    edit.then(() => this.accepts.push({ accept: true }), this.broken);
  }

  connected({ peer, relation }) {
    if (relation === "child") return void this.children.set(peer, { timer: null });
    [this.parent, this.patience, this.retry] = [peer, 5 * this.start.retry_after, this.start.retry_after];
    this.replica.connected();
  }

  disconnected({ peer }) {
    clearTimer(this.children.get(peer)?.timer);
    this.children.delete(peer);
    if (peer !== this.parent) return;
    clearTimer(this.timer);
    [this.parent, this.timer] = [null, null];
    this.fail("the connection ended");
    this.replica.disconnected?.();
  }

  refused({ peer }) {
    if (peer === this.parent) this.fail("refused");
  }

  message({ from, body, request, answer }) {
    const bytes = Buffer.from(body, "base64");
    if (answer !== undefined) {
      const asked = from === this.parent ? this.waiting.get(answer) : undefined;
      asked?.done(bytes);
      return asked ? "taken" : "stale";
    }
    if (from === this.parent && bytes.length === 0) return this.replica.poked(), "taken";
    const child = this.children.get(from);
    const asks = child && request !== undefined && this.replica.reads(bytes);
    if (!asks) return "damaged";
    if (asks.pulls) clearTimer(child.timer);
    const tell = ({ body, edits }) => this.send(from, body, { answer: request, edits });
    during(this.replica.answer(asks, from)).then(tell, this.broken);
    return "taken";
  }
}

/** Answers requests from the standard input. `open` makes a replica of a machine; `engine` is what `hello` says. */
export async function serve(engine, open) {
  let [machine, failed, stored, shown, revision] = [null, null, null, "", 0];
  takeOver();
  const broken = (error) => void (failed ??= String(error?.stack ?? error).slice(0, 2000));
  process.on("unhandledRejection", broken).on("uncaughtException", broken);

  /** What the replica shows now: to look can leave timers, too. */
  async function look() {
    if (failed || !machine?.replica) return false;
    const views = JSON.stringify(await machine.replica.views());
    if (views !== shown) [shown, revision] = [views, revision + 1];
    return settle();
  }

  async function follow(request) {
    const answer = {};
    if (request.do === "hello") answer.engine = engine;
    else if (request.do === "start") {
      random = randomFrom(`${request.seed}/${request.node}/${request.fresh}`);
      machine = Object.assign(new Machine(request), { broken });
      stored = request.image ?? null;
      const image = stored && JSON.parse(Buffer.from(stored, "base64").toString());
      open(machine, image).then((replica) => (machine.replica = replica), broken);
    } else if (request.do === "message") answer.message = machine.message(request);
    else if (request.do !== "views" && request.do !== "poll" && request.do !== "wake") machine[request.do](request);
    answer.busy = (await settle()) || (await look());
    if (failed) answer.failed = failed;
    if (failed || !machine?.replica) return answer;
    if (request.do === "views") answer.views = JSON.parse(shown);
    Object.assign(answer, { revision, backlog: machine.replica.backlog(), wake_at: firstTimer()?.at ?? null });
    // An answer to 'disconnected' and to 'views' has no effects: the next one has them.
    if (answer.busy || request.do === "disconnected" || request.do === "views") return answer;
    const image = machine.replica.image && Buffer.from(JSON.stringify(machine.replica.image())).toString("base64");
    const changed = image && image !== stored ? [{ replace: (stored = image) }] : [];
    // What was taken is stored before it is acknowledged, and before its user sees it accepted.
    answer.effects = [...changed, ...machine.accepts.splice(0), ...machine.sends.splice(0)];
    return answer;
  }

  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    [now, wall] = [request.now, request.wall];
    process.stdout.write(JSON.stringify({ n: request.n, ...(await follow(request)) }) + "\n");
  }
}

/** The value of an option of the command line. */
export const option = (name) => process.argv[process.argv.indexOf(name) + 1];

/** A counter of 64 bits, as text: a Number loses whole numbers from 2^53 on. */
export const wrapped = (number) => String(BigInt.asIntN(64, number));
export const RANGE = { min: String(-(2n ** 63n)), max: String(2n ** 63n - 1n) };

export const pack = (value) => Buffer.from(JSON.stringify(value));
/** What these bytes say; nothing if they are no JSON. */
export function unpack(bytes) {
  try {
    return JSON.parse(bytes);
  } catch {
    return null;
  }
}
