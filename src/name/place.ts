/** What a typed name stands for, an open-zone label or a key, and where its records are. Pure. */
import type { Bytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { recordKinds } from '../record/kinds.ts';
import { parseKeyName, parseLabel } from '../record/label.ts';
import { nameKey } from '../record/name.ts';
import { pkNameKey } from '../record/pkname.ts';

interface Place {
  /** In its final form with its ending: "alice.alt". */
  readonly name: string;
  /** Where in the DHT: 32 bytes. */
  readonly key: Bytes;
}

export type NamePlace = Place &
  (
    | { readonly type: 'open'; readonly kind: typeof recordKinds.name; readonly label: string }
    | { readonly type: 'key'; readonly kind: typeof recordKinds.pkName; readonly owner: Bytes }
  );

/** `text` with or without ".alt", in any case. Throws BAD_NAME. */
export function parsePlace(text: string): NamePlace {
  const bare = text
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/\.alt$/, '');
  const owner = parseKeyName(bare);
  if (owner) {
    const key = pkNameKey(owner);
    return { type: 'key', kind: recordKinds.pkName, name: `${bare}.alt`, key, owner };
  }
  const parsed = parseLabel(text);
  if (!parsed.ok) throw new AltNetError('BAD_NAME', { name: text, why: parsed.why });
  const { label } = parsed;
  return { type: 'open', kind: recordKinds.name, name: `${label}.alt`, key: nameKey(label), label };
}
