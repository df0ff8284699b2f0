import { connect, createServer, type AddressInfo } from 'node:net';
import { ConfigError } from '../config-error';

const LOOPBACK = '127.0.0.1';

/** @returns the port, or a free one for 0, which the system does not hand out again for a while
 *  @param host the value of `HOST`, for the port that it applies to
 *  @throws {ConfigError} naming the setting, when nobody can listen on it */
export async function claimPort(wanted: number, who: string, setting: string, host = LOOPBACK): Promise<number> {
  const found = await tryPort(wanted, host);
  if ('port' in found) return found.port;
  if (host !== LOOPBACK && !['EADDRINUSE', 'EACCES'].includes(found.code))
    throw new ConfigError(
      `HOST, for ${who}, is no address of this machine (${found.code}): set it to one, such as 127.0.0.1, or 0.0.0.0 for all`,
    );
  const problem = found.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${found.code})`;
  throw new ConfigError(
    `Port ${wanted} of ${host}, for ${who}, ${problem}: set ${setting} to another one, or to 0 for any free one`,
  );
}

function tryPort(wanted: number, host: string): Promise<{ port: number } | { code: string }> {
  return new Promise((resolve) => {
    // The server closes the connection below first. That keeps the port from being handed out again, but not from being used.
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    server.listen(wanted, host, () => {
      const { address, port } = server.address() as AddressInfo;
      const close = () => server.close(() => resolve({ port }));
      if (wanted === 0) connect({ host: address, port }).resume().once('error', close).once('end', close);
      else close();
    });
  });
}

/** Whether a process accepts connections on this port of 127.0.0.1. */
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
