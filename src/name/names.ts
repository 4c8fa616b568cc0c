/**
 * Names: resolve, register, update, transfer, release and list (docs/spec/names.md). It brings
 * resolving, memory, who may write where, and writing together; each of them is a file of its own.
 */
import type { CID } from 'multiformats/cid';
import { type Abortable, abortReason } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import { type Denials, noDenials } from '../base/denial.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { KeyedTurns } from '../base/keyed-turns.ts';
import { versionOf } from '../record/envelope.ts';
import { isRoot } from '../record/root.ts';
import { serialOf } from '../record/zone.ts';
import { NamesBelow } from './below.ts';
import { WriteGuard } from './denied.ts';
import type { NamedCertificate } from './certificate-text.ts';
import { Certificates } from './certificates.ts';
import { Handover } from './handover.ts';
import { OwnNames, shownBy } from './own.ts';
import { OwnZone } from './own-zone.ts';
import { Pins } from './pins.ts';
import { type NameAddress, type NamePlace, parseAddress, placeInZone } from './place.ts';
import type { NameNotes, NamePublisher, NameSearch, ReadZoneFile } from './ports.ts';
import { Resolver, type ResolverDeps, resolverDefaults, type ResolverOptions } from './resolver.ts';
import type { Survey } from './survey.ts';
import type {
  NameResolver,
  OfferedName,
  OwnName,
  RegisteredName,
  ReleasedName,
  ResolvedName,
  ResolveOptions,
} from './types.ts';
import { WritablePlaces } from './writable.ts';
import { type NameDraft, NameWriter, type WriteOptions, type WriterDeps } from './writer.ts';

export interface NamesDeps extends WriterDeps, Pick<ResolverDeps, 'withdrawalsHeld'> {
  readonly dht: NameSearch;
  readonly publisher: NamePublisher;
  /** Where owners seen before are remembered. */
  readonly notes: NameNotes;
  readonly readZoneFile: ReadZoneFile;
  /** What neither resolves nor is published; left out: nothing. */
  readonly denials?: Denials | undefined;
}

export type NamesOptions = ResolverOptions;

export const namesDefaults: NamesOptions = resolverDefaults;

export interface UpdateOptions extends WriteOptions {
  /** All names below this one, by label. */
  readonly subnames?: ReadonlyMap<string, CID> | undefined;
  /** Root of a file with more of them. */
  readonly zoneFile?: CID | undefined;
}

export interface RegisterOptions extends UpdateOptions {
  /** A registrar's public key: this author's own, or that of the certificate. */
  readonly zone?: Bytes | undefined;
  /** A registrar's leave to write this name; else the one that was accepted for it. */
  readonly certificate?: NamedCertificate | undefined;
}

/** Writes that go on or wait. */
const writesMax = 256;

export class Names implements NameResolver {
  /** What this author takes as a registrar. */
  readonly ownZone: OwnZone;
  readonly #own: OwnNames;
  readonly #resolver: Resolver;
  readonly #guard: WriteGuard;
  readonly #below: NamesBelow;
  readonly #places: WritablePlaces;
  readonly #certificates: Certificates;
  readonly #handover: Handover;
  readonly #trustedZones: ResolverOptions['trustedZones'];
  readonly #writer: NameWriter;
  readonly #turns = new KeyedTurns({ pendingMax: writesMax, what: 'names' });
  readonly #stopping = new AbortController();

  constructor(deps: NamesDeps, options: Partial<NamesOptions> = {}) {
    const { dht, publisher, notes, authorKey, network, world, log } = deps;
    const { denials = noDenials, withdrawalsHeld } = deps;
    const { clock } = world;
    const pins = new Pins({ notes, clock, network });
    const own = new OwnNames({ publisher, author: authorKey.publicKey, pins, network });
    this.#own = own;
    const resolving = { ...namesDefaults, ...options };
    const { trustedZones: zones } = resolving;
    this.#trustedZones = zones;
    this.#resolver = new Resolver(
      { dht, own, pins, network, world, log, denials, withdrawalsHeld },
      resolving,
    );
    this.#guard = new WriteGuard(denials, zones);
    this.#below = new NamesBelow(deps.readZoneFile, denials);
    this.#places = new WritablePlaces({
      own,
      author: authorKey.publicKey,
      zones,
      clock,
      survey: (place, signal) => this.#survey(place, signal),
    });
    const { publicKey: author } = authorKey;
    this.ownZone = new OwnZone({
      own,
      zone: author,
      survey: (place, signal) => this.#survey(place, signal),
      write: (address, draft, writing) =>
        this.#inTurn(address, writing, () => this.#publish(address, draft, writing)),
    });
    this.#certificates = new Certificates({ notes, author, zones, clock, network });
    this.#writer = new NameWriter(deps);
    this.#handover = new Handover({
      authorKey,
      network,
      world,
      held: (address, asking) => this.#places.held(address, asking),
      leaveUnder: (place) => this.#certificates.under(place),
      write: (address, draft, writing) => this.#publish(address, draft, writing),
    });
  }

  /** Ends what goes on behind answers, with ABORTED for who waits. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#resolver.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** See `NameResolver`. Answers from memory for a few minutes, and then says so. */
  async resolve(name: string, options: ResolveOptions = {}): Promise<ResolvedName> {
    const { signal } = options;
    signal?.throwIfAborted();
    const address = parseAddress(name);
    const answer = await this.#resolver.resolve(address.apex, options);
    const { sub } = address;
    return sub === undefined
      ? answer.resolved
      : this.#below.resolve({ ...address, sub }, answer, signal);
  }

  /** How often names were answered, by state; one below another counts as that one. */
  counts(): Readonly<Record<string, number>> {
    return this.#resolver.counts();
  }

  /**
   * Takes a free name or one that was offered to this author, or updates one that is this
   * author's. A name below another is an update of that one. Rejects with BAD_NAME, BAD_ROOT,
   * NAME_TAKEN, NAME_CONTESTED, NAME_NOT_YOURS (another's key name), CERTIFICATE_BAD,
   * RECORD_REFUSED, NO_PEERS (it is published as soon as there are some), TIMEOUT, ABORTED, and
   * with NAME_REVOKED, NAME_BLOCKED, CONTENT_REVOKED or CONTENT_BLOCKED for what is denied.
   */
  async register(name: string, root: CID, options: RegisterOptions = {}): Promise<RegisteredName> {
    requireRoot(root);
    const address = parseAddress(name);
    const { zone, subnames, zoneFile, signal } = options;
    this.#guard.requireName(address);
    const certificate = this.#leaveFor(address, options);
    if (address.sub !== undefined) return this.update(name, root, options);
    const places = this.#places.toTake(address.apex, { zone, certificate });
    return this.#inTurn(address, options, async () => {
      const serial = certificate?.serial;
      const holding = await this.#places.take(places, { serial, signal });
      if (options.certificate) await this.#certificates.remember(options.certificate);
      const change = { root, subnames, zoneFile };
      return this.#write(address, { ...holding, change, certificate, root }, options);
    });
  }

  /**
   * Keeps a registrar's certificate for the name that it is about. A name that is published already
   * is signed anew with it, and so lives on. Rejects with CERTIFICATE_BAD, and then like `update`.
   */
  async accept(
    certificate: NamedCertificate,
    options: WriteOptions = {},
  ): Promise<RegisteredName | undefined> {
    this.#certificates.requireUsable(certificate);
    const address = parseAddress(certificate.label);
    return this.#inTurn(address, options, async () => {
      await this.#certificates.remember(certificate);
      const place = placeInZone(address, certificate.zone);
      const published = this.#own.under(place);
      const shown = published && shownBy(published);
      if (!shown || serialOf(published) >= certificate.serial) return undefined;
      const draft = { place, mine: [published], change: {}, certificate, root: shown.root };
      return this.#write(address, draft, options);
    });
  }

  /** Whether this author has a name of the open zone that visitors of this node see. */
  #isOpen(apex: NameAddress['apex']): boolean {
    if (apex.type === 'key' || this.#trustedZones().length > 0) return false;
    return this.#own.zonesOf(apex.label).includes(undefined);
  }

  /** The certificate to write with: the one given, if it can be used, or one accepted before. */
  #leaveFor(
    { apex, sub, name }: NameAddress,
    { certificate, zone }: Pick<RegisterOptions, 'certificate' | 'zone'>,
  ): NamedCertificate | undefined {
    if (!certificate) return this.#isOpen(apex) ? undefined : this.#certificates.of(apex, zone);
    if (sub !== undefined) {
      const why = `a certificate is for ${apex.name}; register that one with it first`;
      throw new AltNetError('BAD_ARGUMENT', { what: name, why });
    }
    this.#certificates.requireUsable(certificate, apex);
    return certificate;
  }

  /**
   * Rejects as `register` would, as far as one look tells: for who has long work to do before. That
   * nobody answers is seen only then.
   */
  async requireWritable(
    name: string,
    { signal, certificate: given }: Abortable & Pick<RegisterOptions, 'certificate'> = {},
  ): Promise<void> {
    const address = parseAddress(name);
    this.#guard.requireName(address);
    const certificate = this.#leaveFor(address, { certificate: given });
    if (address.sub !== undefined) await this.#places.held(address, { signal });
    else {
      const places = this.#places.toTake(address.apex, { certificate });
      await this.#places.take(places, { serial: certificate?.serial, signal });
    }
  }

  /** Whether this author may take a name that nobody holds, as far as is known without asking. */
  mayTake(name: string): boolean {
    const address = parseAddress(name);
    try {
      const certificate = this.#leaveFor(address, {});
      return this.#places.toTake(address.apex, { certificate }).length > 0;
    } catch (error) {
      if (isAltNetError(error)) return false;
      throw error;
    }
  }

  /**
   * Lets an own name show another root, or one below it. Rejects like `register`, and with
   * NAME_NOT_FOUND or NAME_NOT_YOURS when there is nothing to update.
   */
  async update(name: string, root: CID, options: UpdateOptions = {}): Promise<RegisteredName> {
    requireRoot(root);
    const address = parseAddress(name);
    this.#guard.requireName(address);
    const { subnames, zoneFile } = options;
    const change =
      address.sub === undefined
        ? { root, subnames, zoneFile }
        : { below: { label: address.sub, root }, zoneFile };
    return this.#inTurn(address, options, async () => {
      const holding = await this.#places.held(address, options);
      const certificate = this.#certificates.under(holding.place);
      return this.#write(address, { ...holding, change, certificate, root }, options);
    });
  }

  /**
   * Offers an own name of the open zone to another author, who takes it by registering or updating
   * it. It cannot be taken back. Rejects like `update`, and with BAD_ARGUMENT for a name that
   * cannot be passed on and a key that is none.
   */
  async transfer(name: string, newOwner: Bytes, options: WriteOptions = {}): Promise<OfferedName> {
    const address = parseAddress(name);
    this.#guard.requireName(address);
    return this.#inTurn(address, options, () => this.#handover.offer(address, newOwner, options));
  }

  /**
   * Gives an own name up; others can take it after a week, this author at once. Below a name it
   * only removes that label. Rejects like `update`.
   */
  async release(name: string, options: WriteOptions = {}): Promise<ReleasedName> {
    const address = parseAddress(name);
    return this.#inTurn(address, options, () => this.#handover.release(address, options));
  }

  /** What this node's author publishes from here and keeps alive. */
  list(): readonly OwnName[] {
    return this.#own.list();
  }

  /** Whether an own name resolves here: not if it is in a zone that this node does not trust. */
  opensHere(name: string): boolean {
    return this.#own.isSeenFrom(this.#trustedZones(), parseAddress(name).apex);
  }

  /** A name and those below it share a record. */
  #inTurn<T>({ apex }: NameAddress, { signal }: WriteOptions, write: () => Promise<T>): Promise<T> {
    return this.#turns.run(apex.name, write, signal);
  }

  async #survey(place: NamePlace, signal: AbortSignal | undefined): Promise<Survey> {
    signal?.throwIfAborted();
    const { signal: stopping } = this.#stopping;
    const ended = signal ? AbortSignal.any([signal, stopping]) : stopping;
    if (ended.aborted) throw abortReason(ended);
    return this.#resolver.survey(place, ended);
  }

  async #write(
    address: NameAddress,
    { root, ...draft }: NameDraft & { root: CID },
    options: WriteOptions,
  ): Promise<RegisteredName> {
    const { record, stored } = await this.#publish(address, draft, options);
    const { seq, expires } = record;
    const zone = draft.place.type === 'label' ? draft.place.zone : undefined;
    const version = versionOf(seq);
    return { name: address.name, root, version, expires, ...(zone && { zone }), stored };
  }

  async #publish(
    { apex }: NameAddress,
    draft: NameDraft,
    options: WriteOptions,
  ): ReturnType<NameWriter['write']> {
    this.#guard.requireDraft(draft);
    try {
      const written = await this.#writer.write(draft, options);
      await this.#resolver.remember(written.record);
      return written;
    } finally {
      this.#resolver.forget(apex);
    }
  }
}

function requireRoot(root: CID): void {
  if (!isRoot(root)) throw new AltNetError('BAD_ROOT', { text: root.toString() });
}
