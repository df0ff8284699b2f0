import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A port that a process listens on. */
export interface Listening {
  pid: number;
  /** Its command line. */
  command: string;
  address: string;
  port: number;
}

const numbered = (folder: string) => readdirSync(folder).filter((name) => /^\d+$/.test(name));
function read<T>(what: () => T, otherwise: T): T {
  try {
    return what();
  } catch {
    return otherwise; // It has ended meanwhile, or is somebody else's.
  }
}

interface Process {
  pid: number;
  parent: number;
  session: number;
  environment: string;
}

function processes(): Process[] {
  return numbered('/proc').flatMap((pid) => {
    const stat = read(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
    const [, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const environment = read(() => readFileSync(`/proc/${pid}/environ`, 'utf8'), '');
    return stat ? { pid: Number(pid), parent: Number(parent), session: Number(session), environment } : [];
  });
}

/** All processes that came of these: their children, those in a session that one of them leads, and those with the mark. */
function family(roots: number[], mark: string): Set<number> {
  const all = processes();
  const found = new Set([...roots, ...all.flatMap(({ pid, environment }) => (environment.includes(mark) ? pid : []))]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    const sessions = new Set(all.flatMap(({ pid, session }) => (found.has(pid) && pid === session ? session : [])));
    for (const { pid, parent, session } of all) if (found.has(parent) || sessions.has(session)) found.add(pid);
  }
  return found;
}

/** Reads `0100007F` and the like, in which the bytes of each word are reversed. */
function addressIn(hex: string): string {
  const bytes = hex.match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.reverse());
  if (bytes.length === 4) return bytes.map((byte) => parseInt(byte, 16)).join('.');
  return `[${bytes.join('').match(/.{4}/g)!.join(':')}]`;
}

/** Every TCP port that any of them listens on, according to the kernel. */
export function portsOf(roots: number[], mark: string): Listening[] {
  const owners = new Map<string, number>();
  for (const pid of family(roots, mark))
    for (const fd of read(() => numbered(`/proc/${pid}/fd`), []))
      owners.set(
        read(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ''),
        pid,
      );
  const LISTEN = '0A';
  return ['tcp', 'tcp6'].flatMap((table) =>
    read(() => readFileSync(`/proc/net/${table}`, 'utf8'), '')
      .split('\n')
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
        const pid = owners.get(`socket:[${inode}]`);
        if (state !== LISTEN || pid === undefined) return [];
        const [address = '', port = ''] = local.split(':');
        const command = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '').replaceAll('\0', ' ');
        return { pid, command, address: addressIn(address), port: parseInt(port, 16) };
      }),
  );
}
