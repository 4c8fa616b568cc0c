/**
 * A machine of its own for `altnet setup`: real files below a temporary root, and only those of the
 * real programs that a test lets in. Nothing of the machine that runs the test is changed.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LocalSystem, type LocalSystemOptions } from '../../src/cli/setup/local-system.ts';
import type { Outcome, RunOptions } from '../../src/cli/setup/system.ts';
import { type Ending, temporaryFolder } from './cleanup.ts';

export type Program = (words: readonly string[], options: RunOptions) => Outcome | Promise<Outcome>;

export const succeed = (stdout = ''): Outcome => ({ code: 0, stdout, stderr: '' });
export const failWith = (stderr: string, code = 1): Outcome => ({ code, stdout: '', stderr });
export const noProgram: Outcome = { code: undefined, stdout: '', stderr: '' };

export interface TestSystemOptions extends Omit<LocalSystemOptions, 'root'> {
  readonly programs?: Readonly<Record<string, Program>>;
  /** Run as they are. */
  readonly real?: readonly string[];
  /** Host and addresses. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
}

export class TestSystem extends LocalSystem {
  readonly root: string;
  /** Each command that was run, as one text. */
  readonly ran: string[] = [];
  readonly hosts: Map<string, readonly string[]> = new Map(); // BOUNDED by what the test puts there
  readonly #programs: Readonly<Record<string, Program>>;
  readonly #real: ReadonlySet<string>;

  constructor(root: string, { programs = {}, real = [], hosts = {}, ...rest }: TestSystemOptions) {
    const given = {
      isRoot: true,
      sudoUser: undefined,
      home: '/home/u',
      platform: 'linux' as const,
    };
    super({ ...given, ...rest, root });
    this.root = root;
    this.#programs = programs;
    this.#real = new Set(real);
    for (const [host, addresses] of Object.entries(hosts)) this.hosts.set(host, addresses);
  }

  override async run(
    program: string,
    words: readonly string[],
    options: RunOptions = {},
  ): Promise<Outcome> {
    this.ran.push([program, ...words].join(' '));
    const scripted = this.#programs[program];
    if (scripted) return scripted(words, options);
    return this.#real.has(program) ? super.run(program, words, options) : noProgram;
  }

  override async lookup(host: string): Promise<readonly string[] | undefined> {
    return this.hosts.get(host);
  }

  /** Writes a file of this machine, as somebody else would. */
  put(file: string, content: string, mode = 0o644): void {
    const outside = this.outside(file);
    mkdirSync(path.dirname(outside), { recursive: true });
    writeFileSync(outside, content, { mode });
  }

  /** Every file and folder, with its mode and content. */
  tree(): Readonly<Record<string, string>> {
    const names = readdirSync(this.root, { recursive: true, encoding: 'utf8' }).toSorted();
    return Object.fromEntries(
      names.map((name) => {
        const full = path.join(this.root, name);
        const info = statSync(full);
        const mode = (info.mode & 0o777).toString(8);
        return [`/${name}`, info.isFile() ? `${mode} ${readFileSync(full, 'latin1')}` : mode];
      }),
    );
  }
}

export function testSystem(t: Ending, options: TestSystemOptions = {}): TestSystem {
  return new TestSystem(temporaryFolder(t), options);
}
