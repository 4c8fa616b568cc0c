/**
 * What a typed name stands for, a label or a key and perhaps a label below it, and where its
 * records are. Pure.
 */
import type { Bytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { recordKinds } from '../record/kinds.ts';
import { isSubLabel, parseKeyName, parseLabel } from '../record/label.ts';
import { nameKey } from '../record/name.ts';
import { pkNameKey } from '../record/pkname.ts';

/** A name as typed, in its final form. */
export interface NameAddress {
  /** "alice.alt" or "blog.alice.alt". */
  readonly name: string;
  /** "blog" of the latter. */
  readonly sub: string | undefined;
  readonly apex: Apex;
}

/** What has a record of its own. `name` is with the ending. */
export type Apex =
  | { readonly type: 'label'; readonly name: string; readonly label: string }
  | { readonly type: 'key'; readonly name: string; readonly owner: Bytes };

interface Place {
  readonly name: string;
  /** Where in the DHT: 32 bytes. */
  readonly key: Bytes;
}

/** Where an apex has its records: one place for each zone that is looked at. */
export type NamePlace = Place &
  (
    | {
        readonly type: 'label';
        readonly kind: typeof recordKinds.name;
        readonly label: string;
        /** A registrar's public key; undefined in the open zone. */
        readonly zone: Bytes | undefined;
      }
    | { readonly type: 'key'; readonly kind: typeof recordKinds.pkName; readonly owner: Bytes }
  );

/** `text` with or without ".alt", in any case. Throws BAD_NAME. */
export function parseAddress(text: string): NameAddress {
  if (text.includes('/')) throw badName(text, whyNoName(text));
  const bare = text.replace(/\.$/, '').replace(/\.alt$/i, '');
  const parts = bare.split('.');
  if (parts.length > 2) throw badName(text, 'at most one label stands before a name');
  const [last = '', below] = parts.toReversed();
  const sub = below === undefined ? undefined : parseSubLabel(below, text);
  const apex = parseApex(last, text);
  return { name: sub === undefined ? apex.name : `${sub}.${apex.name}`, sub, apex };
}

/** Who pastes an address means the site there; what is none of ours has alternatives at best. */
function whyNoName(text: string): string {
  const [, host = ''] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#:]*)/i.exec(text) ?? [];
  const [, name] = /^(.{1,130})\.(?:alt|localhost)\.?$/i.exec(host) ?? [];
  if (name !== undefined) return `it is an address; the name in it is ${name.toLowerCase()}.alt`;
  return 'it is an address; for other copies of a page elsewhere see: altnet link get URL';
}

function parseApex(label: string, text: string): Apex {
  const bare = label.toLowerCase();
  const owner = parseKeyName(bare);
  if (owner) return { type: 'key', name: `${bare}.alt`, owner };
  const parsed = parseLabel(label);
  if (!parsed.ok) throw badName(text, parsed.why);
  return { type: 'label', name: `${parsed.label}.alt`, label: parsed.label };
}

/** The same letters as in a name; what is reserved there means nothing here. */
function parseSubLabel(label: string, text: string): string {
  const parsed = parseLabel(label);
  if (parsed.ok) return parsed.label;
  const bare = label.toLowerCase();
  if (isSubLabel(bare)) return bare;
  throw badName(text, parsed.why);
}

/**
 * The places to look for it, in the order of `zones`; without zones the open one. A key's name is
 * its own, whatever zones there are.
 */
export function placesOf(apex: Apex, zones: readonly Bytes[]): readonly NamePlace[] {
  if (apex.type === 'key') return [keyPlace(apex)];
  return zones.length === 0
    ? [labelPlace(apex, undefined)]
    : zones.map((zone) => labelPlace(apex, zone));
}

function keyPlace({ name, owner }: Apex & { type: 'key' }): NamePlace {
  return { type: 'key', kind: recordKinds.pkName, name, key: pkNameKey(owner), owner };
}

export function labelPlace(
  { name, label }: Apex & { type: 'label' },
  zone: Bytes | undefined,
): NamePlace {
  return { type: 'label', kind: recordKinds.name, name, label, zone, key: nameKey(label, zone) };
}

/** Where a registrar's name is. Throws BAD_NAME for what no registrar can give. */
export function placeInZone({ apex, sub, name }: NameAddress, zone: Bytes): NamePlace {
  if (apex.type === 'label' && sub === undefined) return labelPlace(apex, zone);
  throw badName(name, 'a registrar gives names of one label, such as alice.alt');
}

function badName(name: string, why: string): AltNetError<'BAD_NAME'> {
  // A long text would fill a screen and say no more.
  const shown = name.length > 100 ? `${name.slice(0, 99)}…` : name;
  return new AltNetError('BAD_NAME', { name: shown, why });
}
