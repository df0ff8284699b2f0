import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

const OTHERS_WRITE = 0o022;

/**
 * A file with a key. Whoever can write to it decides whose account it is or who is let in, so one that others may write to is
 * refused; that others may read it is how containers are given their secrets.
 * @param owner `trusted`: this user or root. Somebody else's is what a container sees of its host's user.
 * @returns as problem the rest of a sentence that begins with the setting
 */
export function readSecretFile(file: string, owner?: 'trusted'): { text: string } | { problem: string } {
  let opened;
  try {
    opened = openSync(file, 'r');
    const about = fstatSync(opened);
    const mine = process.geteuid?.() ?? about.uid;
    if (about.isFile() && (about.mode & OTHERS_WRITE) !== 0)
      return {
        problem: `names a file that others may write to (mode ${(about.mode & 0o777).toString(8).padStart(4, '0')}): chmod go-w it, and look at what is in it`,
      };
    if (owner === 'trusted' && about.isFile() && ![0, mine].includes(about.uid))
      return {
        problem: `names a file that belongs to another user (uid ${about.uid}, and this is ${mine}): chown it, and look at what is in it`,
      };
    return { text: readFileSync(opened, 'utf8') };
  } catch (error) {
    return { problem: `names a file that cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})` };
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}
