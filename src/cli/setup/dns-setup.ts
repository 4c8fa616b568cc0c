/** `altnet setup dns`: names under .alt go to this node's DNS service, and no other name does. */
import { AltNetError } from '../../base/errors.ts';
import type { HostPort } from '../../base/address.ts';
import { formatHostPort } from '../../node/bind.ts';
import { applyPlan, type Change, forgetChange, inspectChange, undoChange } from './apply.ts';
import { takeBack } from './take-back.ts';
import { checkDns, type DnsCheck, otherHost } from './dns-check.ts';
import { dnsCommandsOf, type DnsPlan, planDns } from './dns-plan.ts';
import { findResolver, resolvConf, writtenHead } from './dns-resolver.ts';
import { describePlan } from './plan.ts';
import { systemJournal } from './places.ts';
import {
  agree,
  printedPlan,
  requireRoot,
  type SetupResult,
  type SetupSession,
  tellResult,
} from './session.ts';
import { readText } from './system.ts';

export interface DnsTarget {
  /** Where this machine reaches the DNS service. */
  readonly at: HostPort;
  /** How its names end. */
  readonly tld: string;
  /** Where the gateway is, or would be. */
  readonly gateway: HostPort;
  /** The words that make this command do the same as root. */
  readonly words: readonly string[];
}

const setup = 'dns';
const webPort = 80;
const browsers =
  'a browser with secure DNS (DNS over HTTPS) does not ask the system: switch that off there, or use its proxy settings at /proxy.pac of the gateway';

export async function setUpDns(session: SetupSession, target: DnsTarget): Promise<void> {
  const { system, context, action } = session;
  const { signal, terminal } = context;
  const change: Change = {
    system,
    journal: systemJournal('dns'),
    commandsOf: dnsCommandsOf,
    signal,
  };
  if (action !== 'print' && system.isRoot) await forgetOverwritten(change);
  if (action === 'undo') return undo(session, change, target);
  terminal.status('looking ...');
  const found = planDns(await findResolver(system, { signal }), target);
  if (found.kind === 'by-hand') return tellByHand(session, found);
  const { plan } = found;
  if (action === 'print') {
    return tellResult(session, printedPlan(setup, plan), describePlan(plan));
  }
  requireRoot(session, target.words);
  const before = await checkDns(system, target, { signal });
  const { state } = await inspectChange(system, change.journal);
  if (state !== 'made') await agree(session, describePlan(plan));
  terminal.status('changing ...');
  const isChanged = await applyPlan(plan, change);
  const after = await checkDns(system, target, { signal });
  await keepIfHarmless(change, { before, after, tld: target.tld });
  const files = plan.files.map(({ path, content }) => ({ path, content }));
  const outcome = isChanged ? 'made' : 'unchanged';
  const did = isChanged ? 'was changed' : 'is as it should be';
  tellResult(session, { setup, outcome, variant: plan.variant, files }, [
    `${plan.variant} ${did}: names under .${target.tld} go to ${formatHostPort(target.at)}`,
  ]);
  tellCheck(session, after, target);
}

/**
 * A resolv.conf that another program wrote anew, as DHCP clients do, has nothing of ours any more:
 * there is nothing to take back, and it can be changed again.
 */
async function forgetOverwritten({ system, journal }: Change): Promise<void> {
  const { variant } = await inspectChange(system, journal);
  if (variant !== 'resolv-conf') return;
  const text = (await readText(system, resolvConf)) ?? '';
  if (!text.includes(writtenHead)) await forgetChange(system, journal);
}

/** Rejects with SETUP_FAILED, having taken everything back, when it does harm or no good. */
async function keepIfHarmless(
  change: Change,
  { before, after, tld }: { before: DnsCheck; after: DnsCheck; tld: string },
): Promise<void> {
  const isHarmful = before.knowsOthers && !after.knowsOthers;
  const isUseless =
    after.service !== undefined && after.service.length > 0 && !after.reachesService;
  if (!isHarmful && !isUseless) return;
  await undoChange({ ...change, signal: undefined });
  const why = isHarmful
    ? `${otherHost} was not found any more, so everything was taken back`
    : `the DNS service answers, and still the system does not know names under .${tld}, so everything was taken back; use http://NAME.localhost:8080/ or the proxy settings instead`;
  throw new AltNetError('SETUP_FAILED', { what: 'the change of the name lookup', why });
}

function tellCheck(
  { context: { terminal } }: SetupSession,
  { service, reachesService, knowsOthers }: DnsCheck,
  { at, gateway, tld }: DnsTarget,
): void {
  if (reachesService) terminal.note(`checked: the system gets names under .${tld} from this node`);
  else if (service === undefined) {
    const where = formatHostPort(at);
    terminal.note(
      `nothing answers at ${where} yet; start the node with: altnet start --dns ${where}`,
    );
  } else terminal.note(`the DNS service answers for no name under .${tld}; is it that of a node?`);
  if (!knowsOthers) terminal.note(`${otherHost} is not known here, before and after: no network?`);
  if (gateway.port !== webPort) {
    terminal.note(
      `the gateway is at port ${gateway.port}: http://NAME.${tld}:${gateway.port}/ opens; without a port it has to be at ${webPort}, which a service may have: altnet setup service -- --gateway 127.0.0.1:${webPort}`,
    );
  }
  terminal.note(browsers);
}

async function undo(session: SetupSession, change: Change, { words }: DnsTarget): Promise<void> {
  await takeBack(session, change, {
    setup,
    rootWords: [...words, '--undo'],
    question: (variant) => `take back what was changed for ${variant}`,
    done: (variant) => `${variant} is as it was before`,
  });
}

function tellByHand(session: SetupSession, found: Extract<DnsPlan, { kind: 'by-hand' }>): void {
  const { why, steps } = found;
  if (session.action === 'make') {
    const rest = steps.map((step) => `\n  ${step}`).join('');
    if (!session.context.terminal.json) session.context.terminal.log(`what to do:${rest}\n`);
    throw new AltNetError('SETUP_FAILED', { what: 'this cannot be set up here by itself', why });
  }
  const result: SetupResult = { setup, outcome: 'by-hand', steps };
  tellResult(session, result, [why, ...steps.map((step) => `  ${step}`)]);
}
