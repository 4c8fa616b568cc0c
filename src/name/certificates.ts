/**
 * Certificates as their owner has them: whether one can be used, and those that were accepted,
 * remembered with their names. Who signs them is the business of registrar.ts.
 */
import { type Bytes, equalBytes, parseUtf8, toHex, utf8 } from '../base/bytes.ts';
import { type Clock, unixSeconds } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { keyName } from '../record/label.ts';
import { isCertified, nameKey } from '../record/zone.ts';
import {
  certificateBad,
  encodeCertificate,
  type NamedCertificate,
  parseCertificate,
} from './certificate-text.ts';
import { type Apex, labelPlace, type NamePlace } from './place.ts';
import type { NameNotes } from './ports.ts';

export interface CertificatesDeps {
  readonly notes: NameNotes;
  /** The author's public key. */
  readonly author: Bytes;
  /** Public keys of the registrars that this node trusts; none: it trusts nobody yet. */
  readonly zones: () => readonly Bytes[];
  readonly clock: Clock;
  /** `networkId(profile)`. */
  readonly network: Bytes;
}

const prefix = 'certificate/';
/** An author with so many names has other worries. */
const rememberedMax = 10_000;

export class Certificates {
  readonly #deps: CertificatesDeps;

  constructor(deps: CertificatesDeps) {
    this.#deps = deps;
  }

  /**
   * Throws CERTIFICATE_BAD with the reason, if this author cannot write `apex` with it now. What a
   * later serial took back, only the network knows.
   */
  requireUsable(certificate: NamedCertificate, apex?: Apex): void {
    const { author, zones, clock, network } = this.#deps;
    const { label, owner, zone, notBefore, notAfter, serial } = certificate;
    const now = unixSeconds(clock);
    const trusted = zones();
    if (apex && apex.name !== `${label}.alt`) throw certificateBad(`it is for ${label}.alt`);
    if (!equalBytes(certificate.network, network)) throw certificateBad('it is of another network');
    if (!equalBytes(owner, author)) {
      const mine = `this node's author is ${keyName(author)}.alt`;
      throw certificateBad(`it is for another author, ${keyName(owner)}.alt; ${mine}`);
    }
    const about = { key: nameKey(label, zone), owner, network };
    if (!isCertified(certificate, about)) throw certificateBad('its signature is wrong');
    if (trusted.length > 0 && !trusted.some((key) => equalBytes(key, zone))) {
      const how = 'its key has to stand in trusted-registrars.txt';
      throw certificateBad(`this node does not trust its registrar, ${toHex(zone)}; ${how}`);
    }
    if (now >= notAfter) throw certificateBad(`it ended on ${dayOf(notAfter)}`);
    if (now < notBefore) throw certificateBad(`it begins on ${momentOf(notBefore)}`);
    const known = this.#noted(about.key);
    if (known && known.serial > serial) {
      throw certificateBad(`a later one for ${label}.alt was accepted here`);
    }
  }

  /**
   * What was accepted for the name, of the registrar that comes first; where none is trusted, the
   * one that begins last.
   */
  of(apex: Apex, zone?: Bytes): NamedCertificate | undefined {
    if (apex.type === 'key') return undefined;
    const trusted = zone ? [zone] : this.#deps.zones();
    const zones = trusted.length > 0 ? trusted : this.#zonesOf(apex.label);
    return zones
      .map((key) => this.under(labelPlace(apex, key)))
      .find((certificate) => certificate !== undefined);
  }

  /** What was accepted for this place, unless it has ended or cannot be used yet. */
  under({ key }: Pick<NamePlace, 'key'>): NamedCertificate | undefined {
    const now = unixSeconds(this.#deps.clock);
    const noted = this.#noted(key);
    return noted && noted.notBefore <= now && now < noted.notAfter ? noted : undefined;
  }

  /** Of which registrars something was accepted, the one that begins last first. */
  #zonesOf(label: string): Bytes[] {
    const all = this.#deps.notes.list(prefix).map(({ value }) => decode(value));
    return all
      .filter((certificate) => certificate !== undefined)
      .filter((certificate) => certificate.label === label)
      .toSorted((a, b) => b.notBefore - a.notBefore)
      .map(({ zone }) => zone);
  }

  /** Instead of an earlier one of this name and registrar. */
  async remember(certificate: NamedCertificate): Promise<void> {
    const { notes } = this.#deps;
    const key = nameKey(certificate.label, certificate.zone);
    const known = this.#noted(key);
    if (known && known.serial >= certificate.serial) return;
    if (!known) await this.#makeRoom();
    await notes.put(noteName(key), utf8(encodeCertificate(certificate)));
  }

  /** The one that ends first goes first. */
  async #makeRoom(): Promise<void> {
    const { notes } = this.#deps;
    const all = notes.list(prefix);
    if (all.length < rememberedMax) return;
    const byEnd = all
      .map(({ name, value }) => ({ name, notAfter: decode(value)?.notAfter ?? 0 }))
      .toSorted((a, b) => a.notAfter - b.notAfter);
    await notes.removeAll(byEnd.slice(0, rememberedMax / 10).map(({ name }) => name));
  }

  /** Keys of authors and networks may have been others when it was noted. */
  #noted(key: Bytes): NamedCertificate | undefined {
    const { notes, author, network } = this.#deps;
    const value = notes.get(noteName(key));
    const certificate = value && decode(value);
    if (!certificate) return undefined;
    const isMine =
      equalBytes(certificate.owner, author) && equalBytes(certificate.network, network);
    return isMine ? certificate : undefined;
  }
}

function noteName(key: Bytes): string {
  return prefix + toHex(key);
}

function decode(value: Bytes): NamedCertificate | undefined {
  try {
    return parseCertificate(parseUtf8(value) ?? '');
  } catch (error) {
    if (isAltNetError(error, 'CERTIFICATE_BAD')) return undefined;
    throw error;
  }
}

function momentOf(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function dayOf(seconds: number): string {
  return momentOf(seconds).slice(0, 10);
}
