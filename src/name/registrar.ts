/**
 * A registrar at work: certifies names of its own zone, withdraws them, and keeps withdrawals in
 * force for as long as an earlier certificate could bring a name back (docs/spec/names.md,
 * "Certificates"). How a name is searched and written is not known here.
 */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { unixSeconds, type World } from '../base/clock.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { KeyedTurns } from '../base/keyed-turns.ts';
import type { Logger } from '../base/logger.ts';
import { withDeadline } from '../base/abort.ts';
import { reasonOf } from '../base/reason.ts';
import { firstThen, repeat } from '../dht/loops.ts';
import { reservedSeconds } from '../dht/rules/ownership.ts';
import { isPublicKey } from '../identity/curve.ts';
import type { SigningKey } from '../identity/key.ts';
import { clockToleranceSeconds } from '../record/acceptance.ts';
import { nameLifetimeSecondsMax } from '../record/name.ts';
import { signCertificate } from '../record/zone.ts';
import { encodeCertificate, type NamedCertificate } from './certificate-text.ts';
import type { OwnZone, SeenInZone } from './own-zone.ts';
import { parseAddress } from './place.ts';
import type { NameNotes } from './ports.ts';
import { type JournalEntry, RegistrarJournal } from './registrar-journal.ts';

export interface RegistrarDeps {
  /** The names of the registrar's own zone. */
  readonly names: Pick<OwnZone, 'seen' | 'withdraw'>;
  readonly notes: NameNotes;
  /** The registrar's key is this node's author key. */
  readonly authorKey: SigningKey;
  /** `networkId(profile)`. */
  readonly network: Bytes;
  readonly world: World;
  readonly log: Logger;
}

export interface IssuedCertificate extends NamedCertificate {
  /** With its ending. */
  readonly name: string;
  readonly state: 'valid' | 'not-yet' | 'expired' | 'withdrawn';
  /** What the owner is given. */
  readonly text: string;
}

interface CertifyOptions {
  /** How long it holds, 1 to `certificateDaysMax`. */
  readonly days?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const daySeconds = 86_400;
export const certificateDays = 365;
export const certificateDaysMax = 3650;

/** Times in records have 32 bits. */
const unixSecondsMax = 0xffff_ffff;
/** A withdrawal lives 90 days among storers; until then it is given to them anew. */
const announceAgainSeconds = 30 * daySeconds;
const upkeepMs = 60 * 60_000;
/** After a start, others are to be found first. */
const firstUpkeepMs = 60_000;
/** So long the network may take to say which serial it has seen. */
const lookMs = 10_000;
const turnsMax = 256;

export class Registrar implements AsyncDisposable {
  readonly #deps: RegistrarDeps;
  readonly #journal: RegistrarJournal;
  readonly #turns = new KeyedTurns({ pendingMax: turnsMax, what: 'certificates' });
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(deps: RegistrarDeps) {
    this.#deps = deps;
    const { notes, authorKey, network } = deps;
    this.#journal = new RegistrarJournal({ notes, zone: authorKey.publicKey, network });
  }

  /** Sees to withdrawals from now on. */
  start(): void {
    const { world, log } = this.#deps;
    const delayMs = firstThen(firstUpkeepMs, upkeepMs);
    this.#loop ??= repeat(
      { name: 'keep names withdrawn', delayMs, run: (signal) => this.#announceDue(signal) },
      { timers: world.timers, log, signal: this.#stopping.signal },
    );
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Lets an author write a name until the days are over, instead of whoever could before, as soon
   * as that author writes it. Rejects with BAD_NAME, BAD_ARGUMENT, BUSY, DISK_FULL, ABORTED.
   */
  async certify(
    name: string,
    owner: Bytes,
    { days = certificateDays, signal }: CertifyOptions = {},
  ): Promise<IssuedCertificate> {
    const label = labelOfZone(name);
    requireOwner(owner);
    requireDays(days);
    return this.#turns.run(label, () => this.#certify(label, owner, { days, signal }), signal);
  }

  /**
   * A name stops resolving wherever this registrar is trusted, whoever holds a certificate for it.
   * Again, it is said to the network again. Rejects with BAD_NAME, NAME_NOT_FOUND for a name that
   * it has not given, RECORD_REFUSED, NO_PEERS (it is said as soon as there are some), ABORTED.
   */
  async withdraw(
    name: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<{ readonly name: string; readonly stored: number }> {
    const label = labelOfZone(name);
    return this.#turns.run(label, () => this.#withdraw(label, signal), signal);
  }

  /** The latest certificate of each name, by name. */
  list(): IssuedCertificate[] {
    return this.#journal.list().map((entry) => this.#issued(entry));
  }

  /**
   * With what the registrar itself writes a name of its zone that was certified before: the
   * certificates of others must not go before its own records. Undefined where it needs none.
   * Rejects with NAME_TAKEN as long as it has given the name to another.
   */
  async leaveForSelf(
    name: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<NamedCertificate | undefined> {
    const label = labelOfZone(name);
    const self = this.#deps.authorKey.publicKey;
    const entry = this.#journal.get(label);
    if (!entry) return undefined;
    const { certificate, isWithdrawn } = entry;
    const isValid = !isWithdrawn && certificate.notAfter > this.#now();
    const isOwn = equalBytes(certificate.owner, self);
    if (isValid && isOwn) return certificate;
    if (!isValid) return this.certify(name, self, { ...options, days: certificateDaysMax });
    throw new AltNetError('NAME_TAKEN', { name: `${label}.alt`, owner: toHex(certificate.owner) });
  }

  async #certify(
    label: string,
    owner: Bytes,
    { days, signal }: { readonly days: number; readonly signal: AbortSignal | undefined },
  ): Promise<IssuedCertificate> {
    const now = this.#now();
    const before = this.#journal.get(label);
    const seen = await this.#look(label, signal);
    const certificate = this.#sign({
      label,
      owner,
      serial: serialAbove(before, seen.serial, now),
      notAfter: now + days * daySeconds,
    });
    const outrankUntil = Math.max(before?.outrankUntil ?? 0, certificate.notAfter);
    const entry = { certificate, isWithdrawn: false, outrankUntil, announced: 0 };
    await this.#journal.put(entry);
    return this.#issued(entry);
  }

  async #withdraw(
    label: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly name: string; readonly stored: number }> {
    const name = `${label}.alt`;
    const entry = this.#journal.get(label);
    const seen = await this.#look(label, signal);
    if (!entry && !seen.isHeld) {
      throw new AltNetError('NAME_NOT_FOUND', { name, uncertified: true });
    }
    // What a lost journal does not know may have been given for as long as is possible.
    const unknownUntil = this.#now() + certificateDaysMax * daySeconds;
    const outrankUntil = entry?.outrankUntil ?? unknownUntil;
    return { name, stored: await this.#announce(label, { entry, seen, outrankUntil, signal }) };
  }

  /** Written down first: what is killed in between is said after the next start. */
  async #announce(
    label: string,
    {
      entry,
      seen,
      outrankUntil,
      signal,
    }: {
      readonly entry: JournalEntry | undefined;
      readonly seen: { readonly serial: number };
      readonly outrankUntil: number;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<number> {
    const now = this.#now();
    const certificate = this.#sign({
      label,
      owner: this.#deps.authorKey.publicKey,
      serial: serialAbove(entry, seen.serial, now),
      // Beyond what it outranks, which stands as expired for a while where it is not known.
      notAfter: Math.max(outrankUntil + reservedSeconds, now + nameLifetimeSecondsMax),
    });
    const withdrawal = { certificate, isWithdrawn: true, outrankUntil };
    await this.#journal.put({ ...withdrawal, announced: 0 });
    const stored = await this.#deps.names.withdraw(certificate, { signal });
    await this.#journal.put({ ...withdrawal, announced: now });
    return stored;
  }

  /** Withdrawals that storers would forget, and names whose last certificate ends before others. */
  async #announceDue(signal: AbortSignal): Promise<void> {
    const { log } = this.#deps;
    for (const { certificate } of this.#journal.list().filter((entry) => this.#isDue(entry))) {
      const { label } = certificate;
      const work = async (): Promise<void> => {
        const entry = this.#journal.get(label);
        if (!entry || !this.#isDue(entry)) return;
        const { outrankUntil } = entry;
        const seen = await this.#look(label, signal);
        await this.#announce(label, { entry, seen, outrankUntil, signal });
      };
      try {
        await this.#turns.run(label, work, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn('a name could not be kept withdrawn', { why: reasonOf(error) });
      }
    }
  }

  #isDue({ certificate, isWithdrawn, outrankUntil, announced }: JournalEntry): boolean {
    const now = this.#now();
    if (now >= outrankUntil) return false;
    return isWithdrawn ? now - announced > announceAgainSeconds : now >= certificate.notAfter;
  }

  /** Silence keeps no registrar from working: a serial that grows with time is above all others. */
  async #look(label: string, signal: AbortSignal | undefined): Promise<SeenInZone> {
    const { names, world } = this.#deps;
    const limits = { timers: world.timers, ms: lookMs, what: label, signal };
    try {
      return await withDeadline(limits, (inTime) => names.seen(label, { signal: inTime }));
    } catch (error) {
      signal?.throwIfAborted();
      if (isAltNetError(error)) return { serial: 0, isHeld: false };
      throw error;
    }
  }

  #sign(terms: {
    readonly label: string;
    readonly owner: Bytes;
    readonly serial: number;
    readonly notAfter: number;
  }): NamedCertificate {
    const { authorKey: key, network } = this.#deps;
    const times = {
      // The owner's clock may be behind.
      notBefore: this.#now() - clockToleranceSeconds,
      notAfter: Math.min(terms.notAfter, unixSecondsMax),
    };
    const signed = signCertificate({ ...terms, ...times }, { key, network });
    return { ...signed, label: terms.label, owner: terms.owner, network };
  }

  #issued({ certificate, isWithdrawn }: JournalEntry): IssuedCertificate {
    const now = this.#now();
    const { notBefore, notAfter, label } = certificate;
    const ended = now >= notAfter ? 'expired' : 'valid';
    const state = isWithdrawn ? 'withdrawn' : now < notBefore ? 'not-yet' : ended;
    return { ...certificate, name: `${label}.alt`, state, text: encodeCertificate(certificate) };
  }

  #now(): number {
    return unixSeconds(this.#deps.world.clock);
  }
}

/**
 * Above all that were given for this name. The time as well, in seconds: where the journal was lost
 * and the owner has not written yet, nobody else knows what was given.
 */
function serialAbove(entry: JournalEntry | undefined, seen: number, now: number): number {
  return Math.max((entry?.certificate.serial ?? 0) + 1, seen + 1, now);
}

function labelOfZone(name: string): string {
  const { apex, sub } = parseAddress(name);
  if (apex.type === 'label' && sub === undefined) return apex.label;
  const why = 'a registrar gives names of one label, such as alice.alt';
  throw new AltNetError('BAD_NAME', { name, why });
}

function requireOwner(owner: Bytes): void {
  if (isPublicKey(owner)) return;
  throw new AltNetError('BAD_ARGUMENT', { what: toHex(owner), why: 'that is no public key' });
}

function requireDays(days: number): void {
  if (Number.isInteger(days) && days >= 1 && days <= certificateDaysMax) return;
  const why = `a whole number from 1 to ${certificateDaysMax}`;
  throw new AltNetError('BAD_ARGUMENT', { what: 'days', why });
}
