/** The registrars whose names a node resolves, as they stand in trusted-registrars.txt. Pure. */
import { type Bytes, equalBytes, parseHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { isPublicKey } from '../identity/curve.ts';

const zonesMax = 64;

/**
 * One public key of 64 hex digits a line, the first asked first; empty lines and what follows a #
 * are left aside. `file` is for the message. Throws BAD_ARGUMENT that names the line.
 */
export function parseTrustedZones(text: string, file: string): readonly Bytes[] {
  const zones: Bytes[] = []; // BOUNDED by zonesMax
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const word = line.replace(/#.*$/, '').trim();
    if (word === '') continue;
    const what = `${file}, line ${i + 1}`;
    const zone = parseHex(word, 32);
    if (!zone || !isPublicKey(zone)) {
      const why = "write the 64 hex digits of a registrar's public key";
      throw new AltNetError('BAD_ARGUMENT', { what, why });
    }
    if (zones.some((other) => equalBytes(other, zone))) continue;
    if (zones.length >= zonesMax) {
      throw new AltNetError('BAD_ARGUMENT', { what, why: `at most ${zonesMax} registrars` });
    }
    zones.push(zone);
  }
  return zones;
}
