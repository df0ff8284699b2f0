/** The files for containers: what `docker-compose.yml` and the Dockerfile pin, let in and hand on. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { loadConfig, parseDuration, SETTING_NAMES } from '../../src/config';
import { MISSED_LOOKS, PULSE_MS } from '../../src/pulse';
import { warningAbout } from '../../src/temporal/dev-server';
import { workerOptions } from '../../src/temporal/worker-options';
import { SEARCH_ATTRIBUTES } from '../../src/workflows/search-attributes';

interface Service {
  image: string;
  build?: string;
  restart: string;
  init?: boolean;
  command?: string[];
  environment?: Record<string, string | null>;
  ports?: string[];
  healthcheck?: object;
  depends_on?: Record<string, { condition: string }>;
  networks?: string[];
  network_mode?: string;
  cap_drop?: string[];
  stop_grace_period?: string;
}
interface Compose {
  networks: Record<string, { internal?: boolean } | null>;
  services: Record<string, Service>;
  secrets: Record<string, Record<string, string>>;
}

const at = (...path: string[]) => join(__dirname, '..', '..', ...path);
const read = (...path: string[]) => readFileSync(at(...path), 'utf8');
const yaml = (...path: string[]) => parse(read(...path), { merge: true }) as unknown;

const compose = yaml('docker-compose.yml') as Compose;
const dockerfile = read('Dockerfile');
const services = Object.entries(compose.services);
const service = (name: string) => compose.services[name]!;
/** Compose writes `$$` for the shell's `$`. */
const script = (name: string) => service(name).command!.at(-1)!.replaceAll('$$', '$');
const isOneShot = (name: string) =>
  service(name).restart === 'no' &&
  services.some(([, other]) => other.depends_on?.[name]?.condition === 'service_completed_successfully');

describe('docker-compose.yml', () => {
  const schemaFile = join(dirname(require.resolve('dclint/package.json')), 'schemas', 'compose.schema.json');
  const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as object;
  // It names its draft by an address that ajv does not know; and ajv knows none of its formats.
  const isCompose = new Ajv({ strict: false, validateFormats: false }).compile({ ...schema, $schema: undefined });

  test('is what the Compose specification allows, and the check would notice', () => {
    expect(isCompose(compose) || isCompose.errors).toBe(true);
    expect(isCompose({ services: { worker: { ...service('worker'), helthcheck: {} } } })).toBe(false);
  });

  test('pins every image, and none with a known hole', () => {
    const images = services.filter(([, { build }]) => build === undefined).map(([, { image }]) => image);
    images.push(...[...dockerfile.matchAll(/^FROM (\S+:\S+)/gm)].map(([, image]) => image!));
    expect(images).toHaveLength(6);
    for (const image of images) expect(image).toMatch(/:\d+\.\d+/);
    const [server, tools] = [service('temporal'), service('schema')].map(({ image }) => image.split(':')[1]!);
    expect(warningAbout(server!)).toBeUndefined();
    expect(tools).toBe(server);
    expect(service('namespace').image).toBe(service('schema').image);
  });

  test.each(services)(
    '%s has a health check or is run once, listens on loopback only, has no privileges',
    (name, it) => {
      const isChecked = it.build === undefined || it.command ? it.healthcheck : /^HEALTHCHECK/m.test(dockerfile);
      expect(isOneShot(name) || Boolean(isChecked)).toBe(true);
      for (const port of it.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      expect(it.cap_drop).toEqual(['ALL']);
    },
  );

  test('only those who need the database or Temporal can reach it', () => {
    const on = (network: string) =>
      services.flatMap(([name, it]) => (it.networks?.includes(network) ? name : [])).sort();
    expect(services.filter(([, it]) => !it.networks && !it.network_mode)).toEqual([]);
    expect(on('database')).toEqual(['postgresql', 'schema', 'temporal']);
    expect(on('temporal')).toEqual(['api', 'namespace', 'temporal', 'ui', 'worker']);
    expect([on('api'), on('leadconduit')]).toEqual([['api'], ['worker']]);
    expect(compose.networks.database).toEqual({ internal: true });
    expect(service('emulator').network_mode).toBe('service:worker');
  });

  test('a web page on this machine gets nothing from Temporal: its HTTP API is for the health check, its page asked for', () => {
    const dynamic = yaml('deploy', 'temporal', 'dynamic-config.yaml') as Record<string, { value: unknown }[]>;
    expect(dynamic['frontend.httpAllowedHosts']).toEqual([{ value: ['127.0.0.1:7243'] }]);
    expect(service('temporal').healthcheck).toMatchObject({
      test: expect.arrayContaining(['http://127.0.0.1:7243/api/v1/cluster-info']) as unknown,
    });
    expect(service('ui')).toMatchObject({ profiles: ['ui'] });
  });

  test('holds no secret', () => {
    const values = services.flatMap(([, { environment }]) => Object.entries(environment ?? {}));
    const secret = values.filter(([name]) => /KEY|PASSWORD|PWD|SECRET|TOKEN/.test(name));
    expect(secret).not.toHaveLength(0);
    for (const [name, value] of secret)
      expect(`${name}=${value ?? ''}`).toMatch(/=(\$\{\w+:\+)?(\/run\/secrets\/\w+)?\}?$/);
    for (const source of Object.values(compose.secrets))
      expect(Object.keys(source).every((key) => key === 'environment' || key === 'file')).toBe(true);
  });

  test('names only settings that there are', () => {
    const settings = SETTING_NAMES;
    expect(settings).toContain('LEADCONDUIT_API_KEY');
    const known = new Set([...settings, 'TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'TEMPORAL_TLS']);
    const ours = services.filter(([, { build }]) => build).flatMap(([, it]) => Object.keys(it.environment ?? {}));
    expect(ours.filter((name) => !known.has(name))).toEqual([]);
    const asked = [...read('docker-compose.yml').matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name!);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  test('without a key and with one, onboards are in different namespaces, the same for all who ask', () => {
    const namespace = service('worker').environment?.TEMPORAL_NAMESPACE;
    expect(namespace).toContain('${LEADCONDUIT_API_KEY:+leadconduit}');
    expect(namespace).toContain('${LEADCONDUIT_API_KEY_FILE:+leadconduit}');
    expect(service('namespace').environment?.NAMESPACE).toBe(namespace);
    expect(service('ui').environment?.TEMPORAL_DEFAULT_NAMESPACE).toBe(namespace);
  });

  test('registers what the workflow publishes, and keeps what has ended for a year', () => {
    const [, keywords] = /for name in ([\w ]+);/.exec(script('namespace'))!;
    const others = [...script('namespace').matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [
      name,
      type,
    ]);
    const types = (type: string) =>
      Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, is]) => (is === type ? name : []));
    expect(keywords!.split(' ').sort()).toEqual(types('Keyword').sort());
    const single = ['Datetime', 'KeywordList'].flatMap((type) => types(type).map((name) => [name, type]));
    expect(others).toEqual(single);
    expect(script('namespace')).toContain('--retention 365d');
  });

  test.each(['schema', 'temporal', 'namespace', 'api'])('what %s runs is a shell script', (name) => {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: script(name), encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('the worker has the time to let its calls end', () => {
    const { shutdownGraceTime } = workerOptions(loadConfig({}));
    expect(parseDuration(service('worker').stop_grace_period!)).toBeGreaterThan(shutdownGraceTime);
  });

  test('a worker that hangs is replaced: its health check may kill it, and soon enough', () => {
    const { init, restart } = service('worker');
    expect({ init, restart }).toEqual({ init: true, restart: 'unless-stopped' });
    const [, interval, timeout, retries] = /^HEALTHCHECK --interval=(\w+) --timeout=(\w+) .*--retries=(\d+)/m.exec(
      dockerfile,
    )!;
    const watchMs = MISSED_LOOKS * PULSE_MS;
    expect(parseDuration(interval!)! + watchMs).toBeLessThan(10_000);
    expect(parseDuration(timeout!)).toBeGreaterThan(watchMs + 5_000);
    expect(retries).toBe('1');
  });

  test('its Temporal has the settings that `npm start` gives to its own', () => {
    const dynamic = yaml('deploy', 'temporal', 'dynamic-config.yaml') as Record<string, { value: unknown }[]>;
    const code = read('src', 'temporal', 'dev-server.ts');
    const measured = [...code.matchAll(/^ {2}'([\w.]+)': (\d+),/gm)].map(([, key, value]) => [key, Number(value)]);
    expect(measured).not.toHaveLength(0);
    const given = Object.entries(dynamic).map(([key, values]) => [key, values[0]!.value]);
    expect(given).toEqual(expect.arrayContaining(measured));
  });
});

describe('Dockerfile', () => {
  test('runs as nobody in particular, on glibc', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).not.toMatch(/^FROM .*alpine/m);
  });

  test('copies what is there, and .dockerignore lets only that through', () => {
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) => paths!.split(' '));
    for (const path of copies) expect({ path, isThere: existsSync(at(path)) }).toEqual({ path, isThere: true });
    const [first, ...allowed] = read('.dockerignore')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(first).toBe('*');
    expect(allowed.map((line) => line.replace(/^!/, '')).sort()).toEqual(copies.sort());
  });
});
