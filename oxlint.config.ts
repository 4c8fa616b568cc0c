import { defineConfig, type OxlintConfig } from 'oxlint';

/**
 * Which folders of src/ each folder may import from, besides itself; 'dht/ports' means that one
 * file, the ports that lower layers implement. A test keeps the table complete.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  identity: ['base'],
  record: ['base', 'identity'],
  noise: ['base'],
  dht: ['base', 'identity', 'record'],
  wire: ['base', 'identity', 'record', 'dht/ports'],
  rpc: ['base', 'identity', 'record', 'wire', 'noise', 'dht/ports'],
  store: ['base', 'identity', 'record', 'dht/ports', 'content/ports'],
  peer: ['base', 'identity'],
  content: ['base', 'identity', 'record', 'dht', 'peer'],
  trust: ['base', 'identity', 'record'],
  revocation: ['base', 'identity', 'record', 'dht', 'peer', 'content', 'trust'],
  stats: ['base'],
  metrics: ['base'],
  name: ['base', 'identity', 'record', 'dht'],
  link: ['base', 'identity', 'record', 'dht'],
  nat: ['base'],
  mdns: ['base', 'identity'],
  ca: ['base'],
  dns: ['base', 'content', 'name'],
  gateway: ['base', 'identity', 'content', 'name'],
  api: ['base', 'identity', 'content', 'name', 'link'],
  node: [
    'base',
    'identity',
    'record',
    'dht',
    'rpc',
    'store',
    'peer',
    'content',
    'name',
    'link',
    'trust',
    'revocation',
    'stats',
    'metrics',
    'nat',
    'mdns',
    'ca',
    'dns',
    'gateway',
    'api',
  ],
  cli: ['base', 'identity', 'ca', 'node', 'api'],
};

type Override = NonNullable<OxlintConfig['overrides']>[number];

function importRule([folder, allowed]: [string, readonly string[]]): Override {
  const denied = Object.keys(layers).filter((name) => name !== folder && !allowed.includes(name));
  const outside = ['sim', 'bench', 'test'];
  const group = [...denied, ...outside].map((name) => `../**/${name}/**`);
  const ports = allowed.filter((name) => name.includes('/')).map((name) => `!../**/${name}.ts`);
  const message = `src/${folder} may import only from: ${allowed.join(', ') || 'nothing'}`;
  return {
    files: [`src/${folder}/**`],
    excludeFiles: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: [...group, ...ports], message }] }],
    },
  };
}

const testFunctions = {
  from: 'package' as const,
  package: 'node:test',
  name: ['test', 'describe', 'it', 'suite'],
};

const config: OxlintConfig = defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'node', 'promise', 'oxc'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  options: { typeAware: true },
  ignorePatterns: ['dist/**', 'coverage/**', 'reports/**', 'examples/**'],
  rules: {
    'typescript/no-floating-promises': ['error', { allowForKnownSafeCalls: [testFunctions] }],
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-unsafe-type-assertion': 'off',
    'import/no-default-export': 'error',
    'import/no-cycle': 'error',
    'import/no-unassigned-import': 'off',
    'no-await-in-loop': 'off',
    'oxc/no-map-spread': 'off', // copies are wanted: nobody changes another's objects
    'max-lines': ['error', { max: 400 }],
  },
  overrides: [
    ...Object.entries(layers).map(importRule),
    { files: ['**/*.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
});

export default config;
