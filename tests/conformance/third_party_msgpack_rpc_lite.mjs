// npm's msgpack-rpc-lite. It knows TCP alone, gives parameters as it gets them, one array, and resolves with
// an array of what its callback would get: [result, msgid].
import assert from 'node:assert/strict';
import rpc from 'msgpack-rpc-lite';

const port = Number(process.argv[3]);
const client = rpc.createClient(port, '127.0.0.1');
const ask = async (method, ...params) => (await client.request(method, ...params))[0];
const pair = { programme: 'bilocation', pairing: 'hosting', id: 'demo-startup-001' };

assert.equal(await ask('system.ping'), 'pong');
assert.equal((await ask('system.hello', { token: process.env.TOKEN })).role, 'officer');
assert.equal((await ask('profile.get', { id: 'yc' })).name, 'Y Combinator');
assert.equal((await ask('match.top', { ...pair, k: 5 })).matches.length, 5);
await assert.rejects(ask('profile.get', { id: 'nobody' }), (error) => error.name === 'not_found');
await assert.rejects(ask('profile.gte', {}), (error) => error.details.close === 'profile.get');

const ids = Array.from({ length: 500 }, (_, i) => `demo-startup-${String((i % 40) + 1).padStart(3, '0')}`);
const told = await Promise.all(ids.map((id) => ask('profile.get', { id })));
assert.deepEqual(told.map((profile) => profile.id), ids);

await client.notify('system.ping', {});
assert.equal(await ask('system.ping'), 'pong');
client.close();
console.log('msgpack-rpc-lite: all is well');
