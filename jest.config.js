/** Suites run as native ES modules; `build/run-tests.ts` chooses which ones. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024', experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
      },
    ],
  },
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/build', '<rootDir>/bench'],
  // Machines are shared and slow at times; a hang is still a failure.
  testTimeout: 120_000,
  testMatch: ['**/*.test.ts'],
};
