/** All endpoints. What they do is the node's business, see ports.ts. */
import { blocklistRoutes } from './blocklistroutes.ts';
import { linkRoutes, valueRoutes } from './linkroutes.ts';
import { nodeRoutes } from './noderoutes.ts';
import { revocationRoutes } from './revocationroutes.ts';
import { registrarRoutes } from './registrarroutes.ts';
import type { Route } from './route.ts';
import { siteRoutes } from './siteroutes.ts';
import { statsRoutes } from './statsroutes.ts';

export const routes: readonly Route[] = [
  ...nodeRoutes,
  ...siteRoutes,
  ...linkRoutes,
  ...valueRoutes,
  ...blocklistRoutes,
  ...registrarRoutes,
  ...revocationRoutes,
  ...statsRoutes,
];
