/**
 * What to change so that names under .alt go to this node's DNS service and no other name does, for
 * each resolver that docs/spec/setup.md tells of. Pure.
 */
import type { HostPort } from '../../base/address.ts';
import { resolvConf, type Resolver, writtenHead as head } from './dns-resolver.ts';
import {
  command,
  type FileChange,
  optional,
  type Plan,
  type PlanCommands,
  restartOf,
} from './plan.ts';

/** What can be changed, or why not and what else there is. */
export type DnsPlan =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'by-hand'; readonly why: string; readonly steps: readonly string[] };

/**
 * From here on systemd-resolved answers every name under .alt with NXDOMAIN itself, before it looks
 * at any setting (RFC 9476 says that .alt is no part of the DNS).
 */
const resolvedRefusesFrom = 255;
const dnsPort = 53;

const unit = 'altnet-dns.service';
const link = 'altnet0';
/**
 * The dummy address of RFC 7600: a link without an address is not used for the DNS. Where the
 * kernel has no dummy links, as in small virtual machines, an ifb leads nowhere as well.
 */
const linkAddress = '192.0.0.8/32';

const commands: Readonly<Record<string, PlanCommands>> = {
  'systemd-resolved': {
    activate: [
      optional(command('nmcli', 'general', 'reload', 'conf')),
      command('systemctl', 'daemon-reload'),
      command('systemctl', 'enable', unit),
      ...restartOf(unit),
    ],
    deactivate: [command('systemctl', 'disable', '--now', unit)],
    settle: [
      command('systemctl', 'daemon-reload'),
      optional(command('nmcli', 'general', 'reload', 'conf')),
    ],
  },
  'networkmanager-dnsmasq': reloadedBy(command('nmcli', 'general', 'reload', 'dns-full')),
  dnsmasq: reloadedBy(...restartOf('dnsmasq')),
  // Not checked by unbound-checkconf before: it also refuses for what was there all the time.
  unbound: reloadedBy(...restartOf('unbound')),
  'resolv-conf': { activate: [], deactivate: [], settle: [] },
  macos: reloadedBy(
    optional(command('dscacheutil', '-flushcache')),
    optional(command('killall', '-HUP', 'mDNSResponder')),
  ),
};

function reloadedBy(...reload: PlanCommands['activate']): PlanCommands {
  return { activate: reload, deactivate: [], settle: reload };
}

export function dnsCommandsOf(variant: string): PlanCommands | undefined {
  return Object.hasOwn(commands, variant) ? commands[variant] : undefined;
}

export interface DnsPlace {
  /** Where this machine reaches the DNS service. */
  readonly at: HostPort;
  /** How its names end. */
  readonly tld: string;
}

export function planDns(resolver: Resolver, to: DnsPlace): DnsPlan {
  const { at, tld } = to;
  switch (resolver.kind) {
    case 'systemd-resolved':
      return planResolved(resolver, to);
    case 'networkmanager-dnsmasq':
      return planFile(resolver.kind, '/etc/NetworkManager/dnsmasq.d/altnet.conf', dnsmasqText(to));
    case 'dnsmasq':
      return planFolder(resolver, { settings: '/etc/dnsmasq.conf', text: dnsmasqText(to) });
    case 'unbound':
      return planFolder(resolver, { settings: '/etc/unbound/unbound.conf', text: unboundText(to) });
    case 'resolv-conf':
      return planResolvConf(resolver, at);
    case 'macos':
      return planFile(resolver.kind, `/etc/resolver/${tld}`, macosText(at));
    case 'windows':
      return planWindows(to);
    case 'unknown':
      return byHand(resolver.why, otherWays);
    default:
      return resolver satisfies never;
  }
}

/** A file in the folder that is read; without one the lines go into the settings, by hand. */
function planFolder(
  { kind, folder }: Extract<Resolver, { folder: string | undefined }>,
  { settings, text }: { settings: string; text: string },
): DnsPlan {
  if (folder !== undefined) return planFile(kind, `${folder}/altnet.conf`, text);
  const why = `${kind} reads no folder of settings`;
  return byHand(why, [`add to ${settings}:`, ...text.trim().split('\n')]);
}

function planFile(variant: string, path: string, content: string): DnsPlan {
  return planFiles(variant, [{ path, content, mode: 0o644 }]);
}

function planFiles(variant: string, files: readonly FileChange[]): DnsPlan {
  const around = dnsCommandsOf(variant) ?? { activate: [], deactivate: [], settle: [] };
  return { kind: 'plan', plan: { variant, files, ...around } };
}

const otherWays = [
  'without any set-up: http://NAME.localhost:8080/ in the browser, or its proxy settings at http://127.0.0.1:8080/proxy.pac',
] as const;

function byHand(why: string, steps: readonly string[]): DnsPlan {
  return { kind: 'by-hand', why, steps };
}

/**
 * A link of its own, to which only names under .alt are routed. Settings of resolved as a whole
 * would do for those names, but every other name would be asked there as well.
 */
function planResolved(
  { version, hasNetworkManager }: Extract<Resolver, { kind: 'systemd-resolved' }>,
  to: DnsPlace,
): DnsPlan {
  if (version >= resolvedRefusesFrom && to.tld === 'alt') {
    return byHand(
      `systemd-resolved ${version} answers every name under .alt itself (since ${resolvedRefusesFrom}), and no setting changes that`,
      [
        'let dnsmasq or unbound answer instead of systemd-resolved (docs/spec/setup.md), then run this again',
        ...otherWays,
      ],
    );
  }
  const service = {
    path: `/etc/systemd/system/${unit}`,
    content: resolvedUnit(to),
    mode: 0o644,
  };
  const leaveAlone = {
    path: '/etc/NetworkManager/conf.d/altnet-dns.conf',
    content: `${head}\n[device-altnet]\nmatch-device=interface-name:${link}\nmanaged=0\n`,
    mode: 0o644,
  };
  return planFiles('systemd-resolved', hasNetworkManager ? [leaveAlone, service] : [service]);
}

function resolvedUnit({ at, tld }: DnsPlace): string {
  const settings = [
    `dns ${link} ${serverText(at, ':')}`,
    `domain ${link} ~${tld}`,
    `default-route ${link} no`,
    `llmnr ${link} no`,
    `mdns ${link} no`,
    `dnssec ${link} no`,
    `dnsovertls ${link} no`,
  ];
  return `${head}
[Unit]
Description=Names under .${tld} are answered by AltNet
BindsTo=systemd-resolved.service
After=systemd-resolved.service network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=-/bin/sh -c 'ip link add ${link} type dummy || ip link add ${link} type ifb'
ExecStart=/usr/bin/env ip address replace ${linkAddress} dev ${link}
ExecStart=/usr/bin/env ip link set ${link} up
${settings.map((words) => `ExecStart=/usr/bin/env resolvectl ${words}`).join('\n')}
ExecStopPost=-/usr/bin/env ip link delete ${link}

[Install]
WantedBy=multi-user.target systemd-resolved.service
`;
}

function dnsmasqText({ at, tld }: DnsPlace): string {
  // The second line is for those who have answers with private addresses dropped.
  return `${head}\nserver=/${tld}/${serverText(at, '#')}\nrebind-domain-ok=/${tld}/\n`;
}

function unboundText({ at, tld }: DnsPlace): string {
  return `${head}
server:
    do-not-query-localhost: no
    domain-insecure: "${tld}"
    private-domain: "${tld}"
    local-zone: "${tld}." transparent

forward-zone:
    name: "${tld}."
    forward-addr: ${serverText(at, '@')}
`;
}

function macosText({ host, port }: HostPort): string {
  return `${head}\nnameserver ${host}\nport ${port}\n`;
}

/** As resolvers write it: dnsmasq and unbound take an IPv6 address without brackets. */
function serverText({ host, port }: HostPort, mark: '#' | '@' | ':'): string {
  const isBracketed = mark === ':' && host.includes(':');
  return `${isBracketed ? `[${host}]` : host}${mark}${port}`;
}

/** Each program asks the servers in their order, at port 53, and the next when one is not there. */
function planResolvConf(
  { content, isLink, isGenerated }: Extract<Resolver, { kind: 'resolv-conf' }>,
  { host, port }: HostPort,
): DnsPlan {
  if (isGenerated) {
    return byHand(`NetworkManager writes ${resolvConf} anew with every connection`, [
      'have it ask a dnsmasq of its own: install dnsmasq-base, write these two lines into /etc/NetworkManager/conf.d/dnsmasq.conf, run systemctl restart NetworkManager, then run this again:',
      '[main]',
      'dns=dnsmasq',
      ...otherWays,
    ]);
  }
  if (port !== dnsPort || isLink) {
    const why = isLink
      ? `${resolvConf} is a link to a file that another program writes`
      : 'the programs here ask other machines directly, and do that at port 53 only';
    return byHand(why, [
      'install dnsmasq or unbound and let it answer for this machine (docs/spec/setup.md), then run this again',
      ...(isLink ? [] : [`or start the node with --dns 127.0.0.1:${dnsPort}, then run this again`]),
      ...otherWays,
    ]);
  }
  const text = `${head}\nnameserver ${host}\n${content}`;
  const file = { path: resolvConf, content: text, mode: 0o644, replaces: true } as const;
  return planFiles('resolv-conf', [file]);
}

function planWindows({ at: { host, port }, tld }: DnsPlace): DnsPlan {
  const isUsable = port === dnsPort;
  const why = 'on Windows this is done in a PowerShell of an administrator';
  return byHand(why, [
    ...(isUsable ? [] : [`start the node with --dns 127.0.0.1:${dnsPort}: rules have no port`]),
    `Add-DnsClientNrptRule -Namespace ".${tld}" -NameServers "${isUsable ? host : '127.0.0.1'}" -Comment "AltNet"`,
    'Clear-DnsClientCache',
    'back: Get-DnsClientNrptRule | Where-Object Comment -eq "AltNet" | Remove-DnsClientNrptRule',
    ...otherWays,
  ]);
}
