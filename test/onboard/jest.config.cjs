/** The rules of an onboard alone: no server is started. Stryker runs these (`npm run mutation`). */
const { transform } = require('../../jest.config.cjs');

module.exports = {
  rootDir: '../..',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/onboard/**/*.test.ts'],
  transform,
};
