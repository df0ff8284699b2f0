import { ConfigError, loadConfig, loadEnvironment } from '../src/config';
import { withoutSecrets } from '../src/secrets';
import { World } from './support/world';

test.each([
  ['LEADCONDUIT_TIMEOUT', '11m', '1ms to 10m'],
  ['LEADCONDUIT_TIMEOUT', '0', '1ms to 10m'],
  ['ONBOARDS_SETTLE', '25h', '1ms to 1d'],
  ['ONBOARDS_CONFIRM', '31d', '0 to 30d'],
  ['ONBOARDS_CONFIRM', 'soon', '0 to 30d'],
])('%s=%s is refused with what is accepted', (setting, text, bounds) => {
  const load = () => loadConfig({ [setting]: text });
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(`${setting} must be a duration from ${bounds}, such as`);
});

test('a run takes the longest times that the settings can have', async () => {
  const settings = { LEADCONDUIT_TIMEOUT: '10m', ONBOARDS_SETTLE: '1d', ONBOARDS_CONFIRM: '30d' };
  const world = await World.start({ settings });
  expect(await world.create()).toMatchObject({ status: 'created' });
  await world.close();
});

test('ONBOARDS_PUBLIC_URL is an address without a path', () => {
  const publicUrl = (ONBOARDS_PUBLIC_URL: string) => loadConfig({ ONBOARDS_PUBLIC_URL }).api.publicUrl;
  expect(publicUrl('https://Onboards.example:443/')).toBe('https://onboards.example');
  for (const wrong of [
    'onboards.example',
    'ftp://onboards.example',
    'https://a@onboards.example',
    'https://o.example/on',
  ])
    expect(() => publicUrl(wrong)).toThrow(/ONBOARDS_PUBLIC_URL must be an http:\/\/ or https:\/\/ address/);
});

test('TEMPORAL_UI_URL, which pages show, has no user', () => {
  const load = (TEMPORAL_UI_URL: string) => loadConfig({ TEMPORAL_UI_URL }).api.temporalUi;
  expect(load('https://ui.example/')).toBe('https://ui.example');
  expect(() => load('https://ann:secret-of-hers@ui.example')).toThrow(/TEMPORAL_UI_URL must have no user$/);
});

test('a key is hidden however short it is, and words that hold it stay', () => {
  loadEnvironment({ LEADCONDUIT_API_KEY: 'k3y' }, '/dev/null');
  expect(withoutSecrets('the key k3y, "k3y" and k3ys')).toBe('the key ***, "***" and k3ys');
});
