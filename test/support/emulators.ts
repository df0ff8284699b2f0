/**
 * Emulators in a process of their own, so that the judge goes on while a test freezes its own process.
 * `POST` with `{ records }` starts one and answers `{ url }`; `DELETE` with its URL as the body ends it.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/serve';

const running = new Map<string, Emulator>();

async function answer(req: IncomingMessage): Promise<object> {
  const body = await text(req);
  if (req.method === 'DELETE') {
    await running.get(body)?.close();
    running.delete(body);
    return {};
  }
  const { records } = JSON.parse(body) as Pick<EmulatorOptions, 'records'>;
  const emulator = await startEmulator({ port: 0, records });
  running.set(emulator.url, emulator);
  return { url: emulator.url };
}

const server = createServer((req, res) => {
  answer(req).then(
    (said) => res.end(JSON.stringify(said)),
    (error: unknown) => res.writeHead(500).end(String(error)),
  );
});
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
process.once('disconnect', () => process.exit());
