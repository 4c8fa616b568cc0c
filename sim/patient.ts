/**
 * The DHT's times, all stretched alike: for tests over virtual days, where the traffic of upkeep
 * would take most of the real time and is not what is looked at.
 */
import { type DhtOptions, dhtDefaults } from '../src/dht/dht.ts';

export function patient(times: number): Partial<DhtOptions> {
  return {
    livenessIntervalMs: dhtDefaults.livenessIntervalMs * times,
    livenessRoundMs: dhtDefaults.livenessRoundMs * times,
    lostIntervalMs: dhtDefaults.lostIntervalMs * times,
    lostAloneIntervalMs: dhtDefaults.lostAloneIntervalMs * times,
    ownLookupMinMs: dhtDefaults.ownLookupMinMs * times,
    ownLookupIntervalMs: dhtDefaults.ownLookupIntervalMs * times,
    bucketIdleMs: dhtDefaults.bucketIdleMs * times,
    contactFreshMs: dhtDefaults.contactFreshMs * times,
  };
}
