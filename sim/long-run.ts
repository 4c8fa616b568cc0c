/**
 * A day (or so) of a network under production upkeep: everybody joins, publishes and settles, then
 * nodes come and go while look-ups are sampled and traffic is counted. What to do with the result
 * is others' business.
 */
import process from 'node:process';
import { Absences, type Cause, type CauseCounts, causes } from './absences.ts';
import type { Method } from '../src/dht/ports.ts';
import { Population } from './population.ts';
import { type Sample, Sampling } from './sampling.ts';
import type { LongRunSettings } from './settings.ts';
import { Simulation } from './simulation.ts';
import {
  methods,
  noTraffic,
  totalTraffic,
  type TrafficCounts,
  trafficSince,
  trafficSum,
} from './traffic.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** One stretch of the measured time. */
export interface Stretch {
  /** Virtual hours since measuring began, at its end. */
  readonly hours: number;
  /** Of all nodes together. */
  readonly traffic: TrafficCounts;
  /** Nodes, on average. */
  readonly nodes: number;
  /** Records that must be there, and of them those of which nobody holds any version. */
  readonly records: number;
  readonly lost: number;
}

export interface LongRunResult {
  readonly settings: LongRunSettings;
  readonly samples: readonly Sample[];
  readonly stretches: readonly Stretch[];
  /** Hours of virtual time before measuring began. */
  readonly settledHours: number;
  readonly replaced: number;
  /** Records whose newest version nobody held, and what happened to the first of them. */
  readonly absences: Readonly<Record<Cause, CauseCounts>>;
  readonly explanations: readonly string[];
  /** Of all contacts in all tables at the end, those whose node is gone or cut off. */
  readonly deadContacts: number;
  /** Contacts per table at the end. */
  readonly contacts: number;
  /** The fewest nodes that hold a record at the end, of those that must be there. */
  readonly holdersMin: number;
  readonly holdersMean: number;
  readonly requests: number;
  readonly realSeconds: number;
  /** Resident memory of the whole simulation at its end. */
  readonly memoryBytes: number;
}

export interface Progress {
  readonly phase: 'joining' | 'settling' | 'measuring';
  /** 0–1 of the phase. */
  readonly done: number;
  readonly requests: number;
  readonly realSeconds: number;
}

const joiningMs = 200_000;
const joinIntervalMinMs = 4;
const stretchesMax = 96;
/** A pinned name is resolved again so much later, when nothing is cached any more. */
const againMs = 15 * minuteMs;

export async function longRun(
  settings: LongRunSettings,
  onProgress: (progress: Progress) => void,
): Promise<LongRunResult> {
  const beganMs = performance.now();
  const sim = new Simulation({
    seed: settings.seed,
    nodes: settings.nodes,
    rttMedianMs: settings.rttMs,
    loss: settings.loss,
    warm: settings.warm,
    addresses: 'hosted',
    joinIntervalMs: Math.max(joinIntervalMinMs, joiningMs / settings.nodes),
  });
  const report = (phase: Progress['phase'], done: number): void => {
    const realSeconds = (performance.now() - beganMs) / 1000;
    onProgress({ phase, done, requests: sim.network.requests, realSeconds });
  };
  await sim.start((done) => report('joining', done));
  const population = new Population(sim, { recordsPerNode: settings.records });
  const settlingMs = settings.settleMinutes * minuteMs;
  population.publishAll(settlingMs / 2);
  population.beginChurn(settings.churn);
  population.beginOutages(settings.dead);
  await pass(sim, settlingMs, (done) => report('settling', done));

  const measuredMs = settings.hours * hourMs;
  const sampling = new Sampling(sim, population, { againMs: Math.min(againMs, measuredMs / 4) });
  if (settings.samples > 0) sampling.begin(measuredMs / settings.samples);
  const settledHours = sim.world.nowMs / hourMs;
  const absences = new Absences(sim, population);
  const stretches = await measure(sim, {
    hours: settings.hours,
    population,
    absences,
    onDone: (done) => report('measuring', done),
  });
  sampling.end();
  population.endChurn();
  return {
    settings,
    samples: sampling.samples,
    stretches,
    settledHours,
    replaced: population.replaced,
    absences: {
      lost: absences.countsOf('lost'),
      unheard: absences.countsOf('unheard'),
      late: absences.countsOf('late'),
    },
    explanations: causes.flatMap((cause) => absences.explanations(cause)),
    ...tablesOf(sim, population),
    ...holdersOf(population),
    requests: sim.network.requests,
    realSeconds: (performance.now() - beganMs) / 1000,
    memoryBytes: process.memoryUsage.rss(),
  };
}

/** Lets time pass in steps small enough to tell how far it is. */
async function pass(sim: Simulation, ms: number, onDone: (done: number) => void): Promise<void> {
  for (let passedMs = 0; passedMs < ms;) {
    const stepMs = Math.min(minuteMs, ms - passedMs);
    await sim.world.pass(stepMs);
    passedMs += stepMs;
    onDone(passedMs / ms);
  }
}

async function measure(
  sim: Simulation,
  {
    hours,
    population,
    absences,
    onDone,
  }: {
    hours: number;
    population: Population;
    absences: Absences;
    onDone: (done: number) => void;
  },
): Promise<readonly Stretch[]> {
  const count = Math.max(1, Math.min(stretchesMax, Math.round(hours * 4)));
  const stretches: Stretch[] = []; // BOUNDED by stretchesMax
  for (let i = 0; i < count; i++) {
    const before = trafficSince(sim.network.traffic);
    const nodesBefore = sim.nodes.length;
    await pass(sim, (hours * hourMs) / count, (done) => {
      absences.look();
      onDone((i + done) / count);
    });
    stretches.push({
      hours: ((i + 1) * hours) / count,
      traffic: trafficSince(sim.network.traffic, before),
      nodes: (nodesBefore + sim.nodes.length) / 2,
      records: population.items().filter((item) => population.mustBeThere(item)).length,
      lost: absences.countsOf('lost').now,
    });
  }
  return stretches;
}

function tablesOf(
  sim: Simulation,
  population: Population,
): Pick<LongRunResult, 'deadContacts' | 'contacts'> {
  const connected = sim.nodes.filter((node) => !population.isCutOff(node));
  const living = new Set(connected.map(({ contact }) => contact));
  let contacts = 0;
  let dead = 0;
  for (const { dht } of sim.nodes) {
    for (const contact of dht.table.contacts()) {
      contacts++;
      if (!living.has(contact)) dead++;
    }
  }
  return { deadContacts: dead / Math.max(1, contacts), contacts: contacts / sim.nodes.length };
}

function holdersOf(population: Population): Pick<LongRunResult, 'holdersMin' | 'holdersMean'> {
  const counts = population
    .items()
    .filter((item) => population.mustBeThere(item))
    .map((item) => population.holdersOf(item));
  const sum = counts.reduce((a, b) => a + b, 0);
  return {
    holdersMin: counts.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    holdersMean: sum / Math.max(1, counts.length),
  };
}

/** Of all nodes in all stretches. */
export interface TrafficRates {
  readonly bytesPerNodeSecond: number;
  readonly packetsPerNodeSecond: number;
  /** Octets per node and second by what was asked, most first; what was never asked is left out. */
  readonly byMethod: readonly (readonly [Method, number])[];
  /** Octets per node and second of requests by nodes that were cut off. */
  readonly cutOffBytesPerNodeSecond: number;
  readonly unansweredShare: number;
  /** Of those, the share of nodes that were cut off. */
  readonly unansweredCutOffShare: number;
}

export function trafficOf({ stretches }: LongRunResult): TrafficRates {
  let all = noTraffic();
  let nodeSeconds = 0;
  let beforeHours = 0;
  for (const { hours, nodes, traffic } of stretches) {
    all = trafficSum(all, traffic);
    nodeSeconds += nodes * (hours - beforeHours) * 3600;
    beforeHours = hours;
  }
  const total = totalTraffic(all);
  return {
    bytesPerNodeSecond: total.bytes / nodeSeconds,
    packetsPerNodeSecond: total.packets / nodeSeconds,
    byMethod: methods
      .map((method) => [method, all[method].bytes / nodeSeconds] as const)
      .filter(([, rate]) => rate > 0)
      .toSorted(([, a], [, b]) => b - a),
    cutOffBytesPerNodeSecond: total.bytesCutOff / nodeSeconds,
    unansweredShare: total.unanswered / Math.max(1, total.requests),
    unansweredCutOffShare: total.unansweredCutOff / Math.max(1, total.unanswered),
  };
}
