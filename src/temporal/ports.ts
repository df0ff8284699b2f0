import { connect, createServer } from 'node:net';
import { ConfigError } from '../config';

/** Listens for a moment: the error's code when that does not work. 0 asks for a free one. */
function tryPort(port: number): Promise<{ port: number } | { code: string }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve({ port: typeof address === 'object' && address !== null ? address.port : port }));
    });
  });
}

/** The port, or a free one for 0.
 *  @throws {ConfigError} naming the setting, when nobody can listen on it */
export async function claimPort(wanted: number, who: string, setting: string): Promise<number> {
  const found = await tryPort(wanted);
  if ('port' in found) return found.port;
  const problem = found.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${found.code})`;
  throw new ConfigError(
    `Port ${wanted} of 127.0.0.1, for ${who}, ${problem}: set ${setting} to another one, or to 0 for any free one`,
  );
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
