/** The emulator as a process: how it starts, and how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  call,
  children,
  effects,
  folder,
  get,
  INVITATION,
  listed,
  OTHER,
  plan,
  post,
  put,
  set,
  start,
  summary,
  until,
} from '../support/emulator-calls';

describe('its end', () => {
  test('close cuts idle, hanging and slow calls within a second, and a call that waited has no effect', async () => {
    const dataDir = folder();
    const emulator = await start({ dataDir });
    await plan(
      emulator,
      { on: 'GET', when: 'before', do: 'hang' },
      { on: 'PUT', when: 'before', do: 'hang', ms: 60_000 },
      { on: 'POST', when: 'before', do: 'slow', ms: 60_000 },
    );
    const idle = net.connect(emulator.port, '127.0.0.1');
    await once(idle, 'connect');
    const cut = Promise.all([
      once(idle, 'close'),
      expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' }),
      expect(put(emulator, { id: OTHER, invitation_id: OTHER })).rejects.toMatchObject({ code: 'ECONNRESET' }),
      expect(post(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' }),
    ]);
    await until(async () => (await summary(emulator)).max_in_flight === 3);
    await until(async () => (await effects(emulator))?.posts === 1);
    const began = performance.now();
    await emulator.close();
    await cut;
    expect(performance.now() - began).toBeLessThan(10_000);
    await emulator.close();
    expect(await listed(await start({ dataDir }))).toEqual([]);
  });

  test('close while it is down: it does not come back', async () => {
    const emulator = await start();
    await set(emulator, { down_ms: 60_000 });
    await emulator.close();
    await expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a port in use leaves the file alone', async () => {
    const dataDir = folder();
    const { port } = await start({ dataDir });
    appendFileSync(path.join(dataDir, 'emulator.jsonl'), 'an entry that is just being wri');
    await expect(start({ port, dataDir })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(readFileSync(path.join(dataDir, 'emulator.jsonl'), 'utf8')).toBe('an entry that is just being wri');
  });
});

describe('the program', () => {
  /** Runs the source as it is: Node 20 reads no TypeScript by itself. */
  function program(env: Record<string, string>) {
    const cwd = folder();
    const hook = path.join(cwd, 'typescript.cjs');
    const swc = JSON.stringify(require.resolve('@swc/core'));
    const options = "{ jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }";
    const compile = `module._compile(require(${swc}).transformFileSync(file, ${options}).code, file)`;
    writeFileSync(hook, `require.extensions['.ts'] = (module, file) => ${compile};`);
    const entry = path.resolve(__dirname, '../../src/emulator/serve.ts');
    const child = spawn(process.execPath, ['-r', hook, entry], { cwd, env: { PATH: process.env.PATH, ...env } });
    children.push(child);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    return { child, lines: createInterface(child.stdout), ended: once(child, 'close'), stderr: () => stderr };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('says where it is, and %s ends it cleanly', async (signal) => {
    const { child, lines, ended, stderr } = program({ EMULATOR_PORT: '0' });
    const [line] = (await once(lines, 'line')) as [string];
    const url = /^Emulator of LeadConduit on (http:\/\/127\.0\.0\.1:\d+) \(records in \.data\)$/.exec(line)?.[1];
    expect(url).toBeDefined();
    // Nothing that waits may keep it.
    const emulator = { url: url ?? '' };
    await plan(emulator, { on: 'GET', when: 'before', do: 'slow', ms: 60_000 });
    const cut = expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(async () => (await summary(emulator)).calls.GET === 1);
    child.kill(signal);
    await cut;
    expect([await ended, stderr()]).toEqual([[0, null], '']);
  });

  test('what it answered survives a kill', async () => {
    const dataDir = folder();
    const { child, lines, ended } = program({ EMULATOR_PORT: '0', ONBOARDS_DATA_DIR: dataDir });
    const [line] = (await once(lines, 'line')) as [string];
    const url = /http:\S+/.exec(line)?.[0] ?? '';
    const { json } = await call(url, 'POST', '/onboards', { invitation_id: INVITATION });
    child.kill('SIGKILL');
    await ended;
    expect(await listed(await start({ dataDir }))).toEqual([json]);
  });

  test('a port in use: one line that names it and its setting', async () => {
    const squatter = net.createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const { ended, stderr } = program({ EMULATOR_PORT: String(port) });
    expect([await ended, stderr()]).toEqual([[2, null], `Port ${port} is in use: set EMULATOR_PORT to a free one\n`]);
    squatter.close();
  });

  test('a wrong setting: its message', async () => {
    const { ended, stderr } = program({ EMULATOR_PORT: 'abc' });
    expect([await ended, stderr()]).toEqual([[2, null], expect.stringMatching(/^Wrong settings:\n {2}EMULATOR_PORT /)]);
  });
});
