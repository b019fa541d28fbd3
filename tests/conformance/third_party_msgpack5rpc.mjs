// npm's msgpack5rpc. A session on any pair of streams; parameters are the array that it is given.
import assert from 'node:assert/strict';
import net from 'node:net';
import Session from 'msgpack5rpc';

const pair = { programme: 'bilocation', pairing: 'hosting', id: 'demo-startup-001' };

async function use(socket) {
  const session = new Session();
  session.attach(socket, socket);
  const ask = (method, ...params) => new Promise((resolve, reject) => {
    session.request(method, params, (error, result) => (error ? reject(error) : resolve(result)));
  });

  assert.equal(await ask('system.ping'), 'pong');
  assert.equal((await ask('system.hello', { token: process.env.TOKEN })).role, 'officer');
  assert.equal((await ask('profile.get', { id: 'yc' })).name, 'Y Combinator');
  assert.equal((await ask('match.top', { ...pair, k: 5 })).matches.length, 5);
  await assert.rejects(ask('profile.get', { id: 'nobody' }), (error) => error.name === 'not_found');

  const ids = Array.from({ length: 500 }, (_, i) => `demo-startup-${String((i % 40) + 1).padStart(3, '0')}`);
  const told = await Promise.all(ids.map((id) => ask('profile.get', { id })));
  assert.deepEqual(told.map((profile) => profile.id), ids);

  session.notify('system.ping', []);
  assert.equal(await ask('system.ping'), 'pong');
  socket.end();
}

const [path, port] = process.argv.slice(2);
await use(net.connect(path));
await use(net.connect(Number(port), '127.0.0.1'));
console.log('msgpack5rpc: all is well');
