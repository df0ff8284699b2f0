import { connect, createServer } from 'node:net';
import { ConfigError } from '../config';

/** The port, or a free one for 0, which the system then gives to nobody else for a while.
 *  @throws {ConfigError} naming the setting, when nobody can listen on it */
export async function claimPort(wanted: number, who: string, setting: string): Promise<number> {
  const found = await tryPort(wanted);
  if ('port' in found) return found.port;
  const problem = found.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${found.code})`;
  throw new ConfigError(
    `Port ${wanted} of 127.0.0.1, for ${who}, ${problem}: set ${setting} to another one, or to 0 for any free one`,
  );
}

function tryPort(wanted: number): Promise<{ port: number } | { code: string }> {
  return new Promise((resolve) => {
    // Closed from this side, the connection below keeps the port from being handed out again; listening on it works.
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : wanted;
      const close = () => server.close(() => resolve({ port }));
      if (wanted === 0) connect({ host: '127.0.0.1', port }).resume().once('error', close).once('end', close);
      else close();
    });
  });
}

/** Whether anybody takes connections on this port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
