import { failureOf } from './cli/exit';
import { program } from './cli/program';
import { complain } from './cli/answering';

function fail(error: unknown): void {
  const { code, line } = failureOf(error);
  if (line !== undefined) complain(line);
  process.exitCode = code;
}

// On EPIPE, the reader of our output (such as `head`) has had enough.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1),
  );
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});
process.once('SIGINT', () => process.exit(130));

void program().parseAsync().catch(fail);
