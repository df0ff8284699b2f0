/** `typescript.mjs <file> [args…]` runs a TypeScript program of the proof without a build, with the compiler that Jest uses. */
import Module from 'node:module';
import { resolve } from 'node:path';
import { transformSync } from '@swc/core';
import { addHook } from 'pirates';

const jsc = { parser: { syntax: 'typescript' }, target: 'es2022' };
const compile = (code, filename) =>
  transformSync(code, { filename, jsc, module: { type: 'commonjs' }, sourceMaps: 'inline' }).code;
addHook(compile, { exts: ['.ts'] });
process.argv.splice(1, 2, resolve(process.argv[2]));
Module.runMain();
