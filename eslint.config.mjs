import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Rooms may look only into the rooms named in `shared` arrows: data flows one way. */
const fence = (files, patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});
const no = (group, message) => ({ group, message });

export default tseslint.config(
  { ignores: ['dist', '.data', '.cache', 'node_modules'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.mjs', '*.cjs', 'scripts/*.mjs'] } },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'Only src/config.ts reads the environment.',
        },
      ],
    },
  },
  { files: ['src/config.ts', 'test/**', 'scripts/**', '*.mjs'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  fence(
    ['src/workflows/**'],
    [
      no(
        ['node:*', 'fs', 'axios', 'zod', '@temporalio/client', '@temporalio/worker', '@temporalio/activity'],
        'Workflow code is replayed: no I/O, clock, randomness or zod.',
      ),
      {
        group: ['../*', '!../activities'],
        message: 'Workflow code imports its own room, and the types of the activities.',
      },
      { group: ['../activities*'], allowTypeImports: true, message: 'Types only: activities run elsewhere.' },
    ],
  ),
  fence(
    ['src/activities/**'],
    [
      no(
        ['../client*', '../starter*', '../worker*', '../up*', '@temporalio/client', '@temporalio/workflow'],
        'Activities look only at src/leadconduit.',
      ),
    ],
  ),
  fence(
    ['src/leadconduit/**'],
    [no(['@temporalio/*', '../*'], 'The LeadConduit client knows nothing of Temporal or of us.')],
  ),
  fence(
    ['src/emulator/**'],
    [
      no(
        ['@temporalio/*', '../workflows/*', '../activities/*', '../client*'],
        'The emulator stands in for LeadConduit: it knows only its schema.',
      ),
    ],
  ),
  fence(
    ['src/starter.ts', 'src/cli/**', 'src/http/**'],
    [
      no(
        [
          '@temporalio/worker',
          '@temporalio/activity',
          '../activities*',
          '../leadconduit*',
          './activities*',
          './leadconduit*',
        ],
        'Go through the OnboardsClient.',
      ),
    ],
  ),
);
