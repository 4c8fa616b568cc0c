/** The metrics of the DHT, its datagrams, and connections to other nodes. */
import { type Family, labelled, samplesOf, single } from './family.ts';
import type { NodeSnapshot } from './snapshot.ts';

type NodeFamily = Family<NodeSnapshot>;

const dht: readonly NodeFamily[] = [
  single('gauge', { name: 'altnet_dht_contacts', help: 'Nodes in the routing table.' }, (node) => {
    return node.dht.table;
  }),
  single(
    'gauge',
    { name: 'altnet_dht_network_nodes', help: 'Storage nodes in the network, as estimated here.' },
    (node) => node.dht.networkSize,
  ),
  single(
    'gauge',
    { name: 'altnet_dht_server', help: '1 while this node holds records for others, else 0.' },
    (node) => Number(node.isServer),
  ),
  {
    name: 'altnet_reachability',
    help: '1 under the word that says how others connect to this node, 0 under the others.',
    type: 'gauge',
    labels: ['state'],
    read: ({ reachability }) =>
      Object.entries(reachability).map(([state, value]) => ({ labels: { state }, value })),
  },
  {
    name: 'altnet_dht_requests_sent_total',
    help: 'Requests of this node, by method and whether they were answered.',
    type: 'counter',
    labels: ['method', 'result'],
    read: ({ dht: { answered, unanswered } }) => [
      ...samplesOf('method', answered, { result: 'answered' }),
      ...samplesOf('method', unanswered, { result: 'unanswered' }),
    ],
  },
  labelled(
    'counter',
    {
      name: 'altnet_dht_requests_received_total',
      help: 'Requests of other nodes, by method.',
      label: 'method',
    },
    (node) => node.dht.received,
  ),
  {
    name: 'altnet_dht_lookup_duration_seconds',
    help: 'How long lookups took, for nodes and for records.',
    type: 'histogram',
    labels: ['purpose'],
    read: ({ dht: { lookups } }) =>
      Object.entries(lookups).map(([purpose, durations]) => ({ labels: { purpose }, durations })),
  },
  labelled(
    'gauge',
    { name: 'altnet_dht_records', help: 'Records held for the network, by kind.', label: 'kind' },
    (node) => node.dht.records,
  ),
  single(
    'gauge',
    { name: 'altnet_dht_record_bytes', help: 'Bytes of the records held for the network.' },
    (node) => node.dht.recordBytes,
  ),
  labelled(
    'counter',
    {
      name: 'altnet_dht_records_refused_total',
      help: 'Records of others that were not taken, by status.',
      label: 'status',
    },
    (node) => node.dht.refused,
  ),
  {
    name: 'altnet_packets_total',
    help: 'Datagrams by kind and what became of them: drops, cookies, tokens and rate limits.',
    type: 'counter',
    labels: ['kind', 'event'],
    read: ({ dht: { packets } }) =>
      Object.entries(packets).map(([name, value]) => {
        const [kind = '', event = ''] = name.split('.');
        return { labels: { kind, event }, value };
      }),
  },
];

const peers: readonly NodeFamily[] = [
  labelled(
    'gauge',
    {
      name: 'altnet_peer_connections',
      help: 'Open connections, by who opened them.',
      label: 'direction',
    },
    ({ peers: { inbound, outbound } }) => ({ inbound, outbound }),
  ),
  single(
    'gauge',
    { name: 'altnet_peers', help: 'Different nodes with open connections.' },
    (node) => {
      return node.peers.peers;
    },
  ),
  single(
    'gauge',
    { name: 'altnet_peer_streams', help: 'Open streams of all connections.' },
    (node) => {
      return node.peers.streams;
    },
  ),
  single(
    'counter',
    {
      name: 'altnet_peer_connections_refused_total',
      help: 'Connections that were reset because their network has enough here.',
    },
    (node) => node.peers.refused,
  ),
  {
    name: 'altnet_stream_bytes_total',
    help: 'Bytes on streams by protocol and direction; sync is the exchange of blocks.',
    type: 'counter',
    labels: ['protocol', 'direction'],
    read: ({ peers: { traffic } }) =>
      Object.entries(traffic).flatMap(([protocol, { receivedBytes, sentBytes }]) => [
        { labels: { protocol, direction: 'received' }, value: receivedBytes },
        { labels: { protocol, direction: 'sent' }, value: sentBytes },
      ]),
  },
];

export const networkFamilies: readonly NodeFamily[] = [...dht, ...peers];
