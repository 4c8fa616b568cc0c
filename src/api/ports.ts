/**
 * What the API asks of the node, in the shapes that users see as JSON (README, "JSON"). IDs, keys
 * and roots are lower-case hexadecimal; `cid` is the root as CID. The node implements it; the
 * command line uses the same interface whether the node is its own process or another. Each
 * subject has a file of its own beside this one.
 */
import type { LinkServices } from './ports-links.ts';
import type { NameServices } from './ports-names.ts';
import type { NetworkServices } from './ports-network.ts';
import type { RelayServices } from './ports-relays.ts';
import type { SiteServices } from './ports-sites.ts';
import type {
  BlocklistServices,
  RegistrarServices,
  RevocationServices,
  SiteStatsServices,
} from './ports-trust.ts';

export type { CallOptions } from './call-options.ts';

/** Rejects with an AltNetError: the API and the command line turn its code into a status. */
export interface NodeServices
  extends
    BlocklistServices,
    LinkServices,
    NameServices,
    NetworkServices,
    RegistrarServices,
    RelayServices,
    RevocationServices,
    SiteServices,
    SiteStatsServices {}
