/** Why a node is a client, in words for its operator. */
import type { ReachState } from './reachability.ts';

export interface Situation {
  readonly role: 'earned' | 'public' | 'guest';
  /** Of the family in which the node got farthest. */
  readonly state: ReachState;
  /** Different networks among the global nodes that it knows … */
  readonly networks: number;
  /** … and how many it takes to learn an address and to be tested. */
  readonly networksMin: number;
  readonly clockOffsetSeconds: number | undefined;
  readonly clockWrong: boolean;
}

/** For a node that is no server. */
export function whyClient(situation: Situation): string {
  const { role, state, networks, networksMin, clockWrong } = situation;
  if (role === 'guest') return 'a node that runs for one command serves nobody';
  if (clockWrong) {
    const seconds = Math.round(situation.clockOffsetSeconds ?? 0);
    return `the clock of this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead'}`;
  }
  if (networks < networksMin) {
    return `too few networks (${networks} of ${networksMin}) to test whether others reach this node; if they do, start it with --public`;
  }
  if (state.kind === 'symmetric') return 'a NAT gives this node another port for each peer';
  if (state.kind === 'testing') return whyTesting(state, situation);
  return 'others do not agree on the address of this node yet';
}

function whyTesting(
  { failures, networks, stable }: Extract<ReachState, { kind: 'testing' }>,
  { clockOffsetSeconds }: Situation,
): string {
  if (failures > 0) return 'requests from outside do not arrive: a NAT or firewall is in the way';
  if (!stable) return 'its address is too new';
  if (clockOffsetSeconds === undefined) return 'too few others told the time';
  return `whether others reach this node is being tested (${networks} networks did)`;
}
