/**
 * The certificate store of the system, which curl, wget, Python's ssl and most other programs ask:
 * where it takes further certificates from, and whether it has one. Changes nothing itself.
 */
import { X509Certificate } from 'node:crypto';
import type { AuthorityText } from './ca-text.ts';
import { command, type Plan, type PlanCommands, type SystemCommand } from './plan.ts';
import { readText, type System } from './system.ts';

interface SystemStore {
  readonly variant: string;
  /** Takes further certificates; that it is there tells this store from others. */
  readonly folder: string;
  readonly ending: 'crt' | 'pem';
  /** What programs read. */
  readonly bundle: string;
  readonly refresh: SystemCommand;
  /** Before a certificate goes, for stores that would keep it. */
  readonly forewarn?: SystemCommand;
  /** After a certificate went, where that is another one. */
  readonly forget?: SystemCommand;
}

/**
 * The store of Java is told of a certificate in Debian's folder when it comes, and never when it
 * goes. It is told here as that program tells its hooks: "-" and the file.
 */
const javaHook = '/etc/ca-certificates/update.d/jks-keystore';
const tellJava = `[ ! -x ${javaHook} ] || for pem in /etc/ssl/certs/altnet-*.pem; do echo "-$pem"; done | ${javaHook}`;

/** The first whose folder is there counts; Debian's is the one that others have as well. */
const stores: readonly SystemStore[] = [
  {
    variant: 'fedora',
    folder: '/etc/pki/ca-trust/source/anchors',
    ending: 'pem',
    bundle: '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
    refresh: command('update-ca-trust', 'extract'),
  },
  {
    variant: 'suse',
    folder: '/etc/pki/trust/anchors',
    ending: 'pem',
    bundle: '/var/lib/ca-certificates/ca-bundle.pem',
    refresh: command('update-ca-certificates'),
  },
  {
    variant: 'arch',
    folder: '/etc/ca-certificates/trust-source/anchors',
    ending: 'pem',
    bundle: '/etc/ssl/certs/ca-certificates.crt',
    refresh: command('update-ca-trust'),
  },
  {
    variant: 'debian',
    folder: '/usr/local/share/ca-certificates',
    ending: 'crt',
    bundle: '/etc/ssl/certs/ca-certificates.crt',
    refresh: command('update-ca-certificates'),
    forewarn: command('sh', '-c', tellJava),
    // Without --fresh the links to it in /etc/ssl/certs would stay, and lead nowhere.
    forget: command('update-ca-certificates', '--fresh'),
  },
];

export function systemStoreCommandsOf(variant: string): PlanCommands | undefined {
  const store = stores.find((each) => each.variant === variant);
  if (!store) return undefined;
  const { refresh, forewarn, forget = refresh } = store;
  return { activate: [refresh], deactivate: forewarn ? [forewarn] : [], settle: [forget] };
}

export async function findSystemStore(system: System): Promise<SystemStore | undefined> {
  if (system.platform !== 'linux') return undefined;
  for (const store of stores) if (await system.exists(store.folder)) return store;
  return undefined;
}

/** `authority` as it is to be trusted. */
export function planSystemStore(store: SystemStore, { pem, fingerprint }: AuthorityText): Plan {
  const name = `altnet-${fingerprint.replaceAll(':', '').slice(0, 16).toLowerCase()}`;
  const file = {
    path: `${store.folder}/${name}.${store.ending}`,
    content: pem,
    mode: 0o644,
  };
  const around = systemStoreCommandsOf(store.variant);
  if (!around) throw new RangeError(`no commands for ${store.variant}`);
  return { variant: store.variant, files: [file], ...around };
}

/** Whether programs that ask the system trust it. */
export async function isTrustedBySystem(
  system: System,
  store: SystemStore,
  { pem }: AuthorityText,
): Promise<boolean> {
  const bundle = (await readText(system, store.bundle)) ?? '';
  return withoutSpaces(bundle).includes(withoutSpaces(new X509Certificate(pem).toString()));
}

function withoutSpaces(text: string): string {
  return text.replaceAll(/\s+/g, '');
}
