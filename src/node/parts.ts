/** The parts of a running node, as the services need them. Made in node.ts, nowhere else. */
import type { World } from '../base/clock.ts';
import type { Reception } from '../content/reception/reception.ts';
import type { Sites } from '../content/sites.ts';
import type { Dht } from '../dht/dht.ts';
import type { Mode } from '../dht/mode/mode.ts';
import type { Publisher } from '../dht/placing/publisher.ts';
import type { Identity } from '../identity/files.ts';
import type { Links } from '../link/links.ts';
import type { Names } from '../name/names.ts';
import type { Registrar } from '../name/registrar.ts';
import type { PeerHost } from '../peer/host.ts';
import type { Revocations } from '../revocation/revocations.ts';
import type { UdpTransport } from '../rpc/transport.ts';
import type { SiteStats } from '../stats/site-stats.ts';
import type { Store } from '../store/store.ts';
import type { Trust } from '../trust/trust.ts';
import type { Purge } from './purge.ts';
import type { Relays } from './relays.ts';
import type { WaysIn } from './ways-in.ts';

export interface Parts {
  readonly identity: Identity;
  readonly store: Store;
  readonly trust: Trust;
  readonly purge: Purge;
  readonly transport: UdpTransport;
  readonly dht: Dht;
  readonly mode: Mode;
  readonly peers: PeerHost;
  readonly reception: Reception;
  readonly publisher: Publisher;
  readonly sites: Sites;
  readonly names: Names;
  readonly registrar: Registrar;
  readonly links: Links;
  readonly revocations: Revocations;
  readonly stats: SiteStats;
  readonly relays: Relays;
  readonly waysIn: WaysIn;
  readonly world: World;
}
