/** A checkout may lie in a folder of any name that Node can load packages from. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-checkout-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function node(args: string[], cwd: string): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

function checkout(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const part of [
    'run.mjs',
    'scripts',
    ...['onboard', 'workflows', 'temporal'].map((room) => join('src', room)),
    'package.json',
  ])
    cpSync(join(root, part), join(path, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
  return path;
}

test('the bundle is built in a folder whose name is the syntax of a bundler, of addresses and of shells', async () => {
  const path = checkout(`C# 100%41 a?b&c !x 'q' "d" ü [z]{a,b};<|>:\n$HOME`);
  const bundle = join(folder, 'bundle.js');
  const args = [join(path, 'scripts', 'build.mjs'), 'bundle', join(path, 'src'), bundle];
  expect(await node(args, path)).toEqual({ code: 0, output: '' });
  expect(existsSync(bundle)).toBe(true);
});

test('one that Node cannot load packages from is refused by name', async () => {
  const path = checkout('a*b');
  const { code, output } = await node([join(path, 'run.mjs'), 'up'], path);
  expect({ code, output }).toEqual({
    code: 1,
    output: `Node cannot load packages below a folder with * in its name: move or rename ${path}/\n`,
  });
});
