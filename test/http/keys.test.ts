/** Who may use our API: read from the settings once, and never shown. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config';
import { ConfigError } from '../../src/config-error';
import { fingerprintOf, hashOf, keyFileIn, Keys, loadKeys } from '../../src/http/keys';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'onboards-keys-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const [ANN, BOB, ANOTHER] = ['a-key-of-anns', 'a-key-of-bobs', 'another-of-anns'] as const;
const keysOf = (settings: Record<string, string> = {}) =>
  loadKeys(loadConfig({ ONBOARDS_DATA_DIR: join(folder, 'data'), ...settings }));
function fileOf(...lines: string[]): Record<string, string> {
  const file = join(folder, 'keys');
  writeFileSync(file, lines.join('\n'));
  return { ONBOARDS_API_KEYS_FILE: file };
}
/** What a person is told. */
function problem(settings: Record<string, string>): string {
  try {
    keysOf(settings);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('no problem');
}

test('a file of several keys: each has its name and its role; comments, blank lines and spaces do not count', () => {
  const keys = keysOf(
    fileOf('# who may', '', `ann operate ${sha256(ANN)}`, `  shop@web-1.x\tREAD   ${sha256(BOB).toUpperCase()}  `, ''),
  );
  expect(keys.find(ANN)).toMatchObject({ name: 'ann', role: 'operate' });
  expect(keys.find(BOB)).toMatchObject({ name: 'shop@web-1.x', role: 'read' });
  for (const other of ['', 'c', ANN.toUpperCase(), sha256(ANN)]) expect(keys.find(other)).toBeUndefined();
});

test('the one in the settings may operate, and stands beside those of the file', () => {
  const keys = keysOf({ ...fileOf(`ann read ${sha256(ANN)}`), ONBOARDS_API_KEY: 'mine-and-nobodys' });
  expect(keys.find('mine-and-nobodys')).toMatchObject({ name: 'api', role: 'operate' });
  expect(keys.find(ANN)).toMatchObject({ name: 'ann', role: 'read' });
});

test.each(['short', 'eleven-char', '        short'])('one in the settings that is too short is refused: %j', (key) => {
  const message = problem({ ONBOARDS_API_KEY: key });
  expect(message).toMatch(/ONBOARDS_API_KEY must have 12 characters at least/);
  expect(message).not.toContain(key.trim());
});

/** What a shell did not fill in. */
const TYPED = ['$(openssl rand -hex 24)', '`uuidgen --random`', '${ONBOARDS_API_KEY}', '"$ONBOARDS_API_KEY"'];

test.each(TYPED)('one in the settings that is a command or a name of a shell is refused: %s', (key) => {
  const message = problem({ ONBOARDS_API_KEY: key });
  expect(message).toMatch(/ONBOARDS_API_KEY is shell syntax that no shell has filled in: .*openssl rand -hex 24/);
  expect(message).not.toContain(key);
});

test.each(['abcdefgh\nijklmnop', 'abcdefghijkl\u0007', 'schlüssel-von-ann'])(
  'one in the settings that a request may not carry is refused: %j',
  (key) => {
    const message = problem({ ONBOARDS_API_KEY: key });
    expect(message).toMatch(/ONBOARDS_API_KEY must be printable ASCII on one line/);
    expect(message).not.toContain(key.slice(0, 8));
  },
);

test('no key at all lets nobody in, nor one that is found by trying, whoever has written its hash', () => {
  const none = ['', '\n', ' ', ' '.repeat(20), 'a', 'password', 'eleven-char', 'eleven-char  ', '$key', ...TYPED];
  const keys = new Keys(none.map((no) => ({ name: 'ann', role: 'operate', hash: hashOf(no) })));
  expect(none.filter((no) => keys.find(no))).toEqual([]);
  // As random as they may be.
  for (const text of ['twelve-chars', 'a$b(c)${d}efghij', '$5$rounds of salt'])
    expect(new Keys([{ name: 'ann', role: 'operate', hash: hashOf(text) }]).find(text)).toBeDefined();
});

test('the kept key is a file of our own: one that is a link to a file that everybody knows lets nobody in', () => {
  const known = join(folder, 'known');
  writeFileSync(known, `${'known-to-everybody-'.repeat(3)}\n`);
  const dataDir = join(folder, 'linked');
  mkdirSync(dataDir, { mode: 0o700 });
  symlinkSync(known, join(dataDir, 'api-key'));
  expect(problem({ ONBOARDS_DATA_DIR: dataDir })).toMatch(/api-key is a link, and must be a file/);
});

test('the line of the README makes a long key of its own, which is let in', () => {
  const readme = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8');
  const [, line = ''] = /```sh\n([^`]*>> keys\)?)\n/.exec(readme) ?? [];
  const run = (env: Record<string, string>) =>
    spawnSync('sh', ['-ec', line], { cwd: folder, env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' });
  const made = run({});
  expect(made).toMatchObject({ status: 0, stderr: '' });
  const key = made.stdout.trim();
  expect(key).toMatch(/^[0-9a-f]{48}$/);
  expect(keysOf({ ONBOARDS_API_KEYS_FILE: join(folder, 'keys') }).find(key)).toMatchObject({ name: 'ann' });
});

test('a session outlives neither its key nor a change of it', () => {
  const before = keysOf(fileOf(`ann read ${sha256(ANN)}`, `bob read ${sha256(BOB)}`));
  const ann = before.find(ANN)!;
  expect(before.still('ann', fingerprintOf(ann))).toBe(ann);
  expect(before.still('bob', fingerprintOf(ann))).toBeUndefined();
  const after = keysOf(fileOf(`ann read ${sha256(ANOTHER)}`));
  expect(after.still('ann', fingerprintOf(ann))).toBeUndefined();
  expect(after.still('bob', fingerprintOf(before.find(BOB)!))).toBeUndefined();
});

describe('without one set', () => {
  test('one is made, once, and kept for this user’s eyes only', () => {
    expect(keysOf().find('')).toBeUndefined();
    const file = keyFileIn(join(folder, 'data'));
    const secret = readFileSync(file, 'utf8').trim();
    expect(secret.length).toBeGreaterThanOrEqual(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(keysOf().find(secret)).toMatchObject({ name: 'api', role: 'operate' });
    expect(readFileSync(file, 'utf8').trim()).toBe(secret);
    expect(readdirSync(join(folder, 'data'))).toEqual(['api-key']);
  });

  test('one that others may write to, or in a folder that they may, is refused, and none is made there', () => {
    const [data, file] = [join(folder, 'data'), keyFileIn(join(folder, 'data'))];
    mkdirSync(data);
    for (const mode of [0o777, 0o702]) {
      chmodSync(data, mode);
      expect(problem({})).toBe(
        `${data} is a folder that everybody may write to (mode 0${mode.toString(8)}): chmod o-w it, and look at what is in it`,
      );
    }
    expect(readdirSync(data)).toEqual([]);
    chmodSync(data, 0o770);
    writeFileSync(file, 'of-somebody-else'.repeat(2));
    chmodSync(file, 0o666);
    expect(problem({})).toMatch(/data\/api-key is a file that others may write to \(mode 0666\)/);
    chmodSync(file, 0o644);
    expect(keysOf().find('of-somebody-else'.repeat(2))).toBeDefined();
  });

  test.each(['0.0.0.0', '::', '192.168.0.7', 'example.com'])(
    'listening on %s is refused: that needs a key set by hand',
    (HOST) => {
      expect(problem({ HOST })).toMatch(
        /^Listening on .* needs a key of your own: set ONBOARDS_API_KEY or ONBOARDS_API_KEYS_FILE$/,
      );
      expect(readdirSync(folder)).toEqual([]);
      expect(keysOf({ HOST, ONBOARDS_API_KEY: 'mine-and-nobodys' }).find('mine-and-nobodys')).toBeDefined();
    },
  );

  test.each(['127.0.0.1', 'localhost', '::1', '127.0.0.2'])('listening on %s is only for this machine', (HOST) => {
    expect(keysOf({ HOST }).find('')).toBeUndefined();
  });
});

describe('a file that is wrong says what and where, and shows no key', () => {
  const good = `ann operate ${sha256(ANN)}`;
  test.each<[string, string[], RegExp]>([
    ['a role that there is not', [good, `bob write ${sha256(BOB)}`], /line 2: must be `<name> read\|operate <sha256/],
    ['a key that is no hash', [good, '', 'bob read secret-of-bob'], /line 3: must be/],
    ['a hash that is too short', [`bob read ${sha256(BOB).slice(1)}`], /line 1: must be/],
    ['a name that would steer', [`b\u001bob read ${sha256(BOB)}`], /line 1: must be/],
    ['a name that is missing', [`read ${sha256(BOB)}`], /line 1: must be/],
    ['two keys of one name', [good, `ann read ${sha256(BOB)}`], /two keys named ann: rename one of them$/],
    ['no key in it', ['# nobody', ''], /has no line with a key$/],
  ])('%s', (_, lines, words) => {
    const message = problem(fileOf(...lines));
    expect(message).toMatch(/^ONBOARDS_API_KEYS_FILE/);
    expect(message).toMatch(words);
    expect(message).not.toMatch(/secret-of-bob|[0-9a-f]{60}/);
  });

  test.each([
    ['of an empty text', ''],
    ['of a line break alone', '\n'],
    ['of blanks', ' \t'],
    ['of the name instead of the key', '$KEY'],
    ['of the name in the README', '$key'],
    ['of the name with braces, and a line break', '${key}\n'],
    ['of the setting', '"$ONBOARDS_API_KEY"'],
    ['of the command', '$(openssl rand -hex 24)'],
    ['of an empty text in quotes', '""'],
  ])('the hash %s', (_, text) => {
    const message = problem(fileOf(good, `bob read ${sha256(text).toUpperCase()}`));
    expect(message).toMatch(
      /^ONBOARDS_API_KEYS_FILE, line 2: this is the hash of an empty text, a variable's name or a command/,
    );
    expect(message).not.toMatch(/[0-9a-f]{60}/i);
  });

  test.each([0o602, 0o620, 0o666, 0o664, 0o777])('a file that others may write to: mode %s', (mode) => {
    const settings = fileOf(good);
    chmodSync(settings.ONBOARDS_API_KEYS_FILE!, mode);
    expect(problem(settings)).toMatch(/^ONBOARDS_API_KEYS_FILE names a file that others may write to .*chmod go-w/);
    expect(problem({ LEADCONDUIT_API_KEY_FILE: settings.ONBOARDS_API_KEYS_FILE! })).toMatch(
      /LEADCONDUIT_API_KEY_FILE names a file that others may write to/,
    );
  });

  test.each([0o400, 0o444, 0o600, 0o644])('one that they may only read is taken: mode %s', (mode) => {
    const settings = fileOf(good);
    chmodSync(settings.ONBOARDS_API_KEYS_FILE!, mode);
    expect(keysOf(settings).find(ANN)).toBeDefined();
  });

  // Only root can give a file away.
  const asRoot = process.geteuid?.() === 0 ? test : test.failing;
  asRoot('a file of another user', () => {
    const settings = fileOf(good);
    chownSync(settings.ONBOARDS_API_KEYS_FILE!, 12_345, 12_345);
    expect(problem(settings)).toMatch(/^ONBOARDS_API_KEYS_FILE names a file that belongs to another user/);
  });

  test('a pipe, which nobody may ever write to, a device and a folder', () => {
    const pipe = join(folder, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    for (const name of [pipe, '/dev/null', folder]) {
      const words = /_FILE names a folder, a pipe or a device, and must name a file$/;
      expect(problem({ ONBOARDS_API_KEYS_FILE: name })).toMatch(words);
      expect(problem({ LEADCONDUIT_API_KEY_FILE: name })).toMatch(words);
    }
  });

  test('none there', () => {
    expect(problem({ ONBOARDS_API_KEYS_FILE: join(folder, 'none') })).toBe(
      'ONBOARDS_API_KEYS_FILE names a file that cannot be read (ENOENT)',
    );
  });
});
