/**
 * A process of a bench that answers each message with one: a process each, so that CPU time and
 * memory of one measurement are not those of another.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';

export interface ForkOptions {
  readonly args?: readonly string[];
  readonly flags?: readonly string[];
}

export class Forked<Question extends object, Answer extends object> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** `file` is beside this one, or an absolute path. */
  constructor(file: string, { args = [], flags = [] }: ForkOptions = {}) {
    this.#child = fork(path.resolve(import.meta.dirname, file), [...args], {
      serialization: 'advanced',
      stdio: 'inherit',
      execArgv: [...flags],
    });
    this.#exited = once(this.#child, 'exit');
  }

  /** One question at a time. Rejects when the process ends instead. */
  async ask(question: Question): Promise<Answer> {
    const failed = this.#exited.then(() => {
      throw new Error('a process of the bench ended early');
    });
    failed.catch(() => undefined);
    const answered = once(this.#child, 'message') as Promise<[Answer]>;
    this.#child.send(question);
    const [answer] = await Promise.race([answered, failed]);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

/**
 * In the process: answers until the one that started it ends it. What it is asked, the two agree
 * on: hence `never`, which any question is passed as.
 */
export function answerWith(answer: (question: never) => Promise<object>): void {
  process.on('message', (question) => {
    answer(question as never).then(
      (said) => process.send?.(said),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit());
}
