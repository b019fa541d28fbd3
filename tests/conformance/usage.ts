// Compiled, never run: what jumelage.d.ts must allow, and what it must refuse.
import {
  Client, Conflict, JumelageError, TimedOut, type CallOptions, type Hello, type Matches,
} from 'jumelage';

const service = new Client('unix:/run/s', { tokenFile: '/etc/token', language: 'fr', timeoutMs: 5000 });
new Client('tls:example.org:7421', { caFile: '/etc/ca.pem', serverName: 'jumelage.example.org' });
// @ts-expect-error the check of a certificate is not switched off
new Client('tls:example.org:7421', { rejectUnauthorized: false });
// @ts-expect-error there is no such language
new Client('unix:/run/s', { language: 'de' });
// @ts-expect-error an address is a text
new Client(7450);

service.on('notification', (method: string, params: unknown[]) => console.log(method, params.length));

async function use(signal: AbortSignal): Promise<number> {
  const hello: Hello = await service.connect();
  const options: CallOptions = { signal, timeoutMs: 1000 };
  const top: Matches = await service.top('bilocation', 'demo-startup-001', { k: hello.limits.matches });
  for await (const profile of service.iterate('profile.list', { limit: 100 })) console.log(profile.id);
  await service.notify('system.ping');
  try {
    const stored = await service.patchProfile('yc', { team: 10n }, 3);
    // @ts-expect-error a version is a number
    const version: string = stored.version;
    const gone = await service.deleteProfile('yc', undefined, { erase: true });
    console.log(gone.seq, gone.erased?.versions);
    // @ts-expect-error there is no such option
    await service.deleteProfile('yc', 3, { purge: true });
    return top.matches[0].score + (await service.call('system.ping', {}, options)).length + Number(version);
  } catch (error) {
    if (error instanceof TimedOut || error instanceof Conflict) return error.code;
    if (error instanceof JumelageError) console.log(error.errorName, error.field, error.details.close);
    throw error;
  } finally {
    await service.close();
  }
}

export { use };
