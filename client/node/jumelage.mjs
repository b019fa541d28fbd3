/**
 * jumelage: a client of the jumelage service for Node 18 and later.
 *
 * One file on the ordinary package `@msgpack/msgpack`.
 *
 *     import { Client } from './jumelage.mjs';
 *
 *     const service = new Client('unix:/var/lib/jumelage/jumelage.sock');
 *     const { matches } = await service.top('bilocation', 'demo-startup-001', { pairing: 'hosting', k: 3 });
 *     for (const match of matches) console.log(match.score, match.name);
 *     await service.close();
 *
 * Any method can be called by its name; what it takes and answers is told by the reference page and by
 * `service.call('system.methods')`. Calls may be made without waiting for one another: they leave at
 * once and their answers may come in another order.
 *
 * Scores are whole numbers from 0 to 10000, instants milliseconds since 1970 UTC, dates 'YYYY-MM-DD'.
 * Whole numbers beyond 2^53 lose their last digits as ordinary numbers; with `bigint: true` every
 * number that came in 64 bits is a BigInt.
 *
 * Errors of the service reject with JumelageError or the subclass of their name (NotFound, Conflict …);
 * what fails on the way is Unreachable, TimedOut, Lost or BadAnswer. After a failure on the way the
 * next call connects again and shows the token again. A read that was lost on the way is asked once
 * more; a write is not, because it may have been carried out: Lost says so.
 */
import { EventEmitter } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import net from 'node:net';
import { decodeMultiStream, encode } from '@msgpack/msgpack';

export const version = '0.1.0';

const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** `code` and `name` as in the reference's table of errors; codes below 0 are this client's own. */
export class JumelageError extends Error {
  constructor(message, { code = 0, name = 'error', field = '', details = {} } = {}) {
    super(message);
    this.name = this.constructor.name;
    this.code = code;
    this.errorName = name;
    this.field = field;
    this.details = details;
  }
}

const kind = (code, name) =>
  class extends JumelageError {
    constructor(message, { field, details } = {}) {
      super(message, { code, name, field, details });
    }
  };

export class BadFrame extends kind(1, 'bad_frame') {}
export class UnknownMethod extends kind(2, 'unknown_method') {}
export class InvalidParams extends kind(3, 'invalid_params') {}
export class Unauthenticated extends kind(4, 'unauthenticated') {}
export class Forbidden extends kind(5, 'forbidden') {}
export class NotFound extends kind(6, 'not_found') {}
export class Conflict extends kind(7, 'conflict') {}
export class TooLarge extends kind(8, 'too_large') {}
export class Busy extends kind(9, 'busy') {
  /** Milliseconds after which it may be worth trying again. */
  get retryMs() {
    return Number(this.details.retry_ms ?? 1000);
  }
}
export class DeadlinePassed extends kind(10, 'deadline') {}
export class Draining extends kind(11, 'draining') {}
export class StorageFull extends kind(12, 'storage_full') {}
export class Internal extends kind(13, 'internal') {}
export class Cancelled extends kind(14, 'cancelled') {}
export class ReadOnly extends kind(15, 'read_only') {}
/** Nobody answers at the address. Nothing was asked. */
export class Unreachable extends kind(-1, 'unreachable') {}
/** No answer within the time allowed. A write may have been carried out. */
export class TimedOut extends kind(-2, 'timed_out') {}
/** The connection ended before the answer. A write may have been carried out. */
export class Lost extends kind(-3, 'lost') {}
/** What came is no answer of this protocol. */
export class BadAnswer extends kind(-4, 'bad_answer') {}

const BY_CODE = new Map(
  [BadFrame, UnknownMethod, InvalidParams, Unauthenticated, Forbidden, NotFound, Conflict, TooLarge,
   Busy, DeadlinePassed, Draining, StorageFull, Internal, Cancelled, ReadOnly]
    .map((type, i) => [i + 1, type]));

/** Asked again after a lost connection, since asking twice changes nothing. */
const READS = new Set([
  'backup.list', 'journal.list', 'journal.verify', 'match.explain', 'match.top', 'match.whatif',
  'outcome.list', 'profile.duplicates', 'profile.get', 'profile.history', 'profile.list', 'profile.schema',
  'programme.check', 'programme.get', 'programme.list', 'system.hello', 'system.methods',
  'system.ping', 'system.stats', 'token.list',
]);

function errorOf(value) {
  if (value === null || typeof value !== 'object' || typeof value.message !== 'string')
    return new BadAnswer('an error is no map with a message');
  const { message, name, field, details } = value;
  const code = Number(value.code);
  const type = BY_CODE.get(code);
  return type ? new type(message, { field, details })
              : new JumelageError(message, { code, name, field, details });
}

function parseAddress(address) {
  const text = String(address);
  if (text.startsWith('unix:') && text.length > 5) return { path: text.slice(5) };
  const tcp = /^tcp:(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text);
  if (tcp) return { host: tcp[1].replace(/^\[|\]$/g, ''), port: Number(tcp[2]) };
  throw new TypeError(`"${text}" is no address; it is unix:PATH or tcp:HOST:PORT`);
}

async function readTokenFile(path) {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    throw new Unauthenticated(`others may read ${path}; set its mode to 0600`);
  return (await readFile(path, 'utf8')).trim();
}

/**
 * A connection to a service, made when it is first needed and again when it was lost.
 *
 * Events: 'notification' (method, params) for what the service sends unasked.
 */
export class Client extends EventEmitter {
  #address; #token; #tokenFile; #language; #timeoutMs; #client; #bigint;
  #connection = null; // { socket, pending: Map<msgid, call>, hello }
  #connecting = null;
  #msgid = 0;

  /**
   * @param {string} address unix:PATH or tcp:HOST:PORT
   * @param {object} [options] token, tokenFile (mode 0600), language ('en', 'fr'), timeoutMs (30000),
   *   client (name for the service's log), bigint (false)
   */
  constructor(address, { token, tokenFile, language, timeoutMs = 30000,
                         client = `jumelage.mjs ${version}`, bigint = false } = {}) {
    super();
    if (token !== undefined && tokenFile !== undefined)
      throw new TypeError('give token or tokenFile, not both');
    if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs is ${timeoutMs}; it must be more than 0`);
    this.#address = parseAddress(address);
    this.#token = token;
    this.#tokenFile = tokenFile;
    this.#language = language;
    this.#timeoutMs = timeoutMs;
    this.#client = client;
    this.#bigint = bigint;
  }

  /** Connects and greets, if that is not done. @returns what system.hello answered */
  async connect() {
    return (await this.#connected()).hello;
  }

  /** Ends the connection; calls that wait reject with Lost. A later call makes another. */
  async close() {
    const connection = this.#connection;
    this.#connection = null;
    if (!connection) return;
    this.#fail(connection, new Lost('the client closed the connection'));
  }

  /**
   * Calls a method.
   * @param {string} method
   * @param {object} [params]
   * @param {{signal?: AbortSignal, timeoutMs?: number}} [options]
   * @returns its result
   */
  async call(method, params = {}, { signal, timeoutMs = this.#timeoutMs } = {}) {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const connection = await this.#connected();
      try {
        return await this.#ask(connection, method, params, signal, timeoutMs);
      } catch (error) {
        if (!(error instanceof Lost) || attempt === 2 || !READS.has(method)) throw error;
      }
    }
  }

  /** Asks without wanting an answer; whether it was carried out is not told. */
  async notify(method, params = {}) {
    const connection = await this.#connected();
    connection.socket.write(encode([2, method, [params]], this.#options()));
  }

  /** The entries of a list, page by page. `limit` is the size of a page. */
  async *iterate(method, params = {}) {
    for (let after; ;) {
      const page = await this.call(method, after === undefined ? params : { ...params, after });
      yield* Object.values(page).find(Array.isArray) ?? [];
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  // ---- the common methods ----

  ping() { return this.call('system.ping'); }
  getProfile(id, version) { return this.call('profile.get', given({ id, version })); }
  putProfile(profile, ifVersion) {
    return this.call('profile.put', given({ profile, if_version: ifVersion }));
  }
  patchProfile(id, changes, ifVersion) {
    return this.call('profile.patch', given({ id, changes, if_version: ifVersion }));
  }
  deleteProfile(id, ifVersion) {
    return this.call('profile.delete', given({ id, if_version: ifVersion }));
  }
  listProfiles(filters = {}) { return this.call('profile.list', filters); }
  /** @param more pairing, side, k, min_score, explain, day, lang */
  top(programme, id, more = {}) { return this.call('match.top', { programme, id, ...more }); }
  explain(programme, from, to, more = {}) {
    return this.call('match.explain', { programme, from, to, ...more });
  }
  getProgramme(id, version) { return this.call('programme.get', given({ id, version })); }
  putProgramme(programme, ifVersion) {
    return this.call('programme.put', given({ programme, if_version: ifVersion }));
  }
  putOutcome(from, to, outcomeKind, at, more = {}) {
    return this.call('outcome.put', { from, to, kind: outcomeKind, at, ...more });
  }

  // ---- the wire ----

  #options() {
    return { useBigInt64: this.#bigint, ignoreUndefined: true, maxDepth: 32 };
  }

  #connected() {
    if (this.#connection) return Promise.resolve(this.#connection);
    this.#connecting ??= this.#open().finally(() => { this.#connecting = null; });
    return this.#connecting;
  }

  async #open() {
    const socket = net.createConnection(this.#address);
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Unreachable(`nobody answered within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      socket.once('connect', () => { clearTimeout(timer); resolve(); });
      socket.once('error', (problem) => {
        clearTimeout(timer);
        reject(new Unreachable(problem.message));
      });
    });
    socket.setNoDelay(true);
    const connection = { socket, pending: new Map(), hello: null };
    socket.on('error', (problem) => this.#fail(connection, new Lost(problem.message)));
    this.#read(connection);
    try {
      connection.hello = await this.#ask(connection, 'system.hello', given({
        client: this.#client,
        token: this.#tokenFile ? await readTokenFile(this.#tokenFile) : this.#token,
        language: this.#language,
      }), undefined, this.#timeoutMs);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    this.#connection = connection;
    return connection;
  }

  async #read(connection) {
    const limits = {
      useBigInt64: this.#bigint,
      maxStrLength: FRAME_BYTES_MAX, maxBinLength: FRAME_BYTES_MAX,
      maxArrayLength: 10_000_000, maxMapLength: 10_000_000, maxExtLength: 0,
    };
    let failure = new Lost('the service ended the connection before it answered');
    try {
      for await (const frame of decodeMultiStream(connection.socket, limits))
        this.#take(connection, frame);
    } catch (error) {
      failure = error instanceof JumelageError ? error
        : connection.socket.errored ? new Lost(String(error.message))
        : error instanceof RangeError && /Insufficient|bounds/.test(error.message) ? failure
        : new BadAnswer(`what came is no msgpack: ${error.message}`);
    }
    this.#fail(connection, failure);
  }

  #take(connection, frame) {
    if (Array.isArray(frame) && frame.length === 3 && Number(frame[0]) === 2) {
      if (frame[1] === 'system.error') throw errorOf(frame[2]?.[0]);
      this.emit('notification', frame[1], frame[2]);
      return;
    }
    if (!Array.isArray(frame) || frame.length !== 4 || Number(frame[0]) !== 1)
      throw new BadAnswer('what came is neither an answer nor a notification');
    const call = connection.pending.get(Number(frame[1]));
    if (!call)
      throw new BadAnswer(`an answer to ${frame[1]}, which was not asked or is answered`);
    connection.pending.delete(Number(frame[1]));
    if (frame[2] === null) call.resolve(frame[3]);
    else call.reject(errorOf(frame[2]));
  }

  /** The connection is of no use any more: everybody who waits is told. */
  #fail(connection, error) {
    if (this.#connection === connection) this.#connection = null;
    connection.socket.destroy();
    for (const call of connection.pending.values()) call.reject(error);
    connection.pending.clear();
  }

  #ask(connection, method, params, signal, timeoutMs) {
    return new Promise((resolve, reject) => {
      const msgid = this.#msgid = (this.#msgid + 1) >>> 0;
      const bytes = encode([0, msgid, method, Object.keys(params).length ? [params] : []],
                           this.#options());
      let timer;
      const stop = () => { connection.pending.set(msgid, ignored); reject(signal.reason); };
      const done = (settle) => (value) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        settle(value);
      };
      if (connection.socket.destroyed) {
        reject(new Lost('the connection has ended'));
        return;
      }
      timer = setTimeout(() => {
        // Its answer may still come: the id stays known, and others go on.
        connection.pending.set(msgid, ignored);
        reject(new TimedOut(`no answer to ${method} within ${timeoutMs} ms`));
      }, timeoutMs);
      signal?.addEventListener('abort', stop, { once: true });
      connection.pending.set(msgid, { resolve: done(resolve), reject: done(reject) });
      connection.socket.write(bytes);
    });
  }
}

const ignored = { resolve() {}, reject() {} };

function given(params) {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}
