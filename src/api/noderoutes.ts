/** The endpoints about this node and the nodes that it knows (docs/spec/http.md, "API"). */
import { counted, type Route, route } from './route.ts';
import { inputs } from './inputs.ts';
import { outputs } from './outputs.ts';

export const nodeRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/node',
    summary: "This node's IDs and public keys",
    answer: { json: outputs.keys },
    run: (services) => services.keys(),
  }),
  route({
    method: 'GET',
    path: '/api/stats',
    summary: 'What this node holds and how it runs',
    answer: { json: outputs.stats },
    run: (services) => services.stats(),
  }),
  route({
    method: 'GET',
    path: '/api/peers',
    summary: 'Nodes that this one knows or is connected to',
    answer: { json: outputs.peers },
    run: async (services) => counted('peers', await services.peers()),
  }),
  route({
    method: 'GET',
    path: '/api/dht',
    summary: "The routing table and the DHT's counters",
    answer: { json: outputs.dht },
    run: (services) => services.dht(),
  }),
  route({
    method: 'GET',
    path: '/api/relays',
    summary: 'Relays through which this node is reached, and what it does as one',
    answer: { json: outputs.relays },
    run: (services) => services.relays(),
  }),
  route<{ id?: string }>({
    method: 'POST',
    path: '/api/ping',
    summary: 'Ping one node, or all of the routing table',
    from: 'body',
    input: inputs.ping,
    answer: { json: outputs.pings },
    run: async (services, { id }, options) => counted('results', await services.ping(id, options)),
  }),
  route<{ id: string }>({
    method: 'GET',
    path: '/api/find/:id',
    summary: 'The nodes nearest to an ID',
    from: 'params',
    input: inputs.id,
    answer: { json: outputs.nodes },
    run: async (services, { id }, options) => counted('nodes', await services.find(id, options)),
  }),
  route<{ address: string }>({
    method: 'POST',
    path: '/api/bootstrap',
    summary: 'Join the network through the node at an address',
    from: 'body',
    input: inputs.address,
    answer: { json: outputs.bootstrap },
    run: (services, { address }, options) => services.bootstrap(address, options),
  }),
];
