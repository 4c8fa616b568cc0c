/** A registrar over storers in memory, and those who trust it. */
import { silentLogger } from '../../src/base/logger.ts';
import type { Logger } from '../../src/base/logger.ts';
import type { Names } from '../../src/name/names.ts';
import { Registrar } from '../../src/name/registrar.ts';
import { authorOf, type NameBench, type NameNodeOptions, setUp } from './name-bench.ts';
import { MemoryNameNotes } from './name-net.ts';

export interface RegistrarBench extends NameBench {
  readonly registrar: Registrar;
  /** The registrar's own names. */
  readonly own: Names;
  /** The registrar after a crash, with the notes that were left. */
  readonly again: (notes?: MemoryNameNotes, log?: Logger) => Registrar;
  /** An author's node that trusts the registrar. */
  readonly member: (
    fill: number,
    notes?: MemoryNameNotes,
    options?: Pick<NameNodeOptions, 'withdrawalsHeld'>,
  ) => Names;
}

export const registrarFill = 7;

export function setUpRegistrar(): RegistrarBench {
  const bench = setUp();
  const { world, network } = bench;
  const authorKey = authorOf(registrarFill);
  const notes = new MemoryNameNotes();
  const trustedZones = (): Uint8Array[] => [authorKey.publicKey];
  const member: RegistrarBench['member'] = (fill, its = new MemoryNameNotes(), options = {}) =>
    bench.node(fill, its, { trustedZones, ...options });
  const own = member(registrarFill, notes);
  const again = (its = notes, log = silentLogger): Registrar => {
    const names = its === notes ? own : member(registrarFill, its);
    return new Registrar({ names: names.ownZone, notes: its, authorKey, network, world, log });
  };
  return { ...bench, own, member, again, registrar: again() };
}
