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
 * Whole numbers beyond 2^53 come as BigInt, all others as number; with `bigint: true` every number
 * that came in 64 bits is a BigInt. BigInt may always be given. Bytes are Uint8Array.
 *
 * Errors. What the service refuses rejects with JumelageError or the subclass of its name (NotFound,
 * Conflict …); what fails on the way is TimedOut, Lost, Unreachable or BadAnswer. Codes and names are
 * those of libjumelage. No 'error' event is emitted: an idle connection that ends is made again by
 * the next call.
 *
 * A lost connection. The next call connects again, at once, and shows the token again. A read that
 * was lost on the way is asked once more; a write is not, because it may have been carried out: Lost
 * says so.
 *
 * HTTP. `http://HOST:PORT` and `https://HOST:PORT` send each call as one `POST /rpc`, the token and the
 * language with it: one at a time, on a connection that is kept. The service sends nothing unasked there:
 * no 'notification' is emitted. A call that is given up ends its connection; one that ends between two
 * calls is made again.
 *
 * TLS. `tls:HOST:PORT` and `https://HOST:PORT` are TLS 1.2 or later and always check the certificate: an authority that is trusted
 * has signed it; it holds today; and the host of the address, or `serverName`, is among its alternative
 * names. What is wrong with it is told by Unreachable. Trusted are the authorities of `caFile`, else those
 * of the system where Node tells them (22.15 and later), else those that come with Node.
 *
 * Time. A call has `timeoutMs` for everything, connecting too. A `deadline_ms` among its parameters is
 * the service's to keep; where it is longer than `timeoutMs`, the call has that and a second more.
 */
import { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import tls from 'node:tls';
import { decode, encode } from '@msgpack/msgpack';

export const version = '0.1.0';

const PROTOCOL = 1;
const FRAME_ITEMS_MAX = 4_000_000; // values in one answer
const NESTING_MAX = 32;
const IN_FLIGHT = 1024; // where the greeting does not tell
const DEADLINE_GRACE_MS = 1000;

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
/** No answer within the time allowed. A write may have been carried out. */
export class TimedOut extends kind(-1, 'timeout') {}
/** The connection ended before the answer. A write may have been carried out. */
export class Lost extends kind(-2, 'lost') {}
/** No connection could be made. Nothing was asked. */
export class Unreachable extends kind(-3, 'unreachable') {}
/** What came is no answer of this protocol. A write may have been carried out. */
export class BadAnswer extends kind(-4, 'bad_answer') {}
/** An option or argument is wrong; `field` says which. Nothing was asked. */
export class BadOption extends kind(-6, 'bad_option') {}
/** The client was closed while the call was under way. */
export class Closed extends kind(-7, 'closed') {}

const BY_CODE = new Map(
  [BadFrame, UnknownMethod, InvalidParams, Unauthenticated, Forbidden, NotFound, Conflict, TooLarge,
   Busy, DeadlinePassed, Draining, StorageFull, Internal, Cancelled, ReadOnly]
    .map((type, i) => [i + 1, type]));

/** Asked again after a lost connection, since asking twice changes nothing. */
const READS = new Set([
  'backup.list', 'journal.list', 'journal.verify', 'match.each', 'match.explain', 'match.top', 'match.whatif',
  'outcome.list', 'profile.duplicates', 'profile.get', 'profile.history', 'profile.list', 'profile.schema',
  'programme.check', 'programme.get', 'programme.list', 'system.hello', 'system.methods',
  'system.ping', 'system.stats', 'token.list',
]);

function errorOf(value) {
  if (value === null || typeof value !== 'object' || typeof value.message !== 'string')
    return new BadAnswer('an error is no map with a message');
  const { code, name, message, field, details } = value;
  if (!Number.isInteger(code) || code <= 0 || typeof name !== 'string')
    return new BadAnswer('an error is without a code above 0 and a name');
  const type = BY_CODE.get(code);
  return type ? new type(message, { field, details })
              : new JumelageError(message, { code, name, field, details });
}

const badOption = (field, message) => new BadOption(message, { field });

function parseAddress(address) {
  const text = String(address);
  if (text.startsWith('unix:') && text.length > 5) return { path: text.slice(5) };
  const tcp = /^(tcp|tls):(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text);
  if (tcp && Number(tcp[3]) < 65536)
    return { host: tcp[2].replace(/^\[|\]$/g, ''), port: Number(tcp[3]), isTls: tcp[1] === 'tls' };
  const url = /^(https?):(?:\/\/)?(\[[^\]/?#@\s]+\]|[^:/?#@[\]\s]+)(?::(\d{1,5}))?\/?$/.exec(text);
  const port = Number(url?.[3] ?? (url?.[1] === 'https' ? 443 : 80));
  if (url && port > 0 && port < 65536 && /^[!-~]+$/.test(text)) {
    const isPreset = port === (url[1] === 'https' ? 443 : 80);
    return { host: url[2].replace(/^\[|\]$/g, ''), port, isHttp: true, isTls: url[1] === 'https',
             authority: url[2].replace(/%[^\]]*/, '') + (isPreset ? '' : `:${port}`) };
  }
  throw badOption('address', `"${text}" is no address; it is unix:PATH, tcp:HOST:PORT, ` +
    'tls:HOST:PORT, http://HOST:PORT or https://HOST:PORT');
}

async function readTokenFile(path) {
  let file;
  try {
    file = await open(path);
    if (((await file.stat()).mode & 0o077) !== 0)
      throw badOption('tokenFile', `others may read ${path}; set its mode to 0600`);
    return (await file.readFile('utf8')).trim();
  } catch (problem) {
    throw problem instanceof BadOption ? problem
      : badOption('tokenFile', `cannot read ${path}: ${problem.message}`);
  } finally {
    await file?.close();
  }
}

// ---- TLS ----

const FOREIGN = ['is of an issuer that is not trusted here; name the file of its authority', 'caFile'];

/** By Node's code: the end of a sentence, and the option that may help. */
const CERTIFICATE_FAULTS = {
  UNABLE_TO_GET_ISSUER_CERT: FOREIGN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: FOREIGN,
  SELF_SIGNED_CERT_IN_CHAIN: FOREIGN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: FOREIGN,
  DEPTH_ZERO_SELF_SIGNED_CERT:
    ['is signed by itself alone and not trusted here; if it is the right one, name its file', 'caFile'],
  CERT_NOT_YET_VALID: ["is not valid yet; see that this machine's clock is right", ''],
  CERT_HAS_EXPIRED:
    ["has expired; have it renewed where the service is, and see that this machine's clock is right", ''],
  ERR_TLS_CERT_ALTNAME_INVALID: ['is for another name; say a name that it bears', 'serverName'],
};

/** The authorities of a file; undefined for Node's own. */
async function readAuthorities(path) {
  if (path === undefined) return tls.getCACertificates?.('system');
  let text;
  try {
    text = await readFile(path, 'latin1');
  } catch (problem) {
    throw badOption('caFile', `the file of authorities "${path}" cannot be read: ${problem.message}`);
  }
  const all = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    if (all.length === 0) throw new Error('none');
    all.forEach((one) => new X509Certificate(one)); // tls.connect would pass over a broken one
  } catch {
    throw badOption('caFile',
                    `the file of authorities "${path}" holds no certificate in the form PEM`);
  }
  return all;
}

/** A subject's common name counts for nothing: the alternative names do. */
function checkName(name, certificate) {
  if (certificate.subjectaltname) return tls.checkServerIdentity(name, certificate);
  return Object.assign(new Error('no name'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

/** What a failed handshake tells of the service. */
function handshakeFault(text, name, { code = '', message }) {
  if (code in CERTIFICATE_FAULTS) {
    const [what, field] = CERTIFICATE_FAULTS[code];
    return new Unreachable(`the certificate that ${text} shows for "${name}" ${what}`, { field });
  }
  const words = `${code} ${message}`.toUpperCase().replaceAll(' ', '_'); // EPROTO has it in its message
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(words))
    return new Unreachable(`what listens at ${text} does not speak TLS; if it is the service's plain ` +
      `port, the address begins with ${text.startsWith('https:') ? 'http://' : 'tcp:'}`,
      { field: 'address' });
  if (/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION/.test(words))
    return new Unreachable(
      `${text} speaks no version of TLS from 1.2 on; nothing older is safe`);
  return new Unreachable(`the TLS handshake with ${text} failed: ${message}`);
}

function given(params) {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

function timeoutOf(params, timeoutMs) {
  const deadlineMs = Number(params.deadline_ms);
  return deadlineMs < 1e9 ? Math.max(timeoutMs, deadlineMs + DEADLINE_GRACE_MS) : timeoutMs;
}

// ---- frames ----

/**
 * By first byte: [bytes of a length that follows, bytes of the body (the length is added to it),
 * children (the length times them, if there is one)]; null: a byte that msgpack does not have.
 */
const HEADS = (() => {
  const heads = Array.from({ length: 256 }, () => [0, 0, 0]);
  for (let n = 0; n < 16; n++) {
    heads[0x80 + n] = [0, 0, 2 * n]; // map
    heads[0x90 + n] = [0, 0, n]; // array
  }
  for (let n = 0; n < 32; n++) heads[0xa0 + n] = [0, n, 0]; // str
  const fixed = { 0xca: [4, 8], 0xcc: [1, 2, 4, 8], 0xd0: [1, 2, 4, 8], 0xd4: [2, 3, 5, 9, 17] };
  for (const [first, bodies] of Object.entries(fixed)) // floats, uints, ints, ext of a fixed size
    bodies.forEach((body, i) => { heads[Number(first) + i] = [0, body, 0]; });
  for (const [first, body] of [[0xc4, 0], [0xc7, 1], [0xd9, 0]]) // bin, ext with its type, str
    for (let i = 0; i < 3; i++) heads[first + i] = [1 << i, body, 0];
  for (const [first, each] of [[0xdc, 1], [0xde, 2]]) // array, map
    for (let i = 0; i < 2; i++) heads[first + i] = [2 << i, 0, each];
  heads[0xc1] = null;
  return heads;
})();

/**
 * Where does the next msgpack value end? Looks at the heads alone and builds nothing, so that depth,
 * values and length are within their bounds before the decoder allocates what the heads announce.
 * Give it the same growing bytes again and again; it goes on where it stopped.
 */
class Scan {
  #maxBytes; #pos = 0; #items = 0;
  #left = [1]; // children still to come, by open container

  constructor(maxBytes) {
    this.#maxBytes = maxBytes;
  }

  /** @returns where the value ends, or where it will end as far as is known; and whether it is whole */
  find(data, n) {
    const left = this.#left;
    while (left.length > 0 && this.#pos < n) {
      const head = HEADS[data[this.#pos]];
      if (head === null) throw new BadAnswer('what came is no msgpack: byte 0xc1');
      let [width, body, kids] = head;
      const at = this.#pos + 1;
      if (at + width > n) break;
      if (width > 0) {
        const length = data.readUIntBE(at, width);
        if (kids > 0) kids *= length;
        else body += length;
      }
      this.#items++;
      this.#pos = at + width + body;
      if (this.#items + kids > FRAME_ITEMS_MAX)
        throw new BadAnswer(`an answer has more than ${FRAME_ITEMS_MAX} values; ask for less`);
      if (this.#pos + kids > this.#maxBytes)
        throw new BadAnswer(`an answer has more than ${this.#maxBytes} bytes; ask for less`);
      left[left.length - 1]--;
      if (kids > 0 && left.push(kids) > NESTING_MAX + 1)
        throw new BadAnswer(`an answer is nested more than ${NESTING_MAX} deep`);
      while (left.length > 0 && left[left.length - 1] === 0) left.pop();
    }
    return { end: this.#pos, isWhole: left.length === 0 && this.#pos <= n };
  }
}

/** Bytes that came and are not read yet. Doubled as they grow, so that a long answer is not copied
 * with each piece of it that comes. */
class Inbox {
  #data = Buffer.alloc(0); #start = 0; #end = 0; #scan; #maxBytes;

  constructor(maxBytes) {
    this.#maxBytes = maxBytes;
    this.#scan = new Scan(maxBytes);
  }

  put(piece) {
    const n = this.#end - this.#start;
    if (n === 0) {
      this.#data = piece;
      this.#start = 0;
      this.#end = piece.length;
      return;
    }
    if (this.#end + piece.length > this.#data.length || this.#start > 0) {
      const larger = Buffer.allocUnsafe(2 * (n + piece.length));
      this.#data.copy(larger, 0, this.#start, this.#end);
      this.#data = larger;
      this.#start = 0;
      this.#end = n;
    }
    piece.copy(this.#data, this.#end);
    this.#end += piece.length;
  }

  /** @returns the bytes of the next frame, or null if none is whole */
  next() {
    if (this.#end === this.#start) return null;
    const rest = this.#data.subarray(this.#start, this.#end);
    const { end, isWhole } = this.#scan.find(rest, rest.length);
    if (!isWhole) return null;
    this.#scan = new Scan(this.#maxBytes);
    this.#start += end;
    return rest.subarray(0, end);
  }
}

/** Applies `change` to every number inside, at any depth. */
function eachNumber(value, change) {
  if (typeof value === 'number' || typeof value === 'bigint') return change(value);
  if (Array.isArray(value)) return value.map((one) => eachNumber(one, change));
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  let map = value;
  for (const key of Object.keys(value)) {
    const changed = eachNumber(value[key], change);
    if (changed === value[key]) continue;
    if (map === value) map = { ...value };
    map[key] = changed;
  }
  return map;
}

const narrow = (n) => (typeof n === 'bigint' && Number.isSafeInteger(Number(n)) ? Number(n) : n);

/** The encoder writes a whole number of more than 32 bits as a float unless it is a BigInt. */
function widen(n) {
  if (typeof n === 'bigint' && (n < -(2n ** 63n) || n >= 2n ** 64n))
    throw new RangeError(`${n} needs more than 64 bits`);
  return Number.isSafeInteger(n) && (n >= 2 ** 32 || n < -(2 ** 31)) ? BigInt(n) : n;
}

function decodeFrame(bytes, keepsBigint) {
  try {
    const frame = decode(bytes, { useBigInt64: true });
    return keepsBigint ? frame : eachNumber(frame, narrow);
  } catch (problem) {
    throw new BadAnswer(`an answer cannot be read: ${problem.message}`);
  }
}

function encodeFrame(frame) {
  try {
    return encode(eachNumber(frame, widen),
                  { useBigInt64: true, ignoreUndefined: true, maxDepth: NESTING_MAX });
  } catch (problem) {
    throw badOption('params', `a parameter cannot be sent: ${problem.message}`);
  }
}

// ---- HTTP ----

const INTERIM_MAX = 8; // answers 1xx before the one that counts
const WORDS_MAX = 400; // bytes of a refusal's sentence that are told
const HEAD_MAX = 16384;
const RETRY_S_MAX = 3600;

/** By status; what is said where the peer has no words of its own. */
const REFUSALS = {
  401: [Unauthenticated, 'a token is needed, or the one shown does not hold'],
  413: [TooLarge, 'the request is larger than it takes'],
  429: [Busy, 'it is asked too often; come again later'],
  503: [Busy, 'it takes no calls now; come again later'],
};

/** What a status other than the good ones means. */
function refusalOf(text, response, words) {
  const { statusCode: status, statusMessage, headers } = response;
  const said = `${status} ${statusMessage}`.trim();
  if (status in REFUSALS) {
    const [type, otherwise] = REFUSALS[status];
    const seconds = /^\d{1,9}$/.test(headers['retry-after']) ? Number(headers['retry-after']) : 1;
    const details = type === Busy ? { retry_ms: Math.min(seconds, RETRY_S_MAX) * 1000 } : undefined;
    return new type(words || `${text} answers with ${said}: ${otherwise}`, { details });
  }
  if (status >= 300 && status < 400) {
    const points = headers.location ? ` and points to ${headers.location.slice(0, 200)}` : '';
    return new BadAnswer(`${text} answers a call with ${said}${points}; no redirection is followed: ` +
      'give the address of the service itself', { field: 'address' });
  }
  return new BadAnswer(`${text} answers a call with ${said}` +
    (words ? `: ${words}` : '; is it a jumelage service?'));
}

/** What stands in the way of taking an answer's body for one frame; '' if nothing does. */
function faultOf({ headers }, maxBytes) {
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined)
    return 'comes in a transfer coding (chunked), which is not taken here; a proxy in between must ' +
      'pass Content-Length on';
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
    return 'is compressed, which nobody asked for';
  if (headers['content-type']?.split(';')[0].trim().toLowerCase() !== 'application/msgpack')
    return 'has not the Content-Type application/msgpack; is /rpc there its own?';
  if (length === undefined) return 'has no Content-Length';
  return Number(length) > maxBytes ? `has more than ${maxBytes} bytes; ask for less` : '';
}

/** What a connection that speaks something else tells by its first byte. */
function foreign(text, [first] = []) {
  const isTls = text.startsWith('https');
  let hint = '';
  if (first === 0x15 && !isTls) hint = '; it speaks TLS: begin the address with https://';
  else if (first >= 0x91 && first <= 0x94)
    hint = `; if it is the service's port of ${isTls ? 'tls:' : 'tcp:'}, begin the address with that`;
  return new BadAnswer(`what listens at ${text} does not speak HTTP${hint}`, { field: 'address' });
}

/**
 * One POST and its answer: the frame in its body, null for 204. `abort` rejects with an error, and ends
 * the connection, as every failure does.
 */
class Turn {
  #text; #name; #maxBytes; #request; #socket; #isConnecting = false; #isShaking = false; #isOver = false; #resolve; #reject;

  constructor({ text, name, maxBytes }) {
    this.#text = text;
    this.#name = name;
    this.#maxBytes = maxBytes;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isConnecting() {
    return this.#isConnecting || this.#isShaking;
  }

  start(isTls, options, body, isNote) {
    const request = this.#request = (isTls ? https : http).request(options);
    let nInterim = 0;
    request.on('socket', (socket) => {
      this.#socket = socket;
      if (request.reusedSocket) return;
      this.#isConnecting = true;
      socket.once('connect', () => {
        this.#isConnecting = false;
        this.#isShaking = isTls;
      });
      socket.once('secureConnect', () => { this.#isShaking = false; });
      socket.setNoDelay(true);
    });
    request.on('information', () => {
      if (++nInterim > INTERIM_MAX) this.#bad(`does not come behind ${INTERIM_MAX} of status 1xx`);
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      this.#bad('changes the protocol (101), which nobody asked for');
    });
    request.on('response', (response) => this.#take(response, isNote ? 204 : 200));
    request.on('error', (problem) => this.abort(this.#fault(problem)));
    request.end(body);
  }

  abort(error) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#request?.destroy();
    this.#socket?.destroy(); // behind a whole answer the request has let go of it
    this.#reject(error);
  }

  #bad(why) {
    this.abort(new BadAnswer(`${this.#text} does not answer as a jumelage service: its answer ${why}`));
  }

  #fault(problem) {
    const { code = '', message, rawPacket } = problem;
    if (this.#isShaking)
      return code === 'ECONNRESET' ? new Unreachable(`the TLS handshake was broken off by ${this.#text}`)
                                   : handshakeFault(this.#text, this.#name, problem);
    if (this.#isConnecting) return new Unreachable(`${this.#text}: ${message}`);
    if (!code.startsWith('HPE_')) return new Lost(`the connection ended: ${message}`);
    if (rawPacket && !'HTTP/'.startsWith(rawPacket.subarray(0, 5).toString('latin1')))
      return foreign(this.#text, rawPacket);
    return new BadAnswer(`${this.#text} does not answer as a jumelage service: its answer has no ` +
      `head of HTTP/1.1: ${message}`);
  }

  #take(response, good) {
    const { statusCode: status, headers } = response;
    const length = Number(headers['content-length'] ?? -1);
    const hasWords = headers['content-type']?.split(';')[0].trim().toLowerCase() === 'text/plain' &&
      length >= 0 && length <= WORDS_MAX;
    const fault = status === good && good === 200 ? faultOf(response, this.#maxBytes) : '';
    response.on('error', (problem) => this.abort(this.#fault(problem)));
    if (fault) this.#bad(fault);
    else if (status !== good && !hasWords) this.abort(refusalOf(this.#text, response, ''));
    else this.#gather(response, good, length);
  }

  #gather(response, good, length) {
    const inbox = new Inbox(this.#maxBytes);
    const pieces = [];
    let frame = null;
    response.on('data', (piece) => {
      if (response.statusCode !== good) {
        pieces.push(piece);
        return;
      }
      try {
        inbox.put(piece);
        frame ??= inbox.next();
      } catch (error) {
        this.abort(error);
      }
    });
    response.on('end', () => {
      const words = Buffer.concat(pieces).toString('ascii').trim();
      if (!response.complete) this.abort(new Lost('the connection ended in an answer'));
      else if (response.statusCode !== good) this.abort(refusalOf(this.#text, response, words));
      else if (good === 200 && frame?.length !== length)
        this.#bad(`has ${frame ? 'more' : 'less'} in its body than one frame`);
      else this.#finish(frame);
    });
  }

  #finish(frame) {
    this.#isOver = true;
    this.#resolve(frame);
  }
}

// ---- the client ----

/**
 * A connection to a service, made when it is first needed and again when it was lost.
 *
 * Events: 'notification' (method, params) for what the service sends unasked; 'lost' (error) when a
 * connection has ended, whoever ended it.
 */
export class Client extends EventEmitter {
  #text; #address; #caFile; #serverName; #authorities; #tokenFile; #greeting; #timeoutMs; #bigint; #maxFrameBytes;
  #queue = new Set(); // calls that wait for a connection, or for room on it
  #connection = null; // see #begin
  #hello = null;
  #msgid = 0;
  #agent = null; // over HTTP: the connection that is kept
  #headers = null; // likewise, of every request; null: nobody has greeted
  #turn = null; // likewise: what is under way, see #play

  /**
   * @param {string} address unix:PATH, tcp:HOST:PORT, tls:HOST:PORT, http://HOST:PORT or https://HOST:PORT
   * @param {object} [options] token, tokenFile (mode 0600), language ('en', 'fr'), timeoutMs (30000),
   *   client (name for the service's log), bigint (false), maxFrameBytes (64 MiB); with TLS: caFile (PEM,
   *   the authorities to trust, read once), serverName (what the certificate must bear)
   */
  constructor(address, { token, tokenFile, language, timeoutMs = 30000,
                         client = `jumelage.mjs ${version}`, bigint = false,
                         maxFrameBytes = 64 * 1024 * 1024, caFile, serverName } = {}) {
    super();
    if (token !== undefined && tokenFile !== undefined)
      throw badOption('tokenFile', 'give token or tokenFile, not both');
    if (!(maxFrameBytes >= 1024))
      throw badOption('maxFrameBytes', `maxFrameBytes is ${maxFrameBytes}; it is at least 1024`);
    this.#address = parseAddress(address);
    const forTls = caFile !== undefined ? 'caFile' : serverName !== undefined ? 'serverName' : '';
    if (forTls && !this.#address.isTls)
      throw badOption(forTls, `${forTls} is for TLS, which the address "${address}" does not ask for; ` +
        'give tls:HOST:PORT or https://HOST:PORT, or leave it out');
    this.#text = String(address);
    this.#caFile = caFile;
    this.#serverName = serverName ?? this.#address.host?.replace(/%.*/, '');
    this.#tokenFile = tokenFile;
    this.#greeting = given({ client, token, language });
    this.#timeoutMs = checkTimeout(timeoutMs);
    this.#bigint = bigint;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** What system.hello answered last: role, limits …; null before the first. */
  get hello() {
    return this.#hello;
  }

  /** Connects and greets, if that is not done. @returns what system.hello answered */
  async connect() {
    await this.#post(new Uint8Array());
    return this.#hello;
  }

  /** Ends the connection; calls that wait reject with Closed. A later call makes another. */
  async close() {
    const closed = new Closed('the client was closed');
    for (const call of this.#queue) call.reject(closed);
    if (this.#connection) this.#end(this.#connection, closed);
    if (this.#turn) this.#turn.closed = closed;
    this.#turn?.abort(closed);
    this.#agent?.destroy();
    this.#agent = this.#headers = null;
  }

  /**
   * Calls a method. Calls that don't wait for one another leave in the order made, no more at a time
   * than the service and the socket take.
   * @param {string} method
   * @param {object} [params]
   * @param {{signal?: AbortSignal, timeoutMs?: number}} [options]
   * @returns its result
   */
  call(method, params = {}, { signal, timeoutMs } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      checkRequest(method, params);
      const ms = checkTimeout(timeoutMs ?? timeoutOf(params, this.#timeoutMs));
      const msgid = this.#msgid = (this.#msgid + 1) >>> 0;
      const call = { method, msgid, bytes: encodeFrame([0, msgid, method, asParams(params)]) };
      const abort = () => this.#giveUp(call, signal.reason);
      const timer = setTimeout(
        () => this.#giveUp(call, new TimedOut(`no answer to ${method} within ${ms} ms`)), ms);
      const done = (settle) => (value) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#queue.delete(call);
        settle(value);
      };
      call.resolve = done(resolve);
      call.reject = done(reject);
      signal?.addEventListener('abort', abort);
      this.#queue.add(call);
      this.#pump();
    });
  }

  /** Asks without wanting an answer; whether it was carried out is not told. */
  async notify(method, params = {}) {
    checkRequest(method, params);
    await this.#post(encodeFrame([2, method, asParams(params)]));
  }

  /** The entries of a list, page by page. `limit` is the size of a page. */
  async *iterate(method, params = {}) {
    for (let after; ;) {
      const page = await this.call(method, given({ ...params, after: after ?? params.after }));
      const lists = Object.values(page ?? {}).filter(Array.isArray);
      if (lists.length !== 1)
        throw badOption('method', `${method} gives no list that comes in pages`);
      yield* lists[0];
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  /**
   * Standing matches: what match.watch answers, then each `match.changed` as it comes, for ever. Where
   * one has `missed`, or the connection was lost and is made again (then { lost: true, complete: false }
   * comes, and the answer of another match.watch), lists that were kept by what was told are to be asked
   * for anew. Ends with one that has `ended`; leaving the loop ends the watch.
   * @param {string} programme
   * @param {object} [more] pairing, side, id, k, min_score, snapshot
   * @param {{signal?: AbortSignal}} [options]
   */
  async *watch(programme, more = {}, { signal } = {}) {
    for (;;) {
      const told = [];
      let number, wake = () => {}, isLost = false, closed = null;
      const hear = (method, params) => {
        if (method !== 'match.changed') return;
        told.push(params[0]); // before the answer its number is not known
        wake();
      };
      const lose = (error) => { isLost = true; closed = error instanceof Closed ? error : null; wake(); };
      const abort = () => wake();
      this.on('notification', hear);
      signal?.addEventListener('abort', abort);
      try {
        const answer = await this.call('match.watch', { programme, ...more }, { signal });
        number = answer.watch;
        this.once('lost', lose);
        yield answer;
        while (!isLost) {
          while (told.length > 0) {
            const news = told.shift();
            if (news?.watch !== number) continue;
            yield news;
            if (news.ended) { number = undefined; return; }
          }
          signal?.throwIfAborted();
          if (!isLost) await new Promise((resolve) => { wake = resolve; });
        }
        if (closed) throw closed;
        yield { lost: true, complete: false };
      } finally {
        this.off('notification', hear);
        this.off('lost', lose);
        signal?.removeEventListener('abort', abort);
        if (number !== undefined && !isLost)
          await this.call('match.unwatch', { watch: number }).catch(() => {});
      }
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
  /** @param options.erase (admin) takes out all that was ever stored of it, for good; the answer's `erased` says what */
  deleteProfile(id, ifVersion, { erase = false } = {}) {
    return this.call('profile.delete', given({ id, if_version: ifVersion, erase: erase || undefined }));
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

  // ---- the connection ----

  /** Hands bytes that nobody answers to a connection that stands. */
  #post(bytes) {
    return new Promise((resolve, reject) => {
      const note = { bytes, msgid: null, resolve };
      note.reject = (error) => { this.#queue.delete(note); reject(error); };
      this.#queue.add(note);
      this.#pump();
    });
  }

  /** Sends what waits, as far as there is room; connects if there is nobody to send it to. */
  #pump() {
    const connection = this.#connection;
    if (this.#queue.size === 0) return;
    if (this.#address.isHttp) {
      if (!this.#turn) this.#play();
      return;
    }
    if (!connection) {
      this.#begin();
      return;
    }
    if (!connection.isGreeted) return;
    for (const call of this.#queue) {
      if (connection.pending.size >= connection.inFlight || connection.socket.writableNeedDrain)
        return;
      this.#queue.delete(call);
      connection.socket.write(call.bytes);
      if (call.msgid === null) call.resolve();
      else connection.pending.set(call.msgid, call);
    }
  }

  // ---- over HTTP ----

  /** The next call of the queue, after a greeting if there was none since the last failure. */
  async #play() {
    const turn = this.#turn = { call: null, closed: null, abort: () => {} };
    try {
      // a kept connection that has ended is found out before a call is trusted to it: the end is read in
      // one turn of the loop, and in the next the agent forgets that connection
      await nextTurn();
      await nextTurn();
      if (turn.closed) throw turn.closed;
      if (!this.#headers) await this.#greetHttp(turn);
    } catch (error) {
      this.#turn = null;
      if (turn.closed) this.#pump(); // what waits has come since
      else for (const one of [...this.#queue]) one.reject(error);
      return;
    }
    const [call] = this.#queue; // none: all have been given up meanwhile
    if (call) {
      this.#queue.delete(call);
      turn.call = call;
      try {
        call.resolve(await this.#ask(turn, call));
      } catch (error) {
        this.#failed(call, error);
      }
    }
    this.#turn = null;
    this.#pump();
  }

  /** An error answer leaves all as it is; after any other failure the next call greets again. */
  #failed(call, error) {
    if (!error.isAnswer) this.#headers = null;
    if (error instanceof Lost && READS.has(call.method) && !call.isRepeated) {
      call.isRepeated = true;
      this.#queue.add(call);
    } else {
      call.reject(error);
    }
  }

  async #ask(turn, { bytes, msgid }) {
    const most = Number(this.#hello?.limits?.frame_bytes);
    if (bytes.length > most) // it would break off, and what it says then would not be read
      throw new TooLarge(`the request has ${bytes.length} bytes; the service takes ${most}`);
    if (bytes.length === 0) return undefined; // of `connect`
    const frame = await this.#send(turn, bytes, msgid === null);
    return msgid === null ? undefined : this.#resultOf(frame, msgid);
  }

  #resultOf(bytes, wanted) {
    const frame = decodeFrame(bytes, this.#bigint);
    if (!Array.isArray(frame) || frame.length !== 4 || frame[0] !== 1)
      throw new BadAnswer('what came is no answer');
    const [, msgid, error, result] = frame;
    if (msgid !== wanted)
      throw new BadAnswer(`an answer to ${msgid}, which was not asked or is answered`);
    if (error === null) return result;
    throw Object.defineProperty(errorOf(error), 'isAnswer', { value: true });
  }

  /** What a stream is told in the greeting is told with each request. */
  async #greetHttp(turn) {
    const { client, token: fixed, language } = this.#greeting;
    const token = this.#tokenFile === undefined ? fixed : await readTokenFile(this.#tokenFile);
    if (this.#address.isTls) this.#authorities ??= { ca: await readAuthorities(this.#caFile) };
    if (token !== undefined && !/^[!-~]{1,200}$/.test(token))
      throw badOption('token', 'give the token alone, as token.create showed it');
    if (language !== undefined && language !== 'en' && language !== 'fr')
      throw badOption('language', `the language is "${language}"; give en or fr`);
    this.#headers = given({
      Host: this.#address.authority, Authorization: token && `Bearer ${token}`,
      'Accept-Language': language, 'Content-Type': 'application/msgpack',
      'User-Agent': `jumelage.mjs/${version}`,
    });
    try {
      this.#hello = await this.#hear(turn, given({ client }));
    } catch (error) {
      this.#headers = null;
      throw error instanceof Lost ? new Unreachable(`${this.#text}: ${error.message}`) : error;
    }
  }

  async #hear(turn, greeting) {
    const msgid = this.#msgid = (this.#msgid + 1) >>> 0;
    const timer = setTimeout(() => turn.abort(turn.isConnecting()
      ? new Unreachable(`nobody answered within ${this.#timeoutMs} ms`)
      : new TimedOut(`no answer to the greeting within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    try {
      const bytes = encodeFrame([0, msgid, 'system.hello', asParams(greeting)]);
      const hello = this.#resultOf(await this.#send(turn, bytes, false), msgid);
      if (hello?.protocol !== PROTOCOL && hello?.protocol !== BigInt(PROTOCOL))
        throw new BadAnswer(`what answers does not greet as a service of protocol ${PROTOCOL}`);
      return hello;
    } finally {
      clearTimeout(timer);
    }
  }

  #send(turn, bytes, isNote) {
    const { host, port, isTls } = this.#address;
    if (turn.closed) return Promise.reject(turn.closed);
    const one = new Turn({ text: this.#text, name: this.#serverName, maxBytes: this.#maxFrameBytes });
    turn.abort = (error) => one.abort(error);
    turn.isConnecting = () => one.isConnecting;
    this.#agent ??= new (isTls ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
    one.start(isTls, {
      host, port, method: 'POST', path: '/rpc', agent: this.#agent, maxHeaderSize: HEAD_MAX,
      headers: { ...this.#headers, 'Content-Length': bytes.length }, setHost: false,
      ...(isTls ? this.#tlsOptions() : {}),
    }, bytes, isNote);
    return one.answer;
  }

  // ---- over a stream ----

  async #begin() {
    const connection = this.#connection = {
      socket: null,
      inbox: new Inbox(this.#maxFrameBytes),
      pending: new Map(), // by msgid: the call that waits, or null where it has been given up
      inFlight: IN_FLIGHT,
      isGreeted: false,
      isEnded: false,
      timer: setTimeout(() => this.#end(connection, connection.pending.size > 0
        ? new TimedOut(`no answer to the greeting within ${this.#timeoutMs} ms`)
        : new Unreachable(`nobody answered within ${this.#timeoutMs} ms`)), this.#timeoutMs),
    };
    try {
      const token = this.#tokenFile === undefined ? undefined : await readTokenFile(this.#tokenFile);
      if (this.#address.isTls) this.#authorities ??= { ca: await readAuthorities(this.#caFile) };
      if (!connection.isEnded) this.#plug(connection, { ...this.#greeting, ...given({ token }) });
    } catch (error) {
      this.#end(connection, error);
    }
  }

  #plug(connection, greeting) {
    const socket = connection.socket = this.#address.isTls ? this.#connectTls()
                                                            : net.createConnection(this.#address);
    let isShaking = false;
    const lost = (message) => this.#end(connection,
      connection.isGreeted ? new Lost(message) : new Unreachable(message));
    socket.setNoDelay(true);
    // A service that is full says so and closes at once. Were the greeting written into that, its
    // failure would hide the sentence: so one turn of the loop for reading comes first.
    socket.on(this.#address.isTls ? 'secureConnect' : 'connect', () => {
      isShaking = false;
      setImmediate(() => setImmediate(() => {
        if (!connection.isEnded) this.#greet(connection, greeting);
      }));
    });
    socket.on('data', (piece) => this.#read(connection, piece));
    socket.on('drain', () => this.#pump());
    if (this.#address.isTls) socket.on('connect', () => { isShaking = true; });
    socket.on('error', (problem) => {
      if (isShaking)
        this.#end(connection, handshakeFault(this.#text, this.#serverName, problem));
      else
        lost(problem.message);
    });
    socket.on('close', () => isShaking
      ? lost(`the TLS handshake was broken off by ${this.#text}`)
      : lost('the service ended the connection before it answered'));
  }

  #connectTls() {
    return tls.connect({ host: this.#address.host, port: this.#address.port, ...this.#tlsOptions() });
  }

  #tlsOptions() {
    const name = this.#serverName;
    return {
      ...this.#authorities,
      servername: net.isIP(name) ? '' : name,
      checkServerIdentity: (_, certificate) => checkName(name, certificate),
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true, // whatever the environment says
    };
  }

  #greet(connection, greeting) {
    const refused = (error) => this.#end(connection, error);
    const greeted = (hello) => {
      if (hello?.protocol !== PROTOCOL && hello?.protocol !== BigInt(PROTOCOL)) {
        refused(new BadAnswer(`what answers does not greet as a service of protocol ${PROTOCOL}`));
        return;
      }
      clearTimeout(connection.timer);
      connection.isGreeted = true;
      const inFlight = Number(hello.limits?.in_flight);
      if (inFlight > 0) connection.inFlight = inFlight;
      this.#hello = hello;
    };
    const msgid = this.#msgid = (this.#msgid + 1) >>> 0;
    connection.pending.set(msgid, { resolve: greeted, reject: refused });
    connection.socket.write(encodeFrame([0, msgid, 'system.hello', asParams(greeting)]));
  }

  #read(connection, piece) {
    try {
      connection.inbox.put(piece);
      for (let bytes; !connection.isEnded && (bytes = connection.inbox.next());)
        this.#take(connection, decodeFrame(bytes, this.#bigint));
      this.#pump();
    } catch (error) {
      this.#end(connection, error);
    }
  }

  #take(connection, frame) {
    const [type, ...parts] = Array.isArray(frame) ? frame : [];
    if (type === 2 && parts.length === 2) {
      this.#notified(connection, parts[0], parts[1]);
      return;
    }
    if (type !== 1 || parts.length !== 3)
      throw new BadAnswer('what came is neither an answer nor a notification');
    const [msgid, error, result] = parts;
    if (!connection.pending.has(msgid))
      throw new BadAnswer(`an answer to ${msgid}, which was not asked or is answered`);
    const call = connection.pending.get(msgid);
    connection.pending.delete(msgid);
    if (error === null) call?.resolve(result);
    else call?.reject(errorOf(error));
  }

  #notified(connection, method, params) {
    if (typeof method !== 'string' || !Array.isArray(params))
      throw new BadAnswer('a notification is without method and parameters');
    if (method === 'system.error') { // the service's last word on this connection
      const error = errorOf(params[0]);
      throw connection.isGreeted ? new Lost(error.message, { details: { error } }) : error;
    }
    try {
      this.emit('notification', method, params);
    } catch (error) { // the listener's own; the connection and its calls are none the worse
      queueMicrotask(() => { throw error; });
    }
  }

  /** The connection is of no use any more: everybody who waits is told, or asked again. */
  #end(connection, error) {
    if (connection.isEnded) return;
    connection.isEnded = true;
    clearTimeout(connection.timer);
    if (this.#connection === connection) this.#connection = null;
    if (connection.isGreeted) queueMicrotask(() => this.emit('lost', error));
    if (error instanceof Closed) connection.socket?.destroySoon();
    else connection.socket?.destroy();
    const waiting = connection.isGreeted ? connection.pending.values() : [...this.#queue];
    for (const call of waiting) {
      if (error instanceof Lost && READS.has(call?.method) && !call.isRepeated) {
        call.isRepeated = true;
        this.#queue.add(call);
      } else {
        call?.reject(error);
      }
    }
    this.#pump();
  }

  /** Nobody waits for this answer any more. Where nobody waits for any other, the connection goes
   * too: its peer may be dead. */
  #giveUp(call, reason) {
    const connection = this.#connection;
    call.reject(reason);
    if (this.#turn?.call === call) {
      call.isRepeated = true; // not again
      this.#turn.abort(new Lost('a call was given up'));
    }
    if (!connection?.pending.has(call.msgid)) return;
    connection.pending.set(call.msgid, null);
    for (const other of connection.pending.values()) if (other) return;
    this.#end(connection, new Lost('a call was given up'));
  }
}

const asParams = (params) => (Object.keys(params).length > 0 ? [params] : []);

function checkRequest(method, params) {
  if (typeof method !== 'string' || method === '')
    throw badOption('method', `${String(method)} is no name of a method`);
  if (params === null || typeof params !== 'object' || Array.isArray(params))
    throw badOption('params', 'parameters are one object, by name');
}

function checkTimeout(ms) {
  if (!(ms > 0 && ms < 2 ** 31))
    throw badOption('timeoutMs', `timeoutMs is ${ms}; it is more than 0 and less than 2^31`);
  return ms;
}
