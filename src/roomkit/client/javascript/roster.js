/**
 * Who is in a room: occupants in the order they came, as far as the room shows them.
 */

/** `data` of a `roster_changed`; without a roster only `occupancy` counts. */
export function rosterChanged(room, data) {
  if (!data.shown) return { ...room, roster: "off", occupants: [] };
  const { joined = [], left = [], changed = [], switched = false } = data;
  const gone = new Set([...left, ...joined].map((user) => user.user_id));
  const sessions = new Map(changed.map((user) => [user.user_id, user.sessions]));
  const occupants = (switched ? [] : room.occupants)
    .filter((occupant) => !gone.has(occupant.user_id))
    .map((occupant) =>
      sessions.has(occupant.user_id)
        ? { ...occupant, sessions: sessions.get(occupant.user_id) }
        : occupant,
    )
    .concat(joined);
  const names = left.map((user) => user.username);
  return quieted({ ...room, roster: "on", occupants, total: occupants.length }, names);
}

/** `data` of a `user_moderated`: whoever was put out is there no more. */
export function moderated(room, { user_id, username, removed = false }) {
  if (!removed) return room;
  const occupants = room.occupants.filter((occupant) => occupant.user_id !== user_id);
  const total = room.roster === "on" ? occupants.length : room.total;
  return quieted({ ...room, occupants, total }, [username]);
}

/** Nobody types any more after their message or their leaving, whatever is yet to be told. */
export function quieted(room, names) {
  const users = room.typing.users.filter((name) => !names.includes(name));
  const gone = room.typing.users.length - users.length;
  if (gone === 0) return room;
  return { ...room, typing: { ...room.typing, users, total: room.typing.total - gone } };
}
