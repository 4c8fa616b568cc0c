/**
 * What a registrar has signed: the latest certificate of each name, and for how long earlier ones
 * must be outranked. In the store's notes, so that it survives a crash. It signs nothing.
 */
import {
  asBuffer,
  type Bytes,
  concatBytes,
  equalBytes,
  parseUtf8,
  toHex,
  utf8,
} from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { nameKey } from '../record/zone.ts';
import { encodeCertificate, type NamedCertificate, parseCertificate } from './certificate-text.ts';
import type { NameNotes } from './ports.ts';

export interface JournalEntry {
  /** The highest serial; of a withdrawal, the registrar's certificate for itself. */
  readonly certificate: NamedCertificate;
  readonly isWithdrawn: boolean;
  /** Unix seconds: no certificate that another may have for this name ends later. */
  readonly outrankUntil: number;
  /** Unix seconds: when the withdrawal was given to the network last; 0: not yet. */
  readonly announced: number;
}

export interface RegistrarJournalDeps {
  readonly notes: NameNotes;
  /** The registrar's public key. */
  readonly zone: Bytes;
  /** `networkId(profile)`. */
  readonly network: Bytes;
}

const prefix = 'registrar/';
const format = 1;
/** format 1 ‖ withdrawn 1 ‖ outrankUntil 4 ‖ announced 4 ‖ certificate as text. */
const headBytes = 10;

export class RegistrarJournal {
  readonly #deps: RegistrarJournalDeps;

  constructor(deps: RegistrarJournalDeps) {
    this.#deps = deps;
  }

  get(label: string): JournalEntry | undefined {
    const value = this.#deps.notes.get(this.#noteName(label));
    return value && decodeEntry(value);
  }

  /** Resolves when a crash of this process can no longer undo it. */
  async put(entry: JournalEntry): Promise<void> {
    await this.#deps.notes.put(this.#noteName(entry.certificate.label), encodeEntry(entry));
  }

  /** By name. As many as names were ever certified. */
  list(): JournalEntry[] {
    const { notes, zone, network } = this.#deps;
    return notes
      .list(prefix)
      .flatMap(({ value }) => decodeEntry(value) ?? [])
      .filter(
        ({ certificate }) =>
          equalBytes(certificate.zone, zone) && equalBytes(certificate.network, network),
      )
      .toSorted((a, b) => (a.certificate.label < b.certificate.label ? -1 : 1));
  }

  /** One node can be in different networks, and with different author keys, at different times. */
  #noteName(label: string): string {
    const { zone, network } = this.#deps;
    return `${prefix}${toHex(network)}/${toHex(nameKey(label, zone))}`;
  }
}

function encodeEntry({ certificate, isWithdrawn, outrankUntil, announced }: JournalEntry): Bytes {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(format, 0);
  head.writeUInt8(isWithdrawn ? 1 : 0, 1);
  head.writeUInt32BE(outrankUntil, 2);
  head.writeUInt32BE(announced, 6);
  return concatBytes(head, utf8(encodeCertificate(certificate)));
}

/** Undefined for what another version wrote. */
function decodeEntry(value: Bytes): JournalEntry | undefined {
  if (value.length < headBytes || value[0] !== format) return undefined;
  const head = asBuffer(value);
  try {
    return {
      certificate: parseCertificate(parseUtf8(value.subarray(headBytes)) ?? ''),
      isWithdrawn: value[1] === 1,
      outrankUntil: head.readUInt32BE(2),
      announced: head.readUInt32BE(6),
    };
  } catch (error) {
    if (isAltNetError(error, 'CERTIFICATE_BAD')) return undefined;
    throw error;
  }
}
