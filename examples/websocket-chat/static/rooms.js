/**
 * What a room looks like from here: a pure fold of the server's frames into a view.
 * Takes a view and a frame, gives a new view; knows no socket, no page and no clock.
 *
 * A view is the same whether its frames came one by one, in a replay or as a snapshot
 * (protocol page, Laws 5 and 6), except that joins and leaves are only seen as they happen.
 */

const KEPT_ENTRIES = 1_000;

/** `status`: "joining" until a snapshot, "joined", "refused" or "removed" (then `problem` says why). */
export function emptyRoom(name) {
  return {
    name,
    status: "joining",
    problem: null,
    position: null,
    entries: [],
    hasOlder: false,
    complete: true,
    people: [],
    total: 0,
    rosterShown: true,
    typing: noTyping,
    unread: 0,
    firstUnread: null,
    gap: null,
    torn: false,
  };
}

const noTyping = { names: [], total: 0, until: 0 };

/**
 * `context`: `userId`, whose messages are never unread; `reading`, true while a person has the end
 * of this room before their eyes; `now` in milliseconds since the epoch.
 */
export function fold(view, { type, data }, context) {
  if (type === "room_joined") return joined(view, data, context);
  if (view.status !== "joined") return view;
  if (data.seq === undefined || data.link === undefined) {
    return FOLDS[type]?.(view, data, context) ?? view;
  }
  if (data.seq <= view.position.seq) return view;
  if (data.seq > view.position.seq + 1) return { ...view, torn: true };
  const moved = { ...view, position: { seq: data.seq, link: data.link } };
  return FOLDS[type]?.(moved, data, context) ?? moved;
}

export function refused(view, refusal) {
  return { ...view, status: "refused", problem: refusal, typing: noTyping };
}

/** The connection is gone: what was said stays, who is typing is no longer known. */
export function cutOff(view) {
  return { ...view, typing: noTyping };
}

export function read(view) {
  return view.unread === 0 ? view : { ...view, unread: 0 };
}

/** Take the "new messages" line away: the person has moved on. */
export function settled(view) {
  return view.firstUnread === null ? view : { ...view, firstUnread: null };
}

/** Forget typing that has run out, should the server's word for it be lost. */
export function expired(view, now) {
  return view.typing.total > 0 && view.typing.until <= now ? { ...view, typing: noTyping } : view;
}

const FOLDS = {
  new_message: (view, data, context) => {
    const entry = messageEntry(data);
    const heard = quieted(view, [data]);
    return counted(trimmed({ ...heard, entries: [...view.entries, entry] }), [entry], context);
  },

  roster_changed: (view, data, { userId }) => {
    const { shown, joined: came = [], left: gone = [], changed = [] } = data;
    if (!shown) return { ...view, rosterShown: false, people: [] };
    const without = new Set([...came, ...gone].map((user) => user.user_id));
    const sessions = new Map(changed.map((user) => [user.user_id, user.sessions]));
    const people = view.people
      .filter((person) => !without.has(person.userId))
      .map((person) => ({ ...person, sessions: sessions.get(person.userId) ?? person.sessions }))
      .concat(came.map(personOf));
    const quiet = !view.rosterShown || data.switched || data.stated;
    const seen = { ...quieted(view, gone), people, total: people.length, rosterShown: true };
    if (quiet) return seen;
    const others = (users) => users.filter((user) => user.user_id !== userId);
    return noticed(seen, data.seq, others(came), others(gone));
  },

  user_moderated: (view, data) => {
    const people = data.removed
      ? view.people.filter((person) => person.userId !== data.user_id)
      : view.people;
    const entry = { kind: "moderation", seq: data.seq, action: data.action, name: data.username };
    const total = view.rosterShown ? people.length : view.total;
    return { ...view, people, total, entries: [...view.entries, entry] };
  },

  user_typing: typing,
  user_stopped_typing: typing,

  occupancy: (view, data) => (view.rosterShown ? view : { ...view, total: data.users }),

  room_gap: (view, data) => ({ ...view, gap: data.reason }),

  room_left: (view, data) => ({
    ...view,
    status: "removed",
    problem: { code: data.reason, message: "" },
    typing: noTyping,
  }),

  message_history: (view, data) => {
    const known = new Set(view.entries.map((entry) => entry.seq));
    const older = data.messages.map(messageEntry).filter((entry) => !known.has(entry.seq));
    const entries = [...older, ...view.entries].sort((one, other) => one.seq - other.seq);
    return { ...view, entries, hasOlder: data.has_before, complete: data.complete };
  },
};

/** With `recovered: true` the view stays and the replay follows; otherwise the snapshot replaces it. */
function joined(view, data, context) {
  const position = { seq: data.seq, link: data.link };
  const here = { ...view, status: "joined", problem: null, position, torn: false };
  const now = typing(here, { ...data.typing }, context);
  if (data.recovered) return now;
  const messages = data.messages.map(messageEntry);
  const known = new Set(view.entries.map((entry) => entry.id));
  const missed = view.position ? messages.filter((entry) => !known.has(entry.id)) : [];
  return counted(
    {
      ...now,
      entries: messages,
      hasOlder: data.has_before ?? messages.length > 0,
      complete: data.complete ?? true,
      people: data.occupants.map(personOf),
      total: data.total,
      rosterShown: data.roster === "on",
      firstUnread: null,
      gap: data.gap?.reason ?? view.gap,
    },
    missed,
    context,
  );
}

function typing(view, { users = [], total = users.length, expires_ms: expires = 0 }, { now }) {
  return { ...view, typing: { names: users, total, until: now + expires } };
}

/** Nobody is still typing after their message or their leaving, whatever is yet to be told. */
function quieted(view, users) {
  const gone = new Set(users.map((user) => user.username));
  const names = view.typing.names.filter((name) => !gone.has(name));
  const total = view.typing.total - (view.typing.names.length - names.length);
  return { ...view, typing: { ...view.typing, names, total } };
}

/** Count what a person who is not looking has not seen; the first of it gets the "new" line. */
function counted(view, entries, { userId, reading }) {
  const theirs = entries.filter((entry) => entry.userId !== userId);
  if (reading || theirs.length === 0) return view;
  const firstUnread = view.unread > 0 && view.firstUnread ? view.firstUnread : theirs[0].seq;
  return { ...view, unread: view.unread + theirs.length, firstUnread };
}

function trimmed(view) {
  if (view.entries.length <= KEPT_ENTRIES) return view;
  return { ...view, entries: view.entries.slice(-KEPT_ENTRIES), hasOlder: true };
}

function noticed(view, seq, came, gone) {
  if (came.length + gone.length === 0) return view;
  const names = (users) => users.map((user) => user.username);
  const entry = { kind: "presence", seq, joined: names(came), left: names(gone) };
  return trimmed({ ...view, entries: [...view.entries, entry] });
}

function messageEntry(data) {
  return {
    kind: data.type === "system" ? "system" : "message",
    seq: data.seq,
    id: data.id,
    userId: data.user_id,
    username: data.username,
    text: data.message,
    at: Date.parse(data.timestamp),
    key: data.idempotency_key ?? null,
  };
}

function personOf(occupant) {
  return {
    userId: occupant.user_id,
    username: occupant.username,
    sessions: occupant.sessions ?? 1,
  };
}
