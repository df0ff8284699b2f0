/** Takes the given lock and says so, or says who has it. Holds the lock until this process is ended. */
import { takeLock } from '../../src/up/lock';

const file = process.argv[2] ?? '';
const say = (what: string) => process.stdout.write(`${what}\n`);
void takeLock(file, say).then((lock) => {
  if ('holder' in lock) return say(`held by ${lock.holder.pid ?? 'nobody'}`);
  process.once('SIGTERM', () => {
    lock.release();
    process.exit(0);
  });
  lock.lost.catch((error: unknown) => {
    say(`lost: ${(error as Error).message}`);
    process.exit(1);
  });
  setInterval(() => undefined, 1_000);
  say('mine');
});
