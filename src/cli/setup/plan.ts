/**
 * A change of the system as data: the files that it writes and the commands that make them count.
 * It is shown, made, looked at and taken back by others; here nothing is done.
 */

export interface FileChange {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  /** It takes the place of a file of somebody else, who gets that back. */
  readonly replaces?: true;
}

export interface SystemCommand {
  readonly program: string;
  readonly words: readonly string[];
  /** What it does is welcome, not needed. */
  readonly mayFail?: true;
}

/** The commands around the files; the same for every change of one kind. */
export interface PlanCommands {
  /** Once the files are there. */
  readonly activate: readonly SystemCommand[];
  /** Before the files go. */
  readonly deactivate: readonly SystemCommand[];
  /** After the files went. */
  readonly settle: readonly SystemCommand[];
}

export interface Plan extends PlanCommands {
  /** What it changes: "systemd-resolved". One word: it stands in the journal. */
  readonly variant: string;
  readonly files: readonly FileChange[];
}

export function command(program: string, ...words: string[]): SystemCommand {
  return { program, words };
}

export function optional(given: SystemCommand): SystemCommand {
  return { ...given, mayFail: true };
}

/**
 * Restarts a service also where that was done so often just now that systemd would refuse, and
 * leave it stopped.
 */
export function restartOf(unit: string, ...manager: readonly string[]): readonly SystemCommand[] {
  return [
    optional(command('systemctl', ...manager, 'reset-failed', unit)),
    command('systemctl', ...manager, 'restart', unit),
  ];
}

/** As a shell takes it. */
export function formatCommand({ program, words }: SystemCommand): string {
  return [program, ...words].map(quoteWord).join(' ');
}

export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Each file with what it holds, then the commands: what `--print` shows, and what is asked about. */
export function describePlan({ files, activate }: Plan): string[] {
  return [
    ...files.flatMap(({ path, content, mode, replaces }) => [
      `${replaces ? 'replace' : 'write'} ${path} (mode ${mode.toString(8).padStart(4, '0')}):`,
      ...content
        .trimEnd()
        .split('\n')
        .map((line) => `    ${line}`.trimEnd()),
    ]),
    ...activate.map((each) => `run ${formatCommand(each)}`),
  ];
}
