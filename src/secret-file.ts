import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';

const OTHERS_WRITE = 0o022;
const EVERYBODY_WRITES = 0o002;
const STICKY = 0o1000;

/**
 * Reads a file with a key. Whoever can write to it decides which account is used or who is let in, so a file that others may
 * write to is refused. Others may read it, because containers are given their secrets that way.
 * @param owner `trusted`: the owner must be this user or root. In a container, a file of the host's user is somebody else's.
 * @param isOurs the file is one that we have made, and never a link: a link there is somebody else's work
 * @returns `problem` is the rest of a sentence that begins with the setting
 */
export function readSecretFile(
  file: string,
  owner?: 'trusted',
  isOurs = false,
): { text: string } | { problem: string } {
  const is = isOurs ? 'is' : 'names';
  let opened;
  try {
    // Opening a pipe must not wait until somebody writes to it.
    opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | (isOurs ? constants.O_NOFOLLOW : 0));
    const about = fstatSync(opened);
    if (!about.isFile())
      return { problem: `${is} a folder, a pipe or a device, and must ${isOurs ? 'be' : 'name'} a file` };
    const problem = distrust(about, owner);
    if (problem !== undefined) return { problem: `${is} a file that ${problem}` };
    return { text: readFileSync(opened, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP' && isOurs)
      return { problem: 'is a link, and must be a file: remove it, and look at who may write to its folder' };
    return { problem: `${is} a file that cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})` };
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** Why a file or a folder of our own is not to be trusted, as a sentence; undefined if it is. */
export function distrustOfOurs(path: string): string | undefined {
  const about = statSync(path);
  const problem = about.isDirectory() ? distrustOfFolder(about) : distrust(about, 'trusted');
  return problem && `${path} is a ${about.isDirectory() ? 'folder' : 'file'} that ${problem}`;
}

/** A group may write to the folder, since Kubernetes sets one (`fsGroup`). Everybody may only if the sticky bit keeps them from
 *  taking others' files away, as in `/tmp`. */
const distrustOfFolder = ({ mode }: Stats): string | undefined =>
  process.geteuid && (mode & (EVERYBODY_WRITES | STICKY)) === EVERYBODY_WRITES
    ? `everybody may write to (mode ${octal(mode)}): chmod o-w it, and look at what is in it`
    : undefined;

const octal = (mode: number) => (mode & 0o777).toString(8).padStart(4, '0');

/** Why a file is not to be trusted, as the rest of a sentence that begins with "a file that". */
function distrust({ mode, uid }: Stats, owner?: 'trusted'): string | undefined {
  const mine = process.geteuid?.();
  // Windows has other permissions, which Node does not report.
  if (mine === undefined) return undefined;
  if ((mode & OTHERS_WRITE) !== 0)
    return `others may write to (mode ${octal(mode)}): chmod go-w it, and look at what is in it`;
  if (owner === 'trusted' && ![0, mine].includes(uid))
    return `belongs to another user (uid ${uid}, and this is ${mine}): chown it, and look at what is in it`;
  return undefined;
}
