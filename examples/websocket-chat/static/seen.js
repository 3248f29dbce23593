/**
 * What one person has seen of one room: what is unread, where it begins, and who came and went while
 * the page watched. The page's own, beside what the client holds of the room.
 */

const KEPT_NOTICES = 500;

export class Seen {
  /** Lines between the messages, each with the `seq` it stands at, oldest first. */
  notices = [];
  unread = 0;
  /** Seq of the first message after the "New" line, or null. */
  firstUnread = null;

  #reading = false;
  #upTo = null;

  /** Watch a room; `myId()` gives our own user id. */
  constructor(room, myId) {
    room.addEventListener("new_message", ({ detail }) => {
      this.#upTo = detail.seq;
      this.#came([detail], myId());
    });
    room.addEventListener("roster_changed", ({ detail }) => this.#rosterChanged(detail, myId()));
    room.addEventListener("user_moderated", ({ detail }) => {
      const { seq, action, username: name } = detail;
      this.#notice({ kind: "moderation", seq, action, name });
    });
    room.addEventListener("room_joined", ({ detail }) => this.#joined(detail, myId()));
  }

  /** Whether there is less unread than before. */
  read(reading) {
    this.#reading = reading;
    if (!reading || this.unread === 0) return false;
    this.unread = 0;
    return true;
  }

  /** The person turned to another room: what was new in this one no longer is. */
  turnedFrom() {
    this.firstUnread = null;
  }

  /** A snapshot in place of what was known: what it has and we never saw is new. */
  #joined({ recovered, messages, seq }, myId) {
    if (recovered) return;
    this.notices = [];
    this.firstUnread = null;
    const before = this.#upTo;
    this.#upTo = seq;
    if (recovered === false) this.#came(messages.filter((one) => one.seq > before), myId);
  }

  #came(messages, myId) {
    const theirs = messages.filter((message) => message.user_id !== myId);
    if (this.#reading || theirs.length === 0) return;
    if (this.unread === 0) this.firstUnread = null;
    this.firstUnread ??= theirs[0].seq;
    this.unread += theirs.length;
  }

  #rosterChanged({ shown, switched, stated, seq, joined = [], left = [] }, myId) {
    if (!shown || switched || stated) return;
    const others = (users) =>
      users.filter((user) => user.user_id !== myId).map((user) => user.username);
    const came = others(joined);
    const gone = others(left);
    if (came.length + gone.length === 0) return;
    this.#notice({ kind: "presence", seq, joined: came, left: gone });
  }

  #notice(notice) {
    this.notices = [...this.notices, notice].slice(-KEPT_NOTICES);
  }
}
