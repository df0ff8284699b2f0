import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Data flows one way: what a room may not import, by patterns of what the import says. */
const fence = (files, ...patterns) => ({
  files,
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
});
const no = (regex, message, allowTypeImports = false) => ({ regex, message, allowTypeImports });

export default tseslint.config(
  { ignores: ['dist', '.data*', '.cache', 'node_modules'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.mjs', '*.cjs', 'scripts/*.mjs', 'src/http/console/assets/*.js'] },
      },
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
          message: 'Only src/environment.ts reads the environment.',
        },
      ],
    },
  },
  {
    files: ['src/environment.ts', 'test/**', 'proof/**', 'scripts/**', '*.mjs'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        require: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  fence(
    ['src/onboard/**'],
    no('^(?!\\./)', 'The language of an onboard imports nothing but itself: it is replayed, and everybody may use it.'),
  ),
  fence(
    ['src/workflows/**'],
    no(
      '^(node:|fs$|axios|zod|@temporalio/(client|worker|activity))',
      'Workflow code is replayed: no I/O, clock, randomness or zod.',
    ),
    no(
      '^\\.\\./(?!activities(/|$)|onboard/)',
      'Workflow code imports its own room, the rules of an onboard, and the types of the activities.',
    ),
    no('^\\.\\./activities(/|$)', 'Types only: activities run elsewhere.', true),
  ),
  fence(
    ['src/activities/**'],
    no('^\\.\\./(?!leadconduit/|onboard/)', 'Activities know LeadConduit, and the words of an onboard.'),
    no('^@temporalio/(client|worker|workflow)', 'Only the OnboardsClient starts and messages workflows.'),
  ),
  fence(
    ['src/leadconduit/**'],
    no('^(@temporalio/|\\.\\./(?!onboard/ids$))', 'The LeadConduit client knows nothing of Temporal or of us.'),
  ),
  fence(
    ['src/emulator/**'],
    no(
      '^(@temporalio/|\\.\\./(?!leadconduit/schema$|onboard/|config$|config-error$|environment$|callers$))',
      'The emulator stands in for LeadConduit: it knows only its schema, and who may call.',
    ),
  ),
  {
    files: ['src/http/console/assets/*.js'],
    languageOptions: {
      globals: { document: 'readonly', clearTimeout: 'readonly', setInterval: 'readonly', Event: 'readonly' },
    },
  },
  fence(['src/http/**'], no('^@temporalio/|/(activities|leadconduit|emulator)(/|$)', 'Go through the OnboardsClient.')),
  fence(
    ['src/starter.ts', 'src/cli/**'],
    no('^@temporalio/|/(activities|leadconduit|emulator)(/|$)', 'Go through the OnboardsClient.'),
  ),
);
