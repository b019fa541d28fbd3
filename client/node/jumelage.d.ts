import { EventEmitter } from 'node:events';

export const version: string;

export interface ClientOptions {
  token?: string;
  /** A file of mode 0600 that holds the token. */
  tokenFile?: string;
  language?: 'en' | 'fr';
  /** Milliseconds that a call may take, connecting included; 30000. */
  timeoutMs?: number;
  /** Name and version of the program, for the service's log. */
  client?: string;
  /** Every number that came in 64 bits as BigInt; else only those beyond 2^53. */
  bigint?: boolean;
  /** The largest answer that is accepted; 64 MiB. */
  maxFrameBytes?: number;
  /** With TLS: a PEM file of the authorities to trust. */
  caFile?: string;
  /** With TLS: the name that the certificate must bear, where the address has another. */
  serverName?: string;
}

export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

export type Params = Record<string, unknown>;
export type Hello = Record<string, unknown> & {
  name: string; version: string; protocol: number; role: string; limits: Record<string, number>;
  time: number;
};
export type Profile = Record<string, unknown> & {
  id: string; kind: string; name: string; version: number; updated_at: number; seq: number;
};

/** Scores in basis points, 0 to 10000. */
export interface Match {
  id: string;
  name: string;
  score: number;
  from_view?: number;
  to_view?: number;
  coverage?: number;
  reasons?: unknown;
}

export interface Matches {
  matches: Match[];
  considered: number;
  eligible: number;
  /** The rule, if the profile itself may not be matched. */
  why?: unknown;
  [more: string]: unknown;
}

export interface ProfilePage {
  profiles: Profile[];
  total: number;
  next?: string;
}

export interface Stored {
  id: string;
  version: number;
  seq: number;
  created: boolean;
  unchanged: boolean;
}

export class JumelageError extends Error {
  readonly code: number;
  readonly errorName: string;
  readonly field: string;
  readonly details: Record<string, unknown>;
}
export class BadFrame extends JumelageError {}
export class UnknownMethod extends JumelageError {}
export class InvalidParams extends JumelageError {}
export class Unauthenticated extends JumelageError {}
export class Forbidden extends JumelageError {}
export class NotFound extends JumelageError {}
export class Conflict extends JumelageError {}
export class TooLarge extends JumelageError {}
export class Busy extends JumelageError { get retryMs(): number; }
export class DeadlinePassed extends JumelageError {}
export class Draining extends JumelageError {}
export class StorageFull extends JumelageError {}
export class Internal extends JumelageError {}
export class Cancelled extends JumelageError {}
export class ReadOnly extends JumelageError {}
export class TimedOut extends JumelageError {}
export class Lost extends JumelageError {}
export class Unreachable extends JumelageError {}
export class BadAnswer extends JumelageError {}
export class BadOption extends JumelageError {}
export class Closed extends JumelageError {}

export interface Deleted {
  id: string;
  seq: number;
  /** With `erase`: what went. */
  erased?: { ids: string[]; versions: number; entries: number; outcomes: number; tokens: number };
}

export class Client extends EventEmitter {
  constructor(address: string, options?: ClientOptions);
  readonly hello: Hello | null;
  connect(): Promise<Hello>;
  close(): Promise<void>;
  call(method: string, params?: Params, options?: CallOptions): Promise<any>;
  notify(method: string, params?: Params): Promise<void>;
  iterate(method: string, params?: Params): AsyncGenerator<any, void, void>;
  watch(programme: string, more?: Params, options?: { signal?: AbortSignal }):
    AsyncGenerator<Record<string, any>, void, void>;
  ping(): Promise<string>;
  getProfile(id: string, version?: number): Promise<Profile>;
  putProfile(profile: Params, ifVersion?: number): Promise<Stored>;
  patchProfile(id: string, changes: Params, ifVersion?: number): Promise<Stored>;
  deleteProfile(id: string, ifVersion?: number, options?: { erase?: boolean }): Promise<Deleted>;
  listProfiles(filters?: Params): Promise<ProfilePage>;
  top(programme: string, id: string, more?: Params): Promise<Matches>;
  explain(programme: string, from: string, to: string, more?: Params): Promise<Record<string, any>>;
  getProgramme(id: string, version?: number): Promise<Record<string, any>>;
  putProgramme(programme: Params, ifVersion?: number): Promise<Record<string, any>>;
  putOutcome(from: string, to: string, kind: string, at: string, more?: Params):
    Promise<{ seq: number }>;
  on(event: 'notification', listener: (method: string, params: unknown[]) => void): this;
  on(event: 'lost', listener: (error: Error) => void): this;
}
