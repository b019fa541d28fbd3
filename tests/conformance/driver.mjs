// Drives the Node client: one command a line, one answer a line (conformance.py tells the language).
import { createInterface } from 'node:readline';
import { Client, JumelageError } from 'jumelage';

/** JSON with its marks as what the client takes. */
function packed(value) {
  if (Array.isArray(value)) return value.map(packed);
  if (value === null || typeof value !== 'object') return value;
  if ('$bin' in value) return Buffer.from(value.$bin, 'hex');
  if ('$int' in value) return BigInt(value.$int);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, packed(inner)]));
}

function marked(value) {
  if (typeof value === 'bigint') return { $int: String(value) };
  if (value instanceof Uint8Array) return { $bin: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(marked);
  if (value === null || typeof value !== 'object' || value instanceof Error) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, marked(inner)]));
}

function failure(error) {
  if (!(error instanceof JumelageError)) throw error;
  const { code, errorName, message, field, details } = error;
  return { error: { code, name: errorName, message, field, details: marked(details) } };
}

const ask = ({ method, params = {} }) => client.call(method, packed(params));
const told = (promise) => promise.then((result) => ({ ok: marked(result) }), failure);

let client, news;
const verbs = {
  async open({ timeout_ms: timeoutMs = 20000, token_file: tokenFile,
               max_frame_bytes: maxFrameBytes, ca_file: caFile, server_name: serverName,
               address, ...options }) {
    await client?.close();
    client = new Client(address, { ...options, timeoutMs, tokenFile, maxFrameBytes, caFile,
                                   serverName });
    return { role: (await client.connect()).role };
  },
  call: ask,
  pipeline: (calls) => Promise.all(calls.map((one) => told(ask(one)))),
  async erase({ id, if_version: ifVersion, erase }) {
    return { seq: (await client.deleteProfile(id, ifVersion, { erase })).seq };
  },
  async watch({ programme, ...more }) {
    news = client.watch(programme, more);
    return (await news.next()).value;
  },
  heard: async () => (await news.next()).value ?? null,
  async unwatch() {
    await news.return();
    return true;
  },
  async close() {
    await client?.close();
    return true;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [[verb, argument]] = Object.entries(JSON.parse(line));
  const answer = await told((async () => verbs[verb](argument))());
  console.log(JSON.stringify(answer));
}
await client?.close();
