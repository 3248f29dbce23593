/** What the client itself says no with: `{code, message}`, as the server's errors are. */

export const DISCONNECTED = problem(
  "disconnected",
  "the connection was lost before the answer: ask again",
);
export const NOT_JOINED = problem(
  "not_joined",
  "this room is not joined now: join it, or wait until it is",
);
export const STOPPED = problem("stopped", "the client has stopped: start it again");
export const WITHDRAWN = problem("withdrawn", "the message was taken back before it was sent");
export const EXPIRED = problem(
  "expired",
  "the message could not be sent in time; it may have been posted",
);
export const OUTBOX_FULL = problem(
  "outbox_full",
  "too many messages wait to be sent: wait until some are",
);

/** A problem thrown: what was refused, by the server or by the client itself. */
export class Refusal extends Error {
  name = "Refusal";

  constructor({ code, message }, retryAfterMs = null) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

function problem(code, message) {
  return Object.freeze({ code, message });
}
