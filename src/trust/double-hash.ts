/**
 * The spellings whose SHA-256 stands in a list behind "//" instead of what is denied itself
 * (docs/spec/trust.md, "Double hashes"). Pure.
 */
import { base32 } from 'multiformats/bases/base32';
import { base58btc } from 'multiformats/bases/base58';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import type { DoubleForm } from './rule.ts';

const dagPb = Uint8Array.of(1, 0x70, 0x12, 32);
const raw = Uint8Array.of(1, 0x55, 0x12, 32);
const multihash = Uint8Array.of(0x12, 32);

/** A block, whose codec its SHA-256 does not tell: either of the two that there are. */
export function spellBlock(hash: Bytes, form: DoubleForm): readonly string[] {
  if (form === 'multihash') return [spellMultihash(hash)];
  return [`${spellCid(dagPb, hash)}/`, `${spellCid(raw, hash)}/`];
}

/** A path below a root: decoded and, where that differs, percent-encoded. */
export function spellPath(root: Bytes, path: string, form: DoubleForm): readonly string[] {
  const start = form === 'multihash' ? spellMultihash(root) : spellCid(dagPb, root);
  const encoded = path
    .split('/')
    .map((name) => encodeURIComponent(name.toWellFormed()))
    .join('/');
  const plain = `${start}/${path}`;
  return encoded === path ? [plain] : [plain, `${start}/${encoded}`];
}

/** A name, as one of the DNS. */
export function spellName(label: string, form: DoubleForm): readonly string[] {
  return [form === 'multihash' ? `/ipns/${label}.alt` : `${label}.alt/`];
}

function spellMultihash(hash: Bytes): string {
  return base58btc.baseEncode(concatBytes(multihash, hash));
}

function spellCid(head: Bytes, hash: Bytes): string {
  return base32.encode(concatBytes(head, hash));
}
