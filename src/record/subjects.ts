/**
 * What a record is about and where it leads, read from its fields as they are: for questions that
 * are asked for each record that is listed, when there is no time to judge it once more. Of records
 * whose form was checked.
 */
import type { Bytes } from '../base/bytes.ts';
import type { SignedRecord } from './envelope.ts';
import { nameFields } from './zone.ts';

const hashBytes = 32;
/** As names, key names, providers and links have them. */
const fieldNumbers = {
  root: 2,
  subnames: 3,
  zoneFile: 6,
  multihash: 1,
  target: 1,
  sha256: 2,
} as const;

/** The label of a name. */
export function labelIn({ fields }: SignedRecord): string | undefined {
  const label = fields.get(nameFields.label);
  return typeof label === 'string' ? label : undefined;
}

/** The SHA-256 of each root that a name or key name shows, of its zone file, too. */
export function rootHashesIn({ fields }: SignedRecord): readonly Bytes[] {
  const hashes: Bytes[] = []; // BOUNDED by the fields of a body
  const add = (value: unknown): void => {
    const hash = digestOf(value);
    if (hash) hashes.push(hash);
  };
  add(fields.get(fieldNumbers.root));
  add(fields.get(fieldNumbers.zoneFile));
  const subnames = fields.get(fieldNumbers.subnames);
  if (subnames instanceof Map) for (const root of subnames.values()) add(root);
  return hashes;
}

/** The SHA-256 of the root that a provider has. */
export function providedHashIn({ fields }: SignedRecord): Bytes | undefined {
  return digestOf(fields.get(fieldNumbers.multihash));
}

/** Where a link leads, and the SHA-256 of what is there. */
export function linkTargetIn({
  fields,
}: SignedRecord): { readonly target: string; readonly sha256: Bytes | undefined } | undefined {
  const target = fields.get(fieldNumbers.target);
  const sha256 = fields.get(fieldNumbers.sha256);
  if (typeof target !== 'string') return undefined;
  return { target, sha256: sha256 instanceof Uint8Array ? sha256 : undefined };
}

/** A root and a multihash end with it. */
function digestOf(value: unknown): Bytes | undefined {
  if (!(value instanceof Uint8Array) || value.length < hashBytes) return undefined;
  return value.subarray(value.length - hashBytes);
}
