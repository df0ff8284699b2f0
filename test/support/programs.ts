import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** A program of ours as a process, as it is shipped: built by the command that runs the tests. */
export interface Program {
  child: ChildProcess;
  /** Standard output and standard error. */
  output: () => string;
  ended: Promise<number | null>;
  /** Resolves when the program has said these words. @throws when it ends before */
  saying(words: string | RegExp): Promise<void>;
  stop(): Promise<void>;
}

/** @param folder its working directory, which has no `.env`, `.data` or profile of Temporal's but the test's own */
export function run(folder: string, program: string, env: Record<string, string> = {}, ...args: string[]): Program {
  const own = { PATH: process.env.PATH, HOME: folder, TEMPORAL_CLI_PATH: process.env.TEST_TEMPORAL_CLI };
  const child = spawn(process.execPath, [join(root, 'dist', `${program}.js`), ...args], {
    cwd: folder,
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const hears = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const hear of hears) hear();
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    child,
    output: () => output,
    ended,
    saying: (words) =>
      new Promise((resolve, reject) => {
        const hear = () => {
          if (typeof words === 'string' ? output.includes(words) : words.test(output)) resolve();
        };
        hears.add(hear);
        hear();
        void ended.then((code) => reject(new Error(`${program} ended with ${code}: ${output}`)));
      }),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Settings that lead a program to a server of the tests at Temporal's usual address, whose port may be another's here. */
export function atUsualAddress(
  folder: string,
  address = process.env.TEST_TEMPORAL_ADDRESS ?? '',
): { NODE_OPTIONS: string } {
  const hook = join(folder, 'usual-address.cjs');
  writeFileSync(
    hook,
    `const { Socket } = require('node:net');
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (Number(options.port) === 7233) options.port = ${address.split(':')[1] ?? ''};
  return connect.apply(this, args);
};
`,
  );
  return { NODE_OPTIONS: `--require=${hook}` };
}
