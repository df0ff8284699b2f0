/** The proof's own tests beside those of `npm test`; `scripts/proof.mjs` says which of them run, and in which order. */
module.exports = {
  ...require('../jest.config.cjs'),
  rootDir: '..',
  testMatch: ['<rootDir>/{proof,test}/**/*.test.ts'],
  testTimeout: 120_000,
  // They have calls to meet while these are out: more at once, and they keep each other from it.
  maxWorkers: 2,
};
