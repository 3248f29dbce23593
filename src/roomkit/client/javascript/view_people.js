/**
 * Who is in a room, in the order they came, and who of them is no longer typing.
 */

/** `data` of a `roster_changed`; while the roster is off only `occupancy` counts. */
export function rosterChanged(room, data) {
  if (!data.shown) return { ...room, roster: "off", occupants: [] };
  const { joined, left, changed, switched = false } = data;
  const sessions = new Map(changed.map((user) => [user.user_id, user.sessions]));
  const moved = new Set([...left, ...joined].map((user) => user.user_id));
  const stay = (switched ? [] : room.occupants)
    .filter((user) => !moved.has(user.user_id))
    .map((user) =>
      sessions.has(user.user_id) ? { ...user, sessions: sessions.get(user.user_id) } : user,
    );
  const occupants = [...stay, ...joined];
  const names = left.map((user) => user.username);
  return quieted({ ...room, roster: "on", occupants, total: occupants.length }, names);
}

/** `data` of a `user_moderated`: whoever was put out is there no more. */
export function moderated(room, { user_id: userId, username, removed = false }) {
  if (!removed) return room;
  const occupants = room.occupants.filter((user) => user.user_id !== userId);
  const total = room.roster === "on" ? occupants.length : room.total;
  return quieted({ ...room, occupants, total }, [username]);
}

/** Nobody is still typing after their message or their leaving, whatever is yet to be told. */
export function quieted(room, names) {
  const { users, total, until } = room.typing;
  const rest = users.filter((name) => !names.includes(name));
  if (rest.length === users.length) return room;
  const left = total - (users.length - rest.length);
  const typing = { users: left > 0 ? rest : [], total: Math.max(left, 0), until: left > 0 ? until : null };
  return { ...room, typing };
}
