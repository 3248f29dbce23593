/** Types of the JavaScript client of roomkit. What a name means is on the page "JavaScript". */

export interface ConnectOptions {
  /** The name a guest would like. */
  username?: string;
  /** The host's own token, or a function that gives one, asked before every connection. */
  token?: string | (() => string | Promise<string>);
  /** Where secrets and unsent messages are kept; null to remember nothing. */
  storage?: Storages | null;
  /** What this program calls itself, for the server's logs. */
  client?: string;
}

export interface Storages {
  /** Shared by the tabs of a browser; `localStorage` unless said otherwise. */
  browser: KeyValueStorage;
  /** One tab's own; `sessionStorage` unless said otherwise. */
  tab: KeyValueStorage;
}

export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Connect, and stay connected until `close`. `url` may be relative to the page. */
export function connect(url: string | URL, options?: ConnectOptions): Chat;

// What is known

export interface View {
  readonly user: User | null;
  readonly rooms: Readonly<Record<string, RoomView>>;
}

export interface User {
  readonly user_id: string;
  readonly username: string;
}

export interface RoomView {
  readonly room: string;
  readonly state: "joining" | "joined" | "left" | "refused";
  readonly problem: Problem | null;
  readonly position: Position | null;
  readonly recovered: boolean | null;
  readonly gap: { readonly reason: string; readonly from_seq?: number } | null;
  readonly you: { readonly role: string; readonly can: readonly string[] } | null;
  readonly roster: "on" | "off";
  readonly occupants: readonly Occupant[];
  readonly total: number;
  readonly messages: readonly Message[];
  readonly held_from: number;
  readonly has_before: boolean;
  readonly complete: boolean;
  readonly typing: Typing;
  readonly pending: readonly Pending[];
  readonly unconfirmed: readonly Pending[];
}

export interface Position {
  readonly seq: number;
  readonly link: string;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
}

export interface Typing {
  readonly users: readonly string[];
  readonly total: number;
  readonly until: number | null;
}

export interface Occupant extends User {
  readonly sessions: number;
  readonly since: string;
  readonly meta?: Meta;
}

export interface Message extends Position {
  readonly room: string;
  readonly id: string;
  readonly type: "message" | "system";
  readonly username: string;
  readonly user_id?: string;
  readonly message: string;
  readonly timestamp: string;
  readonly idempotency_key?: string;
  readonly reply_to?: string;
  readonly meta?: Meta;
  readonly version?: number;
  readonly edited?: string;
  readonly deleted?: string;
}

/** A message of ours that the room does not show yet. */
export interface Pending {
  readonly key: string;
  readonly message: string;
  readonly state: "sending" | "sent" | "failed";
  /** When it was asked for, in milliseconds since the epoch. */
  readonly at: number;
  readonly reply_to?: string;
  readonly meta?: Meta;
  readonly problem?: Problem;
  readonly seq?: number;
}

export type Meta = Readonly<Record<string, unknown>>;

export interface Connection {
  readonly state: "offline" | "connecting" | "online" | "stopped";
  readonly problem: Problem | null;
  /** When the next attempt is made, in milliseconds since the epoch, while one is awaited. */
  readonly retry_at: number | null;
}

// What can be done

export class Chat extends EventTarget {
  private constructor();
  readonly view: View;
  readonly connection: Connection;
  readonly user: User | null;
  /** Every limit and period of the server by its name in `welcome`; empty before the first. */
  readonly limits: Readonly<Record<string, number>>;
  /** The rooms asked for. */
  readonly rooms: ReadonlyMap<string, Room>;
  /** Be in a room from now on, over every cut; asked again it is the same room. */
  room(name: string, wish?: JoinWish): Room;
  /** Connect now, whatever is being waited for; after "stopped" too. */
  retryNow(): void;
  /** Leave every room and let go of the connection, for good. */
  close(): void;

  addEventListener<T extends keyof ChatEvents>(
    type: T,
    listener: (this: Chat, event: CustomEvent<ChatEvents[T]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

export interface JoinWish {
  /** How many of the newest messages a snapshot brings; no more than the server's window. */
  history?: number;
  /** Shown to others in `occupants`. */
  meta?: Meta;
}

export class Room extends EventTarget implements AsyncIterable<RoomEvent> {
  private constructor();
  readonly name: string;
  readonly view: RoomView;
  /** Ask again to be let in, after a refusal or after having been put out. */
  join(): void;
  leave(): void;
  /** Resolves once the server has stored the message, however long there is no connection. */
  send(message: string, options?: { reply_to?: string; meta?: Meta }): Promise<Sent>;
  /** Send a failed message again. */
  retry(key: string): void;
  /** Take a message out of the outbox, unless it may be on its way. */
  discard(key: string): void;
  edit(id: string, message: string, options?: { if_version?: number }): Promise<Revised>;
  delete(id: string, options?: { reason?: string; if_version?: number }): Promise<Revised>;
  /** Without a cursor: the page before the oldest message held, which also joins `view`. */
  history(page?: Page): Promise<History>;
  users(page?: { after?: string; limit?: number }): Promise<Users>;
  signal(name: string, payload: unknown): Promise<void>;
  /** Our user pressed a key; to be said on each. */
  typing(): void;
  /** Our user cleared the field or turned away. */
  stopTyping(): void;
  /** Events from now on; ends when the room is left. */
  [Symbol.asyncIterator](): AsyncIterableIterator<RoomEvent>;

  addEventListener<T extends keyof RoomEvents>(
    type: T,
    listener: (this: Room, event: CustomEvent<RoomEvents[T]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

export interface Page {
  before?: number;
  after?: number;
  around?: number;
  limit?: number;
}

/** Where a message stands in the room. */
export interface Sent extends Position {
  readonly id: string;
  readonly timestamp: string;
}

export interface Revised extends Sent {
  readonly room: string;
  readonly version: number;
}

export interface History {
  readonly room: string;
  readonly messages: readonly Message[];
  readonly first_seq?: number;
  readonly last_seq?: number;
  readonly has_before: boolean;
  readonly has_after: boolean;
  readonly complete: boolean;
}

export interface Users {
  readonly room: string;
  readonly users: readonly string[];
  readonly occupants: readonly Occupant[];
  readonly total: number;
  readonly truncated: boolean;
}

/** What was refused, by the server or by the client itself. */
export class Refusal extends Error {
  readonly name: "Refusal";
  readonly code: string;
  readonly retryAfterMs: number | null;
}

// What happens

export interface ChatEvents {
  connection: Connection;
  change: View;
  error: Problem & { readonly retryable: boolean; readonly room?: string };
}

/** Each has the `data` of the frame of that type as its `detail`. */
export interface RoomFrames {
  room_joined: RoomFrame & Position & Pick<RoomView, "recovered" | "gap" | "you">;
  room_left: RoomFrame & { readonly reason: string };
  room_gap: RoomFrame & { readonly reason: string };
  new_message: Message;
  message_edited: Change & { readonly message: string };
  message_deleted: Change & { readonly reason?: string };
  roster_changed: RoomFrame &
    Position & {
      readonly shown: boolean;
      readonly joined: readonly Occupant[];
      readonly left: readonly (User & { readonly reason: string })[];
      readonly changed: readonly { readonly user_id: string; readonly sessions: number }[];
      readonly switched?: boolean;
      readonly stated?: boolean;
    };
  user_moderated: RoomFrame &
    Position &
    User & {
      readonly action: string;
      readonly by: string;
      readonly reason?: string;
      readonly removed?: boolean;
    };
  user_typing: TypingFrame;
  user_stopped_typing: TypingFrame;
  occupancy: RoomFrame & { readonly users: number; readonly sessions: number };
  signal: RoomFrame & User & { readonly name: string; readonly payload: unknown };
}

export interface RoomEvents extends RoomFrames {
  change: RoomView;
}

export interface RoomFrame {
  readonly room: string;
}

export interface Change extends RoomFrame, Position {
  readonly id: string;
  readonly version: number;
  readonly by: string;
  readonly timestamp: string;
}

export interface TypingFrame extends RoomFrame, User {
  readonly users: readonly string[];
  readonly total: number;
  readonly expires_ms: number;
}

export type RoomEvent =
  | { [T in keyof RoomFrames]: { readonly type: T; readonly data: RoomFrames[T] } }[keyof RoomFrames]
  | { readonly type: "missed"; readonly data: { readonly events: number } };
