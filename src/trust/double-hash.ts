/**
 * The digests that stand in a list behind "//" instead of what is denied itself: the SHA-256 of a
 * spelling of it (docs/spec/trust.md, "Double hashes"). Pure.
 */
import { asBuffer, type Bytes, utf8 } from '../base/bytes.ts';
import { sha256, sha256Into } from '../base/hash.ts';
import { cidV0Length, cidV1Length, writeCidV0, writeCidV1 } from './digest-spelling.ts';
import type { DoubleForm } from './rule.ts';

const dagPbCode = 0x70;

const multihashText = new Uint8Array(cidV0Length);
/** A slash stands behind a CID without a path. */
const cidText = new Uint8Array(cidV1Length + 1);
cidText[cidV1Length] = 0x2f;

/** How every CIDv1 of a raw block begins, whatever its digest. */
const rawStart = utf8('bafkrei');
const first = new Uint8Array(32);
const second = new Uint8Array(32);
const one: readonly Bytes[] = [first];
const both: readonly Bytes[] = [first, second];

/**
 * Of a block, whose codec its SHA-256 does not tell: either of the two that there are. Asked for
 * each block, so the digests are made in memory that the next call uses again.
 */
export function doublesOfBlock(digest: Bytes, form: DoubleForm): readonly Bytes[] {
  if (form === 'multihash') {
    writeCidV0(digest, multihashText);
    sha256Into(multihashText, first);
    return one;
  }
  writeCidV1({ codec: dagPbCode, digest }, cidText);
  sha256Into(cidText, first);
  cidText.set(rawStart);
  sha256Into(cidText, second);
  return both;
}

/** Of a path below a root: decoded and, where that differs, percent-encoded. */
export function doublesOfPath(root: Bytes, path: string, form: DoubleForm): readonly Bytes[] {
  const start = spellRoot(root, form);
  const encoded = path
    .split('/')
    .map((name) => encodeURIComponent(name.toWellFormed()))
    .join('/');
  const plain = sha256(utf8(`${start}/${path}`));
  return encoded === path ? [plain] : [plain, sha256(utf8(`${start}/${encoded}`))];
}

function spellRoot(digest: Bytes, form: DoubleForm): string {
  if (form === 'multihash') {
    writeCidV0(digest, multihashText);
    return asBuffer(multihashText).toString('latin1');
  }
  writeCidV1({ codec: dagPbCode, digest }, cidText);
  return asBuffer(cidText).toString('latin1', 0, cidV1Length);
}

/** Of a name, as one of the DNS. */
export function doublesOfName(label: string, form: DoubleForm): readonly Bytes[] {
  return [sha256(utf8(form === 'multihash' ? `/ipns/${label}.alt` : `${label}.alt/`))];
}
