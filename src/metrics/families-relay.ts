/** The metrics of relays: the one that a node is, and those that it uses. */
import { type Family, labelled, single } from './family.ts';
import type { NodeSnapshot } from './snapshot.ts';

export const relayFamilies: readonly Family<NodeSnapshot>[] = [
  single(
    'gauge',
    { name: 'altnet_relay_places', help: 'Relays through which others reach this node.' },
    (node) => node.relays.places,
  ),
  single(
    'gauge',
    { name: 'altnet_relay_reservations', help: 'Nodes that are reached through this relay.' },
    (node) => node.relays.served?.reservations,
  ),
  single(
    'gauge',
    { name: 'altnet_relay_circuits', help: 'Connections through this relay.' },
    (node) => node.relays.served?.circuits,
  ),
  single(
    'counter',
    { name: 'altnet_relay_bytes_total', help: 'Bytes that went through this relay.' },
    (node) => node.relays.served?.bytes,
  ),
  labelled(
    'counter',
    {
      name: 'altnet_relay_refused_total',
      help: 'Places and connections that this relay refused, by reason.',
      label: 'reason',
    },
    (node) => node.relays.served?.refused ?? {},
  ),
];
