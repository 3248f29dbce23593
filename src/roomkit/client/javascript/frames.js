/**
 * What the client relies on in the frames of a server, so that nothing half-read gets into the view.
 * Keys and types that are not here may be anything: a newer server may say more.
 */

const text = (value) => typeof value === "string";
const whole = (value) => Number.isSafeInteger(value) && value >= 0;
const optional = (shape) => (value) => value == null || fits(shape, value);
const list = (shape) => (value) => Array.isArray(value) && value.every((one) => fits(shape, one));

const PLACE = { seq: whole, link: text };
const USER = { user_id: text, username: text };
const OCCUPANT = { ...USER, sessions: whole };
const MESSAGE = { seq: whole, id: text, message: text, username: text };
const TYPING = { users: list(text), total: whole, expires_ms: whole };
const CHANGE = { ...PLACE, id: text, version: whole, timestamp: text };
const SNAPSHOT = { messages: list(MESSAGE), occupants: list(OCCUPANT), total: whole };

const FRAMES = {
  __proto__: null,
  ack: { ref: text, seq: optional(whole) },
  error: { code: text, message: text, retry_after_ms: optional(whole) },
  message_deleted: CHANGE,
  message_edited: { ...CHANGE, message: text },
  message_history: { messages: list(MESSAGE) },
  new_message: { ...PLACE, ...MESSAGE },
  occupancy: { users: whole },
  reconnect: { after_ms: whole, max_jitter_ms: whole },
  room_gap: { reason: text },
  room_joined: { ...PLACE, typing: optional(TYPING) },
  room_left: { reason: text },
  roster_changed: {
    ...PLACE,
    joined: list(OCCUPANT),
    left: list(USER),
    changed: list({ user_id: text, sessions: whole }),
  },
  user_moderated: { ...PLACE, ...USER },
  user_stopped_typing: TYPING,
  user_typing: TYPING,
  welcome: { session: text, heartbeat_ms: whole, user: USER, limits: optional({}) },
};

/**
 * The frame in a text.
 *
 * Throws a TypeError or SyntaxError if no roomkit server sends that.
 */
export function read(message) {
  const { type, data } = JSON.parse(message);
  const snapshot = type === "room_joined" && data?.recovered !== true ? SNAPSHOT : {};
  if (!text(type) || !fits({ ...FRAMES[type], ...snapshot }, data)) {
    throw new TypeError(`no roomkit server sends this: ${message}`);
  }
  return { type, data };
}

function fits(shape, value) {
  if (typeof shape === "function") return shape(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(shape).every(([name, part]) => fits(part, value[name]));
}
