/** What a node is started with in this process: loopback, free ports, folders that go with the test. */
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type NodeOptions, relayDefaults } from '../../src/node/options.ts';
import { temporaryFolder } from './cleanup.ts';

/** Neither gateway nor API, unless `over` says where. */
export function nodeOptions(t: TestContext, over: Partial<NodeOptions> = {}): NodeOptions {
  return nodeOptionsIn(temporaryFolder(t), over);
}

/** The same in a folder that somebody else looks after. */
export function nodeOptionsIn(folder: string, over: Partial<NodeOptions> = {}): NodeOptions {
  return {
    listen: '127.0.0.1:0',
    listenExplicit: true,
    bootstrap: [],
    gateway: undefined,
    gatewayExplicit: false,
    gatewayTls: undefined,
    dns: undefined,
    tld: 'alt',
    registrar: undefined,
    registrarExplicit: false,
    metrics: undefined,
    metricsExplicit: false,
    public: false,
    relay: relayDefaults,
    mdns: false,
    portMapping: false,
    guest: false,
    network: 'local',
    data: folder,
    keydir: path.join(folder, 'keys'),
    logLevel: 'error',
    logFormat: 'text',
    storeBudgetBytes: 1 << 30,
    perPeerBudgetBytes: 1 << 26,
    replicas: 6,
    repairIntervalMs: 3_600_000,
    publishGuide: false,
    ...over,
  };
}
