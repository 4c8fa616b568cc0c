/**
 * The table of commands. What each needs beyond this line is loaded when it is called: a start
 * costs the parsing of one command, not of all.
 */
import type { CommandDefinition } from './command.ts';

export interface CommandEntry {
  /** "publish" or "link put". */
  readonly words: string;
  readonly summary: string;
  readonly group: string;
  readonly load: () => Promise<CommandDefinition>;
}

const groups = {
  node: 'Node:',
  sites: 'Sites and names:',
  links: 'Alternatives for dead links:',
  registrar: 'Names of registrars:',
  trust: 'What this node refuses:',
  network: 'Looking at the network:',
  setup: 'Setting up this machine:',
  keys: 'Keys and small values:',
} as const;

async function definitionOf(
  module: Promise<{ readonly definition: CommandDefinition }>,
): Promise<CommandDefinition> {
  return (await module).definition;
}

function entry(
  words: string,
  group: keyof typeof groups,
  summary: string,
  load: () => Promise<{ readonly definition: CommandDefinition }>,
): CommandEntry {
  return { words, summary, group: groups[group], load: () => definitionOf(load()) };
}

export const commandEntries: readonly CommandEntry[] = [
  entry('start', 'node', 'run a node (the default)', () => import('./commands/start.ts')),
  entry('stats', 'node', 'the running node in numbers', () => import('./commands/stats.ts')),
  entry('doctor', 'node', 'what is wrong, and what to do', () => import('./commands/doctor.ts')),

  entry('publish', 'sites', 'publish a folder or file', () => import('./commands/publish.ts')),
  entry(
    'unpublish',
    'sites',
    'stop keeping a site of yours here',
    () => import('./commands/unpublish.ts'),
  ),
  entry('sites', 'sites', 'what this node holds', () => import('./commands/sites.ts')),
  entry('fetch', 'sites', 'fetch a site into a folder', () => import('./commands/fetch.ts')),
  entry('register', 'sites', 'take a name for a root', () => import('./commands/register.ts')),
  entry('update', 'sites', 'point your name to a new root', () => import('./commands/update.ts')),
  entry(
    'transfer',
    'sites',
    'pass a name of yours on to another author',
    () => import('./commands/transfer.ts'),
  ),
  entry('release', 'sites', 'give a name of yours up', () => import('./commands/release.ts')),
  entry('resolve', 'sites', 'what a name points to', () => import('./commands/resolve.ts')),
  entry('names', 'sites', 'the names you hold', () => import('./commands/names.ts')),

  entry(
    'link put',
    'links',
    'announce an alternative for a URL',
    () => import('./commands/link-put.ts'),
  ),
  entry('link get', 'links', 'find alternatives for a URL', () => import('./commands/link-get.ts')),
  entry(
    'link remove',
    'links',
    'withdraw an alternative of yours',
    () => import('./commands/link-remove.ts'),
  ),
  entry('links', 'links', 'the alternatives you announced', () => import('./commands/links.ts')),

  entry(
    'registrar certify',
    'registrar',
    'let an author write a name of your zone',
    () => import('./commands/registrar-certify.ts'),
  ),
  entry(
    'registrar list',
    'registrar',
    'what you have certified',
    () => import('./commands/registrar-list.ts'),
  ),
  entry(
    'registrar withdraw',
    'registrar',
    'take a name of your zone away',
    () => import('./commands/registrar-withdraw.ts'),
  ),
  entry(
    'registrar accept',
    'registrar',
    'keep a certificate that you were given',
    () => import('./commands/registrar-accept.ts'),
  ),

  entry('block', 'trust', 'refuse a root, name or URL', () => import('./commands/block.ts')),
  entry('unblock', 'trust', 'allow it again', () => import('./commands/unblock.ts')),
  entry('blocklist', 'trust', 'what is refused', () => import('./commands/blocklist.ts')),
  entry(
    'revoke',
    'trust',
    'revoke a name or root wherever you are trusted',
    () => import('./commands/revoke.ts'),
  ),
  entry(
    'revocations',
    'trust',
    'whose revocations count here',
    () => import('./commands/revocations.ts'),
  ),

  entry('peers', 'network', 'nodes that this one knows', () => import('./commands/peers.ts')),
  entry(
    'dht',
    'network',
    'the routing table and the record store',
    () => import('./commands/dht.ts'),
  ),
  entry(
    'relays',
    'network',
    'through whom others reach this node',
    () => import('./commands/relays.ts'),
  ),
  entry(
    'ping',
    'network',
    'whether nodes answer, and how fast',
    () => import('./commands/ping.ts'),
  ),
  entry('find', 'network', 'the nodes closest to an ID', () => import('./commands/find.ts')),
  entry(
    'bootstrap',
    'network',
    'join the network through a node',
    () => import('./commands/bootstrap.ts'),
  ),

  entry(
    'setup dns',
    'setup',
    'have .alt names looked up at this node',
    () => import('./commands/setup-dns.ts'),
  ),
  entry(
    'setup ca',
    'setup',
    'have browsers trust the HTTPS of .alt sites',
    () => import('./commands/setup-ca.ts'),
  ),
  entry(
    'setup service',
    'setup',
    'have a node run whenever this machine does',
    () => import('./commands/setup-service.ts'),
  ),
  entry(
    'setup',
    'setup',
    'what is set up on this machine, and what is not',
    () => import('./commands/setup.ts'),
  ),

  entry('put', 'keys', 'store a small value', () => import('./commands/put.ts')),
  entry('get', 'keys', 'read a small value', () => import('./commands/get.ts')),
  entry('key show', 'keys', 'your IDs and public keys', () => import('./commands/key-show.ts')),
  entry(
    'key export',
    'keys',
    'print your secret author key',
    () => import('./commands/key-export.ts'),
  ),
  entry('key import', 'keys', 'restore an author key', () => import('./commands/key-import.ts')),
];

/** First words that lead to further commands, with what they are about. */
export const commandGroups: ReadonlyMap<string, { summary: string; group: string }> = new Map([
  ['link', { summary: 'put, get or remove an alternative for a URL', group: groups.links }],
  [
    'registrar',
    { summary: 'certify names of your zone, or use a certificate', group: groups.registrar },
  ],
  ['setup', { summary: 'what is set up on this machine, and what is not', group: groups.setup }],
  ['key', { summary: 'show, export or import your keys', group: groups.keys }],
]);

/** The command that the first words name. */
export function findEntry(argv: readonly string[]): CommandEntry | undefined {
  const [first = '', second = ''] = argv;
  const exact = commandEntries.find(({ words }) => words === `${first} ${second}`);
  return exact ?? commandEntries.find(({ words }) => words === first);
}
