// A small Maelstrom node: a set of numbers for the workloads broadcast and g-set. A new number is told to all others until each
// has acknowledged it.
//
// usage: node.mjs WORKLOAD [tells-once]: with tells-once, a message that is lost is not sent again.

import { createInterface } from "node:readline";

const [workload, how] = process.argv.slice(2);
const numbers = new Set();
const unacknowledged = new Map();
let name, others;

const send = (dest, body) => process.stdout.write(JSON.stringify({ src: name, dest, body }) + "\n");
const tell = (other) => {
  const left = [...unacknowledged.get(other)];
  if (left.length > 0) send(other, { type: "numbers", numbers: left });
};
const add = (number, from) => {
  if (numbers.has(number)) return;
  numbers.add(number);
  for (const other of others.filter((other) => other !== from)) {
    unacknowledged.get(other).add(number);
    send(other, { type: "numbers", numbers: [number] });
    if (how === "tells-once") unacknowledged.get(other).clear();
  }
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { src, body } = JSON.parse(line);
  const answer = { type: `${body.type}_ok`, in_reply_to: body.msg_id };
  switch (body.type) {
    case "init":
      name = body.node_id;
      others = body.node_ids.filter((other) => other !== name);
      others.forEach((other) => unacknowledged.set(other, new Set()));
      setInterval(() => others.forEach(tell), 200);
      break;
    case "add":
      add(body.element);
      break;
    case "broadcast":
      add(body.message);
      break;
    case "read":
      answer[workload === "broadcast" ? "messages" : "value"] = [...numbers];
      break;
    case "numbers":
      body.numbers.forEach((number) => add(number, src));
      answer.numbers = body.numbers;
      break;
    case "numbers_ok":
      body.numbers.forEach((number) => unacknowledged.get(src).delete(number));
      return;
  }
  send(src, answer);
}).on("close", () => process.exit(0));
