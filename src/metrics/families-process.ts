/** The metrics of HTTP, and of the process itself. */
import { type Family, labelled, single } from './family.ts';
import type { RuntimeSnapshot } from './runtime.ts';
import type { NodeSnapshot } from './snapshot.ts';

export const httpFamilies: readonly Family<NodeSnapshot>[] = [
  labelled(
    'counter',
    {
      name: 'altnet_gateway_responses_total',
      help: 'Answers of the gateway by status; none: the client left before.',
      label: 'code',
    },
    (node) => node.gateway?.answers ?? {},
  ),
  {
    name: 'altnet_gateway_response_duration_seconds',
    help: 'From a request to the gateway to the end of its answer.',
    type: 'histogram',
    labels: [],
    read: ({ gateway }) => (gateway ? [{ labels: {}, durations: gateway.durations }] : []),
  },
  single(
    'counter',
    { name: 'altnet_gateway_response_bytes_total', help: 'Bytes of bodies that went out.' },
    (node) => node.gateway?.bytes,
  ),
  single(
    'gauge',
    { name: 'altnet_gateway_connections', help: 'Open connections of browsers.' },
    (node) => node.gateway?.connections,
  ),
  labelled(
    'counter',
    {
      name: 'altnet_api_responses_total',
      help: 'Answers of the API by status.',
      label: 'code',
    },
    (node) => node.apiAnswers,
  ),
  single(
    'gauge',
    { name: 'altnet_stats_names', help: 'Names whose visits are counted.' },
    (node) => node.countedNames,
  ),
  {
    name: 'altnet_info',
    help: 'Always 1, with the version of the program.',
    type: 'gauge',
    labels: ['version'],
    read: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  single('gauge', { name: 'altnet_uptime_seconds', help: 'Since the start.' }, (node) => {
    return node.uptimeSeconds;
  }),
  single(
    'gauge',
    {
      name: 'altnet_clock_offset_seconds',
      help: "What this node's clock lacks to that of others; absent while few can be compared.",
    },
    (node) => node.clockOffsetSeconds,
  ),
];

export const processFamilies: readonly Family<RuntimeSnapshot>[] = [
  {
    name: 'altnet_event_loop_lag_seconds',
    help: 'How late the event loop was, sampled every 20 ms.',
    type: 'histogram',
    labels: [],
    read: ({ lag }) => [{ labels: {}, durations: lag }],
  },
  {
    name: 'altnet_gc_duration_seconds',
    help: 'Pauses of garbage collection by kind.',
    type: 'histogram',
    labels: ['kind'],
    read: ({ collections }) =>
      Object.entries(collections).map(([kind, durations]) => ({ labels: { kind }, durations })),
  },
  single(
    'gauge',
    { name: 'altnet_heap_used_bytes', help: 'Of the heap of JavaScript, in use.' },
    (own) => own.heapUsedBytes,
  ),
  single(
    'gauge',
    { name: 'altnet_heap_total_bytes', help: 'The heap of JavaScript.' },
    (own) => own.heapTotalBytes,
  ),
  single(
    'gauge',
    { name: 'altnet_external_memory_bytes', help: 'Buffers and what else is outside that heap.' },
    (own) => own.externalBytes,
  ),
  single(
    'gauge',
    { name: 'process_resident_memory_bytes', help: 'Resident memory of the process.' },
    (own) => own.residentBytes,
  ),
  single(
    'counter',
    { name: 'process_cpu_seconds_total', help: 'Processor time of the process.' },
    (own) => own.cpuSeconds,
  ),
  single(
    'gauge',
    { name: 'process_start_time_seconds', help: 'When the process began, unix time.' },
    (own) => own.startedUnixSeconds,
  ),
];
