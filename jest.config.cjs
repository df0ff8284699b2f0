const swc = (tsx) => [
  '@swc/jest',
  {
    jsc: {
      parser: { syntax: 'typescript', tsx },
      target: 'es2022',
      transform: { react: { runtime: 'automatic', importSource: 'hono/jsx', throwIfNamespace: false } },
    },
    sourceMaps: 'inline',
  },
];

/** Everything runs against a real Temporal server, started once in globalSetup. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '^.+\\.ts$': swc(false), '^.+\\.tsx$': swc(true) },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 60_000,
  // They mostly wait: for timers, sockets, processes.
  maxWorkers: 6,
};
