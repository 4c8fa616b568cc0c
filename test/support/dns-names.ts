/** Names for tests of the DNS service: which exist, and how long it takes to find out. */
import { AltNetError, type ErrorCode } from '../../src/base/errors.ts';
import type {
  NameResolver,
  NameState,
  ResolvedName,
  ResolveOptions,
} from '../../src/name/types.ts';
import { untilAborted } from '../../src/base/abort.ts';

export class DnsNames implements NameResolver {
  /** By name with its ending; all others are not found. */
  readonly states: Map<string, NameState> = new Map<string, NameState>(); // BOUNDED by the test
  /** What was looked for, in order. */
  readonly asked: string[] = [];
  /** Rejects with this instead, when set. */
  failure: ErrorCode | undefined;
  /** Nobody is answered before it resolves. */
  gate: Promise<void> | undefined;
  /** Nodes that answered. */
  answered = 3;

  constructor(...existing: string[]) {
    for (const name of existing) this.states.set(name, 'ok');
  }

  async resolve(name: string, { signal }: ResolveOptions = {}): Promise<ResolvedName> {
    this.asked.push(name);
    if (this.gate) await untilAborted(this.gate, signal);
    if (this.failure) throw new AltNetError(this.failure, {});
    return { name, state: this.states.get(name) ?? 'not-found', asked: this.answered };
  }
}
