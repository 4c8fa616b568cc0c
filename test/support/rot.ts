/** A disk that changes what it was given. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Changes one octet of a block in the folder `packs` of a store. */
export function rot(packs: string, block: Uint8Array): void {
  for (const name of readdirSync(packs)) {
    const file = path.join(packs, name);
    const bytes = readFileSync(file);
    const at = bytes.indexOf(block);
    if (at === -1) continue;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(file, bytes);
    return;
  }
  assert.fail('no pack has the block');
}
