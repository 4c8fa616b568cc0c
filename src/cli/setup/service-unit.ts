/**
 * A node as a service of systemd, launchd or Windows, in the words of each. Pure: who installs it,
 * and where, is another's.
 */
import { parseHostPort } from '../../base/address.ts';
import { AltNetError } from '../../base/errors.ts';

export interface ServiceOptions {
  /** bin/altnet, absolute. */
  readonly launcher: string;
  /** Words after `start --headless`, checked. */
  readonly startWords: readonly string[];
  /** Where it listens: of each option of `start` that says so, host:port. */
  readonly addresses: ReadonlyMap<string, string>;
  /** How its names end; left out: as everywhere. */
  readonly tld?: string | undefined;
}

export const unitName = 'altnet.service';
export const unitFile: string = `/etc/systemd/system/${unitName}`;
/** Where systemd keeps what is the service's: <StateDirectory>, the same under every user ID. */
export const stateFolder = '/var/lib/altnet';
/** Of a unit, what systemd passes over and other commands read, such as where the node listens. */
export const nodeSection = '[X-AltNet]';
/** In that section, where names end in another way than everywhere. */
export const tldLine = 'tld=';
const head =
  '# Written by "altnet setup service"; "altnet setup service --undo" takes it away again.';
const lowPortsBelow = 1024;

/** Of memory: an idle node has some 110 MB, one that publishes large folders several hundred. */
const limits = `MemoryHigh=768M
MemoryMax=1G
TasksMax=256
LimitNOFILE=65536`;

/** exec: it counts as started when the program runs; a node has no way to tell more. */
const running = `Type=exec
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
TimeoutStopSec=30
KillSignal=SIGTERM`;

/**
 * Without MemoryDenyWriteExecute, as JavaScript is compiled while it runs, and with AF_NETLINK, by
 * which a program learns the addresses of its machine.
 */
const confined = `NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
UMask=0077`;

const confinedAsSystem = `ProtectSystem=strict
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes`;

/** For the whole machine, under a user that exists only while it runs. */
export function systemUnit(options: ServiceOptions): string {
  const needsLowPorts = [...options.addresses.values()].some(isLowPort);
  // A user namespace of its own would take the capability away again.
  const capabilities = needsLowPorts
    ? 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE'
    : 'CapabilityBoundingSet=\nPrivateUsers=yes';
  const isAtHome = /^\/(home|root)\//.test(options.launcher);
  return `${head}
[Unit]
Description=AltNet node
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
ExecStart=${execLine(options, stateFolder)}
DynamicUser=yes
User=altnet
StateDirectory=altnet
StateDirectoryMode=0700
CacheDirectory=altnet
Environment=NODE_COMPILE_CACHE=/var/cache/altnet
${running}
${limits}

${confined}
${confinedAsSystem}
ProtectHome=${isAtHome ? 'read-only' : 'yes'}
${capabilities}

[Install]
WantedBy=multi-user.target

${nodeSection}
${nodeLines(options).join('')}`;
}

function nodeLines({ addresses, tld }: ServiceOptions): string[] {
  const lines = [...addresses].map(([option, address]) => `${option}=${address}\n`);
  return tld === undefined ? lines : [...lines, `${tldLine}${tld}\n`];
}

/** For one user, while that user is logged in, or always with `loginctl enable-linger`. */
export function userUnit(options: ServiceOptions, data: string): string {
  return `${head}
[Unit]
Description=AltNet node
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
ExecStart=${execLine(options, data)}
${running}
${limits}

${confined}

[Install]
WantedBy=default.target
`;
}

function execLine({ launcher, startWords }: ServiceOptions, data: string): string {
  const words = ['start', '--headless', '--data', data, ...startWords].map(unitWord);
  return [unitProgram(launcher), ...words].join(' ');
}

/**
 * The program of a command: there nothing is replaced but what begins with "%", and no quotes or
 * backslashes are allowed, however they are written. Throws USAGE for these.
 */
export function unitProgram(program: string): string {
  if (/["'\\]/.test(program)) {
    throw new AltNetError('USAGE', {
      why: `systemd starts nothing from a path with quotes or backslashes: ${program}`,
    });
  }
  return unitWord(program).replaceAll('$$', () => '$');
}

/**
 * One word of a command as systemd.service(5) takes it: in quotes, with what it would replace
 * written twice. Throws USAGE for characters that no line can hold.
 */
export function unitWord(word: string): string {
  if (/[\p{Cc}]/u.test(word)) {
    throw new AltNetError('USAGE', { why: 'a service cannot be given control characters' });
  }
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  if (/^[\w%+=:,./@#-]+$/.test(escaped)) return escaped;
  return `"${escaped.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** Whether a program needs a right of its own to listen there. */
export function isLowPort(address: string): boolean {
  const { port } = parseHostPort(address) ?? { port: 0 };
  return port > 0 && port < lowPortsBelow;
}

/** For launchd: ~/Library/LaunchAgents/altnet.node.plist. */
export function launchdPlist({ launcher, startWords }: ServiceOptions, data: string): string {
  const words = [launcher, 'start', '--headless', '--data', data, ...startWords];
  const strings = words.map((word) => `    <string>${xmlText(word)}</string>`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>altnet.node</string>
  <key>ProgramArguments</key>
  <array>
${strings}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ProcessType</key>
  <string>Background</string>
</dict>
</plist>
`;
}

const xmlEscapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function xmlText(text: string): string {
  return text.replaceAll(/[&<>]/g, (char) => xmlEscapes[char] ?? char);
}

/** For the task scheduler: one line for a prompt. */
export function windowsTask({ startWords }: ServiceOptions, program: readonly string[]): string {
  const words = [...program, 'start', '--headless', ...startWords];
  const line = words.map((word) => (/[\s"]/.test(word) ? String.raw`\"${word}\"` : word)).join(' ');
  return `schtasks /create /tn AltNet /sc onlogon /tr "${line}"`;
}
