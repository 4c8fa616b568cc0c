/** The lines typed at a prompt, kept in a file of the owner alone. Never a reason to fail. */
import { readFile, writeFile } from 'node:fs/promises';

const linesMax = 500;
const lineCharsMax = 4096;

export class LineHistory {
  readonly #file: string;
  #saving: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** Newest first, as readline wants it; empty when there is none to read. */
  async load(): Promise<string[]> {
    try {
      const lines = (await readFile(this.#file, 'utf8')).split('\n').filter((line) => line !== '');
      return lines.slice(-linesMax).toReversed();
    } catch {
      return [];
    }
  }

  /** Keeps these lines, newest first, after whatever is being written now. */
  save(lines: readonly string[]): void {
    const kept = lines.filter((line) => line.length <= lineCharsMax && !holdsSecret(line));
    const text = kept.slice(0, linesMax).toReversed().join('\n');
    this.#saving = this.#saving.then(() => this.#write(`${text}\n`));
  }

  /** Resolves when the last lines to be kept are on disk. */
  saved(): Promise<void> {
    return this.#saving;
  }

  async #write(text: string): Promise<void> {
    try {
      await writeFile(this.#file, text, { mode: 0o600 });
    } catch {
      // A full disk or a read-only folder costs the history, not the session.
    }
  }
}

/** A key that is typed in is a secret that must not outlive the screen. */
function holdsSecret(line: string): boolean {
  return /\bkey\s+import\b|import-key|registrar-token/.test(line);
}
