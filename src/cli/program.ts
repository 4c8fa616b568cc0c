/**
 * From words to a command: builds the parser, finds the command, runs it with what it needs. The
 * shell and the prompt of a running node both come through here.
 */
import { Command, CommanderError, type Help } from 'commander';
import type { AltNetError } from '../base/errors.ts';
import { type LongOptions, normaliseArgv } from './argv.ts';
import type { CommandNeed, ParsedCommand } from './command.ts';
import { type CommandEntry, commandEntries, commandGroups, findEntry } from './commands.ts';
import { usageError } from './values.ts';

export interface ProgramOptions {
  /** False at the prompt of a node, where there is nothing to start and nowhere else to connect. */
  readonly inShell: boolean;
  /** For --version. */
  readonly version: string;
  /** Where help goes. */
  readonly write: (text: string) => void;
}

/**
 * The command that `argv` asks for, or undefined when it asked for help or the version, which has
 * then been written. Throws USAGE.
 */
export async function parseCommand(
  argv: readonly string[],
  options: ProgramOptions,
): Promise<ParsedCommand | undefined> {
  const words = canonicalWords(argv, options.inShell);
  const found = findEntry(words);
  const entry = options.inShell || found?.words !== 'start' ? found : undefined;
  const definition = await entry?.load();
  let parsed: ParsedCommand | undefined;
  const program = buildProgram(options, entry, (command) => {
    if (!definition) return;
    definition.describe(command);
    addCommonOptions(command, options.inShell ? definition.needs : undefined);
    command.helpOption('-h, --help', 'show this help').action(() => {
      parsed = { definition, input: { operands: command.args, options: command.opts() } };
    });
  });
  try {
    await program.parseAsync(entry ? normalise(words, program, entry) : namesOnly(words), {
      from: 'user',
    });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw asUsageError(error, { entry, words, inShell: options.inShell });
  }
  return parsed;
}

/** `altnet -listen …` means `altnet start -listen …`; `help publish` means `publish --help`. */
function canonicalWords(argv: readonly string[], inShell: boolean): string[] {
  const [first, ...rest] = argv;
  if (first === 'help') return [...rest, '--help'];
  if (first === undefined) return [inShell ? 'start' : '--help'];
  if (/^-?-(help|version)$/.test(first)) return [`--${first.replace(/^-+/, '')}`, ...rest];
  if (!first.startsWith('-') || first === '-h' || first === '-V') return [...argv];
  return inShell ? ['start', ...argv] : [...argv];
}

/**
 * Without a command no option means anything: `altnet frobnicate --help` and `altnet link --json`
 * are about the missing one. Only the help of a group of commands remains.
 */
function namesOnly(words: readonly string[]): string[] {
  const end = words.findIndex((word) => word.startsWith('-'));
  const names = end === -1 ? words : words.slice(0, end); // behind an option may stand its value
  const isGroup = names.length === 1 && commandGroups.has(names[0] ?? '');
  const wantsHelp = words.some((word) => /^(-h|--?help)$/.test(word));
  if (isGroup && wantsHelp) return [...names, '--help'];
  return [...(names.length === 0 ? words : names)];
}

function buildProgram(
  { inShell, version, write }: ProgramOptions,
  entry: CommandEntry | undefined,
  complete: (command: Command) => void,
): Command {
  const program = configured(new Command('altnet'), write).usage('<command> [options]');
  program.configureHelp(inShell ? helpStyle : { ...helpStyle, commandUsage: promptUsage });
  program.description(inShell ? overview : 'Commands at this prompt.');
  if (inShell) program.version(version).addHelpText('after', examples);
  else program.addHelpText('after', '\nquit, or Ctrl-D, stops the node.');
  for (const candidate of commandEntries) {
    if (!inShell && candidate.words === 'start') continue;
    const [first = '', second] = candidate.words.split(' ');
    const parent = second === undefined ? program : groupCommand(program, first, write);
    // A group may be a command as well, which stands after those in it.
    const group = program.commands.find((each) => each.name() === candidate.words);
    const command = group ?? configured(parent.createCommand(second ?? first), write);
    command.configureHelp(program.configureHelp());
    command.summary(candidate.summary).description(`${sentence(candidate.summary)}.`);
    if (second === undefined) command.helpGroup(candidate.group);
    if (candidate === entry) complete(command);
    if (!group) parent.addCommand(command);
  }
  return program;
}

function groupCommand(program: Command, name: string, write: (text: string) => void): Command {
  const present = program.commands.find((command) => command.name() === name);
  if (present) return present;
  const { summary = '', group = '' } = commandGroups.get(name) ?? {};
  const command = configured(program.createCommand(name), write);
  command
    .summary(summary)
    .description(`${sentence(summary)}.`)
    .helpGroup(group);
  program.addCommand(command);
  return command;
}

/** Settings do not reach commands that are added afterwards, so each gets them. */
function configured(command: Command, write: (text: string) => void): Command {
  return command
    .exitOverride()
    .helpCommand(false)
    .helpOption('-h, --help', 'show this help')
    .configureOutput({ writeOut: write, writeErr: () => undefined });
}

const helpStyle: Partial<Help> = {
  subcommandTerm: (command) => command.name(),
  subcommandDescription: (command) => command.summary(),
};

/** "link put [options] <url> <target>": at a prompt no program stands before its commands. */
function promptUsage(command: Command): string {
  const words = [command.name(), command.usage()];
  for (let at = command.parent; at?.parent; at = at.parent) words.unshift(at.name());
  return command.parent ? words.join(' ') : command.usage();
}

function addCommonOptions(command: Command, needs: CommandNeed | undefined): void {
  command.option('--json', 'one JSON object per line on stdout');
  if (needs === undefined || needs === 'itself') return;
  command.option('--data <dir>', "the node's data folder (the platform's)");
  if (needs === 'running' || needs === 'system') return;
  command.option('--keydir <dir>', 'key folder (<data>/keys)');
  if (needs === 'keys') return;
  command.option('-b, --bootstrap <addrs>', 'where to join when no node runs here: host:port,…');
  command.option('--network <profile>', 'network profile: main or local (main)');
}

/** One-dash spellings, judged by the options of the command that was named. */
function normalise(
  words: readonly string[],
  program: Command,
  entry: CommandEntry | undefined,
): string[] {
  const path = entry?.words.split(' ') ?? [];
  let command: Command | undefined = program;
  for (const name of path) command = command?.commands.find((child) => child.name() === name);
  const options = command?.options ?? [];
  const long: LongOptions = new Map([
    ...options.flatMap(({ long: flag, required }) =>
      flag ? [[flag.slice(2), { takesValue: required }] as const] : [],
    ),
    ['help', { takesValue: false }],
    ['json', { takesValue: false }],
  ]);
  const short = new Set(
    options.flatMap((option) => (option.short && option.required ? [option.short] : [])),
  );
  return [...words.slice(0, path.length), ...normaliseArgv(words.slice(path.length), long, short)];
}

/** Commander's messages as one line that says where to look further. */
function asUsageError(
  error: CommanderError,
  {
    entry,
    words,
    inShell,
  }: { entry: CommandEntry | undefined; words: readonly string[]; inShell: boolean },
): AltNetError<'USAGE'> {
  const [first = ''] = words;
  const names = commandEntries
    .map(({ words: name }) => name)
    .filter((name) => name.startsWith(`${first} `));
  if (error.code === 'commander.help') {
    return usageError(`"${first}" wants one more word: ${names.join(', ')}`);
  }
  const isExcess = error.code === 'commander.excessArguments';
  if (isExcess && entry?.words === first && names.length > 0) {
    return usageError(`"${first}" stands alone, or as one of: ${names.join(', ')}`);
  }
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*\(Did you mean (.*?)\?\)/s, '; did you mean $1?')
    .replace(/\.$/, '');
  if (isExcess && entry?.words === 'start') {
    return usageError(`${text}; a command comes first: altnet <command> [options]`);
  }
  const about = entry ? ` ${entry.words}` : commandGroups.has(first) ? ` ${first}` : '';
  const help = inShell ? `altnet${about} --help` : `help${about}`;
  return usageError(`${text}${text.endsWith('?') ? '' : ';'} see ${help}`);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const overview = [
  'A peer-to-peer web under .alt, and a second life for dead links.',
  'A node joins the network of peers and serves it to your browser. Publish a folder, give it a name, and everybody opens it at name.alt; or ask for alternatives to a URL that no longer works.',
].join('\n\n');

const examples = `
First steps:
  altnet                                    run a node; at its prompt type any of these commands
  altnet publish ./site --name alice        from another shell: publish and name a folder
  open http://alice.localhost:8080/         in any browser, on any node's machine
  altnet link get http://dead.example/page  what others know instead of a dead link

altnet <command> --help tells more. Long options may be written with one dash.
Exit codes: 0 done, 1 failed, 2 wrong usage.`;
