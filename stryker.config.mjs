/** `npm run mutation`: how much of the rules of an onboard the tests that need no server notice. Not a part of CI. */
export default {
  mutate: ['src/onboard/**/*.ts'],
  testRunner: 'jest',
  jest: { projectType: 'custom', configFile: 'test/onboard/jest.config.cjs' },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // What people read is no rule: texts are compared where programs rely on them.
  mutator: { excludedMutations: ['StringLiteral'] },
  thresholds: { high: 90, low: 85, break: 85 },
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: '.cache/stryker',
  ignorePatterns: ['dist', '.data*', '.cache', 'test/histories'],
};
