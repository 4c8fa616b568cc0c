/**
 * Input for endpoints of the API, by their schemas and the names of the fields: right, nearly right
 * or wrong. Nothing that it makes leads the node out of the folders of the session or to an address
 * that is not on this machine.
 */
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { mutateOctets } from './octets.ts';
import type { Dice } from './dice.ts';

export interface InputPlaces {
  /** A folder that can be published. */
  readonly site: string;
  /** Where fetched sites go, if there are any. */
  readonly out: string;
}

interface Making {
  readonly dice: Dice;
  readonly places: InputPlaces;
}

const hex = '0e'.repeat(32);
const words: readonly string[] = [
  'fuzz',
  'fuzz.alt',
  'blog.fuzz',
  'ünïcödé',
  '日本.alt',
  '-',
  '..',
  '%00',
  '\u0000',
  '\uD800',
  '🦊'.repeat(40),
  'a'.repeat(64),
  'a'.repeat(5000),
  ' ',
  '',
  'constructor',
  '__proto__',
  hex,
  hex.toUpperCase(),
  'bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am',
];
const wrong: readonly unknown[] = [
  null,
  true,
  [],
  {},
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER + 1,
  [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]],
  { constructor: { prototype: {} } },
  'x'.repeat(70_000),
];

/** What comes here is a place on the disk or in the network: only so much of it may vary. */
function placesFor(name: string, { dice, places }: Making): unknown {
  const { site, out } = places;
  if (name === 'path') {
    return dice.pick([
      site,
      path.join(site, 'none'),
      path.join(site, '\u0000'),
      'site',
      '',
      '../x',
    ]);
  }
  if (name === 'dest') {
    return dice.pick([out, path.join(out, String(dice.below(9))), 'out', '', path.join(out, '🦊')]);
  }
  if (name === 'address') return dice.pick(['127.0.0.1:9', '127.0.0.1:99999', ':', '', '[::1]:9']);
  return undefined;
}

const urls: readonly string[] = [
  'http://dead.example/a',
  'magnet:?x',
  'javascript:1',
  'http://',
  '',
];

/** A value for the field `name`. */
export function inputFor(name: string, schema: object, making: Making): unknown {
  const { dice } = making;
  const place = placesFor(name, making);
  if (place !== undefined) return dice.oneIn(6) ? dice.pick(wrong.slice(0, 8)) : place;
  if (dice.oneIn(12)) return dice.pick(wrong);
  const {
    type,
    properties,
    enum: choices,
  } = schema as {
    readonly type?: string;
    readonly properties?: Readonly<Record<string, object>>;
    readonly enum?: readonly unknown[];
  };
  if (choices) return dice.pick(choices);
  if (properties) return objectFor(properties, making);
  if (type === 'integer' || type === 'number') return dice.pick([0, 1, 65_536, 2 ** 31]);
  if (type === 'boolean') return dice.oneIn(2);
  if (name === 'url' || name === 'target') return dice.pick(urls);
  if (name === 'id' || name === 'key' || name === 'root')
    return dice.oneIn(2) ? hex : dice.pick(words);
  return dice.pick(words);
}

function objectFor(properties: Readonly<Record<string, object>>, making: Making): object {
  const { dice } = making;
  const fields = Object.entries(properties).flatMap(([name, schema]): [string, unknown][] =>
    dice.oneIn(6) ? [] : [[name, inputFor(name, schema, making)]],
  );
  if (dice.oneIn(10)) fields.push([dice.pick(['extra', '__proto__', '']), dice.pick(wrong)]);
  return Object.fromEntries(fields);
}

const types = ['File', 'Directory', 'SymbolicLink', 'Link', 'FIFO', 'ExtendedHeader'] as const;

/** An archive, or what is left of one. */
export function tarFor(dice: Dice): Uint8Array {
  const blocks = Array.from({ length: dice.below(5) }, () => {
    const body = dice.bytes(dice.below(2000));
    const head = Buffer.alloc(512);
    const type = dice.oneIn(3) ? dice.pick(types) : 'File';
    const size = dice.oneIn(8) ? dice.below(2 ** 32) : body.length;
    const name = dice.pick(words).replaceAll('\u0000', '').slice(0, 90) || 'a';
    new Header({ path: name, type, size, mode: 0o644, mtime: new Date(0) }).encode(head);
    return Buffer.concat([head, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
  });
  const whole = Buffer.concat([...blocks, Buffer.alloc(1024)]);
  const given = dice.oneIn(3) ? mutateOctets(whole, dice, dice.bytes(512)) : whole;
  return dice.oneIn(3) ? gzipSync(given) : given;
}
