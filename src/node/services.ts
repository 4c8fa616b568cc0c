/** What a node does for its users, put together from the services of each field. */
import type { NodeServices } from '../api/ports.ts';
import { toHex } from '../base/bytes.ts';
import { Registrants } from './registrants.ts';
import { blocklistServices } from './services-blocklist.ts';
import { heldServices } from './services-held.ts';
import { linkServices } from './services-links.ts';
import { nameServices } from './services-names.ts';
import { networkServices, type NetworkContext } from './services-network.ts';
import { revocationServices } from './services-revocation.ts';
import { registrarServices } from './services-registrar.ts';
import { siteServices } from './services-sites.ts';
import { siteStatsServices } from './services-stats.ts';
import { ShownSites } from './shown-sites.ts';
import type { Parts } from './parts.ts';
import { SiteVersions } from './versions.ts';

export interface ServiceContext extends NetworkContext {
  /** Where the gateway shows a site: "name" or CID; undefined without a gateway. */
  readonly siteUrl: (host: string) => string | undefined;
  /** After a name of this node was changed, or what it may lead to was unpublished. */
  readonly onNameChanged: () => void;
}

export function nodeServices(parts: Parts, context: ServiceContext): NodeServices {
  const { sites, store, names } = parts;
  const shown = new ShownSites({ sites, ...store, names });
  const onNameChanged = (): void => {
    context.onNameChanged();
    void shown.note();
  };
  const { author } = parts.identity;
  const by = { id: toHex(author.id), publicKey: toHex(author.publicKey) };
  const registrants = new Registrants({ notes: store.notes, names, author: by });
  const versions = new SiteVersions({ sites, holdings: store.holdings, names });
  return {
    ...networkServices(parts, context),
    ...nameServices(parts, { ...context, versions, registrants, onNameChanged }),
    ...siteServices(parts, { ...context, versions, onNameChanged }),
    ...heldServices(parts, { onUnpublished: context.onNameChanged }),
    ...linkServices(parts),
    ...blocklistServices(parts),
    ...registrarServices(parts, { onNameChanged }),
    ...revocationServices(parts),
    ...siteStatsServices(parts),
  };
}
