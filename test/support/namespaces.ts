/**
 * Hosts with public addresses that lead nowhere: network namespaces on one bridge, itself in a
 * namespace, so that nothing gets out. Some may be behind routers that masquerade, one or several
 * behind each. Linux and root only.
 */
import { execFileSync } from 'node:child_process';
import { isIPv6 } from 'node:net';
import process from 'node:process';
import { atEnd, type Ending } from './cleanup.ts';

/** In one line, why there can be no such hosts here; false where there can. */
export function namespacesMissing(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'network namespaces need Linux and root';
  }
  try {
    run('ip', 'netns', 'list');
    run('nft', '--version');
    return false;
  } catch {
    return 'network namespaces behind a NAT need the programs ip and nft';
  }
  return kernelAllows() ? false : 'this kernel or container allows no namespaces behind a NAT';
}

export interface NatOptions {
  /**
   * Whether a port of a host has one outside, whomever it talks to ('cone'), or another one for
   * each ('symmetric').
   */
  readonly kind?: 'cone' | 'symmetric' | undefined;
  /** What becomes of what nobody inside asked for: no answer, or a refusal by the router. */
  readonly strangers?: 'drop' | 'refuse' | undefined;
}

const masquerading = { cone: 'persistent', symmetric: 'fully-random' };

function masquerade({ kind = 'cone' }: NatOptions): string {
  return `table ip nat { chain out { type nat hook postrouting priority 100; oifname wan masquerade ${masquerading[kind]}; }; }`;
}

const guard =
  'table ip guard { chain in { type filter hook input priority 0; iifname wan ct state new,invalid drop; }; }';

/** The same of a host, without keeping its neighbours from asking where it is. */
const firewall =
  'table inet guard { chain in { type filter hook input priority 0; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; iifname wan ct state new,invalid drop; }; }';

/** Containers have root and the programs, and still may not: only trying tells. */
function kernelAllows(): boolean {
  const trial = `altnet-${process.pid}-trial`;
  try {
    run('ip', 'netns', 'add', trial);
  } catch {
    return false;
  }
  try {
    run('ip', '-n', trial, ...split('link add bridge type bridge'));
    run('ip', '-n', trial, ...split('link add port0 type veth peer name port1'));
    run('ip', 'netns', 'exec', trial, 'nft', masquerade({}));
    return true;
  } catch {
    return false;
  } finally {
    run('ip', 'netns', 'delete', trial);
  }
}

function run(program: string, ...words: string[]): void {
  execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** The bridges of the hub: usually all are on the first. */
const [mainland, island] = ['bridge', 'island'];

export class Hosts {
  readonly #t: Ending;
  readonly #prefix = `altnet-${process.pid}`;
  readonly #hub: string;
  /** The port of the bridge that leads to each public host. */
  readonly #ports = new Map<string, string>();
  /** Behind each router, the last number that was given out. */
  readonly #inside = new Map<string, number>();
  #count = 0;

  constructor(t: Ending) {
    this.#t = t;
    this.#hub = this.#namespace('hub');
    for (const name of [mainland, island]) {
      run('ip', '-n', this.#hub, ...split(`link add ${name} type bridge`));
      run('ip', '-n', this.#hub, ...split(`link set ${name} up`));
    }
  }

  /** A host with these addresses, which reaches every other one; the name of its namespace. */
  public(...addresses: readonly string[]): string {
    const host = this.#namespace(`h${++this.#count}`);
    const port = `port${this.#count}`;
    run('ip', '-n', this.#hub, ...split(`link add ${port} type veth peer name wan netns ${host}`));
    run('ip', '-n', this.#hub, ...split(`link set ${port} master ${mainland} up`));
    this.#ports.set(host, port);
    run('ip', '-n', host, ...split('link set wan up'));
    for (const address of addresses) {
      // Without waiting for whether somebody else has it.
      const how = isIPv6(address) ? `${address}/128 dev wan nodad` : `${address}/32 dev wan`;
      run('ip', '-n', host, ...split(`addr add ${how}`));
      const family = isIPv6(address) ? '-6' : '-4';
      run('ip', '-n', host, family, ...split('route replace default dev wan'));
    }
    return host;
  }

  /** A host with a public address whose firewall lets nobody in: as homes are by IPv6. */
  behindFirewall(address: string): string {
    const host = this.public(address);
    run('ip', 'netns', 'exec', host, 'nft', firewall);
    return host;
  }

  /** From now on these public hosts reach each other, and nobody else. */
  separate(hosts: readonly string[]): void {
    for (const host of hosts) this.#move(host, island);
  }

  /** Everybody is in one network again. */
  reunite(): void {
    for (const host of this.#ports.keys()) this.#move(host, mainland);
  }

  #move(host: string, bridge: string): void {
    run('ip', '-n', this.#hub, ...split(`link set ${this.#portOf(host)} master ${bridge}`));
  }

  #portOf(host: string): string {
    const port = this.#ports.get(host);
    if (port === undefined) throw new Error(`${host} is no public host`);
    return port;
  }

  /** A host at 192.168.1.2 behind a router that masquerades as `address`. */
  behindNat(address: string, options: NatOptions = {}): string {
    return this.behind(this.router(address, options));
  }

  /** A router with this address; the name of its namespace. Inside it is 192.168.1.1. */
  router(address: string, options: NatOptions = {}): string {
    const router = this.public(address);
    run('ip', '-n', router, ...split('link add lan type bridge'));
    run('ip', '-n', router, ...split('addr add 192.168.1.1/24 dev lan'));
    run('ip', '-n', router, ...split('link set lan up'));
    run('ip', 'netns', 'exec', router, ...split('sysctl -q -w net.ipv4.ip_forward=1'));
    run('ip', 'netns', 'exec', router, 'nft', masquerade(options));
    if (options.strangers !== 'refuse') run('ip', 'netns', 'exec', router, 'nft', guard);
    return router;
  }

  /** One more host behind it: 192.168.1.2, then .3 and so on, all in one local network. */
  behind(router: string): string {
    const number = (this.#inside.get(router) ?? 1) + 1;
    this.#inside.set(router, number);
    const host = this.#namespace(`h${++this.#count}`);
    const port = `lan${number}`;
    run('ip', '-n', router, ...split(`link add ${port} type veth peer name eth0 netns ${host}`));
    run('ip', '-n', router, ...split(`link set ${port} master lan up`));
    run('ip', '-n', host, ...split(`addr add 192.168.1.${number}/24 dev eth0`));
    run('ip', '-n', host, ...split('link set eth0 up'));
    run('ip', '-n', host, ...split('route add default via 192.168.1.1'));
    return host;
  }

  /** From now on nothing gets in or out of this public host, or of the network of this router. */
  cut(host: string): void {
    run('ip', '-n', this.#hub, ...split(`link set ${this.#portOf(host)} down`));
  }

  /** From now on it hears nothing and says nothing, and nobody is told. */
  silence(host: string): void {
    const chains = ['input', 'output'].map(
      (hook) => `chain ${hook} { type filter hook ${hook} priority 0; policy drop; };`,
    );
    run('ip', 'netns', 'exec', host, 'nft', `table inet silence { ${chains.join(' ')} }`);
  }

  /** Its line works again. */
  mend(host: string): void {
    run('ip', '-n', this.#hub, ...split(`link set ${this.#portOf(host)} up`));
  }

  #namespace(name: string): string {
    const full = `${this.#prefix}-${name}`;
    run('ip', 'netns', 'add', full);
    atEnd(this.#t, () => run('ip', 'netns', 'delete', full));
    run('ip', '-n', full, ...split('link set lo up'));
    return full;
  }
}

function split(text: string): string[] {
  return text.split(' ');
}
