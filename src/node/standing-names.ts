/**
 * Names that show already what they are to show: asking for that again brings the same record out
 * once more instead of a new version. It signs nothing.
 */
import type { CID } from 'multiformats/cid';
import type { Abortable } from '../base/abort.ts';
import { unixSeconds } from '../base/clock.ts';
import { shownBy } from '../name/own.ts';
import { parseAddress } from '../name/place.ts';
import type { RegisteredName } from '../name/types.ts';
import { recordKinds } from '../record/kinds.ts';
import type { Parts } from './parts.ts';

/**
 * The name as it stands, when this node's author has it, it shows `root`, and others took its
 * record; undefined when there is something to do or to say about it.
 */
export async function standingName(
  { names, publisher, world }: Pick<Parts, 'names' | 'publisher' | 'world'>,
  { name, root }: { readonly name: string; readonly root: CID },
  { signal }: Abortable,
): Promise<RegisteredName | undefined> {
  const address = parseAddress(name);
  const own = names.list().find((each) => each.name === address.name);
  if (!own?.root.equals(root) || own.expires <= unixSeconds(world.clock)) return undefined;
  const { type, name: apex } = address.apex;
  const kind = type === 'key' ? recordKinds.pkName : recordKinds.name;
  const published = publisher.list(kind).find(({ record }) => {
    return shownBy(record)?.name === apex && record.expires === own.expires;
  });
  if (!published) return undefined;
  const { stored } = await publisher.publish(published.record, { signal });
  if (stored === 0) return undefined;
  const { version, expires } = own;
  return { name: own.name, root, version, expires, stored };
}
