/**
 * What was refused, by the server or by the client itself, as an error to be caught or shown.
 */

export class Refusal extends Error {
  name = "Refusal";

  /**
   * `code` is stable: one of the protocol's (protocol page, "Error codes"), or the client's own:
   * "disconnected" (nobody knows what became of it), "expired" (a message waited too long),
   * "discarded" (somebody let go of a message), "left" (the room was left), "closed".
   */
  constructor({ code, message, retryable = false, retry_after_ms: retryAfter = null }) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfter = retryAfter;
  }
}
