/**
 * Plays a vector (see the page "Writing a client") against the machine of the JavaScript client.
 */

import { Machine } from "/roomkit/client/machine.js";

const INPUTS = {
  start: (machine, now) => machine.start(now),
  open: (machine, now) => machine.opened(now),
  cut: (machine, now) => machine.closed(1006, now),
  closed: (machine, now, { code }) => machine.closed(code, now),
  hint: (machine, now) => machine.hint(now),
  tick: (machine, now) => machine.tick(now),
  stop: (machine, now) => machine.stop(now),
};

/** Gives null, or in words the first step at which the client did something else. */
export function play({ client, steps }) {
  let keys = 0;
  const mint = () => `key-${++keys}`;
  const machine = new Machine({ client: "roomkit-python", ...client, random: () => 0.5, mint });
  const waiting = [];
  const mismatches = [];
  const expect = (number, expected, found) => {
    if (plain(expected) === plain(found)) return;
    mismatches.push(`step ${number}: expected ${plain(expected)}, the client gave ${plain(found)}`);
  };
  for (const [number, { at: now, ...step }] of steps.entries()) {
    if (step.do || step.in) expect(number, null, waiting.shift() ?? null);
    if (step.do) waiting.push(...said(done(machine, step.do, now)));
    else if (step.in) waiting.push(...said(machine.received(JSON.stringify(step.in), now)));
    else if (step.view) expect(number, step.view, machine.view);
    else expect(number, step, waiting.shift() ?? null);
    if (mismatches.length > 0) return mismatches[0];
  }
  expect(steps.length, null, waiting.shift() ?? null);
  return mismatches[0] ?? null;
}

function done(machine, step, now) {
  const [[name, given]] = Object.entries(step);
  return INPUTS[name]?.(machine, now, given) ?? machine.ask(name, given, now);
}

/** What is the wire's business among the outputs, as a vector writes it. */
function said(outputs) {
  return outputs.flatMap(({ transmit, connect, disconnect }) => {
    if (transmit) return [{ out: transmit }];
    if (connect) return [{ reconnect_in: connect.after_ms }];
    return disconnect ? [{ close: disconnect.code }] : [];
  });
}

/** JSON with the keys of every object in order. */
function plain(value) {
  return JSON.stringify(value, (_, part) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
