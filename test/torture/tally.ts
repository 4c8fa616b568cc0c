/** What a scenario did and found, as numbers and as findings that say how to see them again. */

export interface Finding {
  /** loss: something acknowledged is gone or changed. accounting: the store contradicts itself. */
  readonly kind: 'loss' | 'accounting' | 'failure';
  readonly what: string;
  /** Where in the run: scenario, lane, round, operation. */
  readonly where: string;
}

export class Tally {
  readonly scenario: string;
  readonly findings: Finding[] = [];
  readonly recoveriesMs: number[] = [];
  /** Sentences for the report: what was left out, what was seen besides. */
  readonly notes: string[] = [];
  #skipped: string | undefined;
  /** BOUNDED by the kinds that the scenarios name. */
  readonly #faults = new Map<string, number>();
  readonly #acknowledged = new Map<string, number>(); // BOUNDED likewise
  readonly #seen = new Map<string, number>(); // BOUNDED likewise
  #checks = 0;

  constructor(scenario: string) {
    this.scenario = scenario;
  }

  /** Something was broken on purpose. */
  fault(kind: string, count = 1): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
  }

  /** A node has said that it has this. */
  acknowledged(kind: string, count = 1): void {
    this.#acknowledged.set(kind, (this.#acknowledged.get(kind) ?? 0) + count);
  }

  /** One acknowledged item was looked at again after a fault. */
  checked(count = 1): void {
    this.#checks += count;
  }

  recovered(ms: number): void {
    this.recoveriesMs.push(ms);
  }

  found(finding: Finding): void {
    this.findings.push(finding);
  }

  /** There was so much of it at a time; the most of all times is reported. */
  saw(what: string, count: number): void {
    this.#seen.set(what, Math.max(count, this.#seen.get(what) ?? 0));
  }

  get seen(): ReadonlyMap<string, number> {
    return this.#seen;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** It cannot run here, for this reason. */
  skip(why: string): void {
    this.#skipped = why;
  }

  get skipped(): string | undefined {
    return this.#skipped;
  }

  get faults(): ReadonlyMap<string, number> {
    return this.#faults;
  }

  get acknowledgements(): ReadonlyMap<string, number> {
    return this.#acknowledged;
  }

  get checks(): number {
    return this.#checks;
  }

  count(kind: Finding['kind']): number {
    return this.findings.filter((finding) => finding.kind === kind).length;
  }
}

export function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
