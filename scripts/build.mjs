/** `build.mjs all <folder>`: the whole program. `build.mjs bundle <folder of sources> <file>`: only the workflows' code. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('..', import.meta.url));

function compile(outDir) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', outDir, '--noEmitOnError'];
  const { status } = spawnSync(process.execPath, [tsc, ...options], { stdio: 'inherit', cwd: root });
  if (status !== 0) process.exit(1);
  // The folder is renamed to `dist`, which lies one level nearer to the sources.
  for (const name of readdirSync(outDir, { recursive: true }).filter((name) => name.endsWith('.js.map'))) {
    const path = join(outDir, name);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"sources":["../', '"sources":["'));
  }
}

/** What the console's pages load beside htmx. */
function assets(outDir) {
  const own = join('http', 'console', 'assets');
  cpSync(join(root, 'src', own), join(outDir, own), { recursive: true });
}

/** What the worker loads as `workflowBundle: { codePath }`; its data converter must name the same payload converter. */
async function bundle(folder, file) {
  const find = (name) => ['.js', '.ts'].map((ending) => join(folder, name + ending)).find((path) => existsSync(path));
  const interceptors = find('workflows/interceptors');
  const { code } = await bundleWorkflowCode({
    workflowsPath: find('workflows/index'),
    payloadConverterPath: find('temporal/payload-converter'),
    workflowInterceptorModules: interceptors ? [interceptors] : [],
    logger: new DefaultLogger('WARN'),
    // Keeps the path through the link: see `buildThroughLink`.
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, symlinks: false },
      resolveLoader: { symlinks: false },
    }),
  });
  writeFileSync(file, code);
}

/** The bundler reads some characters of a path as its own syntax, so such a checkout is built through a link with a plain name. */
function buildThroughLink(args) {
  const folder = mkdtempSync(join(tmpdir(), 'onboards-build-'));
  const link = join(folder, 'checkout');
  try {
    symlinkSync(root, link, 'dir');
    const linked = args.map((arg) => (arg.startsWith(root) ? join(link, arg.slice(root.length)) : arg));
    const options = ['--preserve-symlinks', '--preserve-symlinks-main', join(link, 'scripts', 'build.mjs'), ...linked];
    return spawnSync(process.execPath, options, { stdio: 'inherit', cwd: link }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const isPlain = (path) => /^[\w/. -]+$/.test(path);
const [what, first, second] = process.argv.slice(2);
if (!isPlain(root)) {
  if (!isPlain(tmpdir()))
    throw new Error(`Set TMPDIR to a folder whose path has only letters, digits, spaces and . _ - (now: ${tmpdir()})`);
  process.exitCode = buildThroughLink(process.argv.slice(2));
} else if (what === 'all') {
  compile(first);
  assets(first);
  await bundle(first, join(first, 'workflow-bundle.js'));
} else {
  await bundle(first, second);
}
