/**
 * Everything the page says in sentences: errors, closings, people, times. No DOM here.
 */

const REFUSALS = {
  bad_argument: "That was not accepted: {message}",
  too_large: "That is too long to send.",
  not_joined: "You are not in this room any more.",
  room_not_found: "There is no such room.",
  room_full: "This room is full at the moment.",
  username_taken: "Somebody here already uses that name.",
  unauthenticated: "The server does not know who you are.",
  forbidden: "You may not do that here.",
  muted: "You have been muted in this room.",
  banned: "You have been banned from this room.",
  rate_limited: "That was a little fast. Please wait a moment.",
  slow_mode: "This room is in slow mode. Please wait a moment.",
  rejected: "The message was not accepted here.",
  overloaded: "The server is very busy.",
  unavailable: "The server did not answer in time.",
  bad_protocol: "This page and the server do not speak the same language. Reload the page.",
  connection_limit: "You have this chat open in too many places. Close one, then try again.",
  internal: "Something went wrong on the server.",
  kicked: "A moderator has removed you from this room.",
  not_found: "That message is not there any more.",
  version_conflict: "The message was changed meanwhile. Please look again.",
  disconnected: "There is no connection. Please try again in a moment.",
  expired: "There was no connection for too long.",
};

const GAPS = {
  forked: "The server lost its newest messages; this is what it still has.",
  trimmed: "You were away for a long time; these are the latest messages.",
  replay_limit: "You missed a lot; these are the latest messages.",
};

/** Of a Refusal, the data of an error frame, or the `problem` of the connection, a room, a message. */
export function refusalWords({ code, message }) {
  const words = REFUSALS[code] ?? message ?? "";
  return words.replace("{message}", () => message) || "That did not work.";
}

export function gapWords(reason) {
  return GAPS[reason] ?? "Some messages may be missing.";
}

export function peopleWords(total) {
  return total === 1 ? "1 person" : `${total} people`;
}

export function messagesWords(count) {
  return count === 1 ? "1 new message" : `${count} new messages`;
}

/** Parts of a sentence, names marked, so that each name can be isolated from its neighbours. */
export function presenceParts({ joined, left }) {
  const parts = [];
  if (joined.length > 0) parts.push(...listParts(joined), " joined");
  if (joined.length > 0 && left.length > 0) parts.push(", ");
  if (left.length > 0) parts.push(...listParts(left), " left");
  return parts;
}

export function moderationParts({ action, name }) {
  const deeds = {
    kick: " was removed from the room",
    ban: " was banned",
    unban: " is welcome again",
    mute: " was muted",
    unmute: " may speak again",
  };
  return [{ name }, deeds[action] ?? ` was moderated (${action})`];
}

/** `total` may be more than the names given. */
export function typingParts(names, total) {
  return [...listParts(names, total), total === 1 ? " is typing" : " are typing"];
}

function listParts(names, total = names.length) {
  const shown = names.slice(0, total > 3 ? 2 : 3);
  const more = total - shown.length;
  const parts = [];
  shown.forEach((name, index) => {
    const lastOne = index === shown.length - 1 && more === 0;
    if (index > 0) parts.push(lastOne ? " and " : ", ");
    parts.push({ name });
  });
  if (more > 0) parts.push(shown.length > 0 ? ` and ${more} more` : peopleWords(more));
  return parts;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const thisYear = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });
const otherYear = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });

export function clockWords(at) {
  return clock.format(at);
}

export function fullTimeWords(at) {
  return fullTime.format(at);
}

export function dayWords(at, now = Date.now()) {
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? thisYear : otherYear).format(at);
}

function midnight(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}
