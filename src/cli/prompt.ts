/**
 * The prompt of a running node: the same commands as in a shell, one after another, with history
 * and completion. Ctrl-C stops the command that runs, empties the line that is being typed, or, on
 * an empty line, leaves; so do quit and Ctrl-D.
 */
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { AltNetError } from '../base/errors.ts';
import { splitWords, wantsJson } from './argv.ts';
import type { CommandContext, Shell } from './command.ts';
import { LineHistory } from './history.ts';

/** Where the node's log goes: above the line that is being typed, while there is one. */
export interface LogScreen {
  show: (line: string) => void;
}

const quitWords: ReadonlySet<string> = new Set(['quit', 'exit', 'q']);
const helpWords: ReadonlySet<string> = new Set(['help', 'h', '?']);

export class Prompt {
  readonly #context: CommandContext & { shell: Shell };
  readonly #screen: LogScreen;
  #running: AbortController | undefined;
  #closed = false;

  constructor(context: CommandContext & { shell: Shell }, screen: LogScreen) {
    this.#context = context;
    this.#screen = screen;
  }

  /** Resolves when the user quits, the input ends, the signal aborts or `until` settles. */
  async run({ until }: { until: Promise<void> }): Promise<void> {
    const { signal, terminal, folders, shell } = this.#context;
    const history = new LineHistory(path.join(folders.data, 'history'));
    const reader = createInterface({
      input: shell.stdin,
      output: shell.stdout,
      terminal: true,
      prompt: 'altnet> ',
      history: await history.load(),
      removeHistoryDuplicates: true,
      completer: (line: string) => completeLine(line, shell.prompt.words),
    });
    const close = (): void => reader.close();
    const showBelow = this.#screen.show;
    this.#screen.show = (line) => this.#showAbove(reader, line);
    reader.on('history', (lines: string[]) => history.save(lines));
    reader.on('SIGINT', () => this.#interrupt(reader));
    reader.on('close', () => {
      this.#closed = true;
      this.#running?.abort(new AltNetError('ABORTED', {}));
    });
    signal.addEventListener('abort', close, { once: true });
    void until.then(close, close);
    try {
      terminal.text('Type help for the commands, quit to stop the node.\n');
      if (signal.aborted) return;
      await this.#readLines(reader);
    } finally {
      signal.removeEventListener('abort', close);
      this.#screen.show = showBelow;
      reader.close();
      await history.saved();
    }
  }

  async #readLines(reader: Interface): Promise<void> {
    reader.prompt();
    for await (const line of reader) {
      if (await this.#runLine(line)) return;
      if (this.#closed) return;
      reader.prompt();
    }
    this.#context.terminal.text('\n');
  }

  /** Whether the user wants to leave. */
  async #runLine(line: string): Promise<boolean> {
    let { terminal } = this.#context;
    this.#running = new AbortController();
    try {
      const words = splitWords(line);
      const [first] = words;
      if (first === undefined) return false;
      if (quitWords.has(first)) return true;
      const argv = helpWords.has(first) ? ['help', ...words.slice(1)] : words;
      terminal = terminal.withJson(wantsJson(argv));
      await this.#runWords(argv, { terminal, signal: this.#running.signal });
    } catch (error) {
      const { aborted } = this.#running.signal;
      if (!this.#closed) terminal.failure(aborted ? new AltNetError('ABORTED', {}) : error);
    } finally {
      terminal.done();
      this.#running = undefined;
    }
    return false;
  }

  async #runWords(
    argv: readonly string[],
    { terminal, signal }: Pick<CommandContext, 'terminal' | 'signal'>,
  ): Promise<void> {
    const { prompt } = this.#context.shell;
    const parsed = await prompt.parse(argv, (text) => terminal.text(text));
    const context: CommandContext = { ...this.#context, shell: undefined, signal, terminal };
    await parsed?.definition.run(context, parsed.input);
  }

  #interrupt(reader: Interface): void {
    if (this.#running) {
      this.#running.abort(new AltNetError('ABORTED', {}));
    } else if (reader.line === '') {
      reader.close();
    } else {
      reader.write(null, { ctrl: true, name: 'e' });
      reader.write(null, { ctrl: true, name: 'u' });
    }
  }

  #showAbove(reader: Interface, line: string): void {
    const { terminal } = this.#context;
    const isTyping = this.#running === undefined && !this.#closed;
    terminal.log(isTyping ? `\r\u001B[K${line}` : line);
    if (isTyping) reader.prompt(true);
  }
}

/** What could stand where the cursor is: the words of commands, for readline. */
export function completeLine(line: string, commands: readonly string[]): [string[], string] {
  const typed = line.replace(/^\s+/, '').replace(/\s+/g, ' ');
  const candidates = [...commands, 'help', 'quit'].filter((words) => words.startsWith(typed));
  const [, start = ''] = /^(.* )?[^ ]*$/.exec(typed) ?? [];
  const rest = candidates.map((words) => words.slice(start.length).split(' ')[0] ?? '');
  return [[...new Set(rest)].map((word) => `${word} `), typed.slice(start.length)];
}
