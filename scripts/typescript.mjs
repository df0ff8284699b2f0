/** `typescript.mjs <file> [args…]` runs a program of the proof's as it is, by the compiler that jest uses. */
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
