/**
 * `altnet setup ca` with the real certutil and the real update-ca-certificates, both on files of a
 * temporary machine.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { type DefinitionOutcome, runDefinition } from '../../../test/support/cli.ts';
import { FixedServices } from '../../../test/support/node-services.ts';
import { programMissing } from '../../../test/support/programs.ts';
import {
  noProgram,
  succeed,
  type TestSystem,
  testSystem,
  type TestSystemOptions,
} from '../../../test/support/setup-system.ts';
import { systemWorld } from '../../base/clock.ts';
import { CertificateAuthority } from '../../ca/authority.ts';
import { defineSetupCa } from '../commands/setup-ca.ts';
import type { OptionValues } from '../values.ts';
import type { StoreOutcome } from './ca-stores.ts';
import { inspectSetup } from './overview.ts';

const skip: string | false =
  programMissing('certutil') ||
  programMissing('update-ca-certificates') ||
  programMissing('openssl');
const services = new FixedServices();
const journal = '/setup-ca.json'; // the folder of data is "/" there
const bundle = '/etc/ssl/certs/ca-certificates.crt';

/** Debian, with a profile of Firefox, one of the snap, and Chromium of another snap. */
function debian(t: TestContext, options: TestSystemOptions = {}): TestSystem {
  const system = testSystem(t, {
    real: ['certutil'],
    programs: {
      'update-ca-certificates': (words) => {
        const places = {
          certsconf: '/etc/ca-certificates.conf',
          certsdir: '/usr/share/ca',
          localcertsdir: '/usr/local/share/ca-certificates',
          etccertsdir: '/etc/ssl/certs',
          hooksdir: '/none',
        };
        const given = Object.entries(places).flatMap(([option, place]) => [
          `--${option}`,
          system.outside(place),
        ]);
        const program = '/usr/sbin/update-ca-certificates';
        execFileSync(program, [...words, ...given], { stdio: 'pipe' });
        return succeed();
      },
    },
    ...options,
  });
  // Of another, as every system has some.
  system.put('/usr/local/share/ca-certificates/other.crt', otherPem());
  system.put('/etc/ca-certificates.conf', '# none\n');
  for (const folder of ['/usr/share/ca', '/usr/local/share/ca-certificates', '/none']) {
    mkdirSync(system.outside(folder), { recursive: true });
  }
  mkdirSync(system.outside('/etc/ssl/certs'), { recursive: true });
  for (const profile of ['.mozilla/firefox/a.default', 'snap/firefox/common/.mozilla/firefox/b']) {
    const folder = system.outside(`/home/u/${profile}`);
    mkdirSync(folder, { recursive: true });
    execFileSync('certutil', ['-N', '-d', `sql:${folder}`, '--empty-password']);
  }
  system.put('/home/u/.mozilla/firefox/profiles.ini', '');
  mkdirSync(system.outside('/home/u/snap/chromium/current'), { recursive: true });
  return system;
}

let other: string | undefined;

/** A certificate that signs for itself. */
function otherPem(): string {
  const words =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Other -keyout /dev/null';
  other ??= execFileSync('openssl', words.split(' '), { stdio: 'pipe' }).toString();
  return other;
}

function systemFingerprints(system: TestSystem): string[] {
  const pems = readFileSync(system.outside(bundle), 'utf8').match(
    /-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g,
  );
  return (pems ?? []).map((pem) => new X509Certificate(pem).fingerprint256);
}

interface Told extends DefinitionOutcome {
  readonly stores: readonly StoreOutcome[];
}

async function run(system: TestSystem, caDir: string, options: OptionValues = {}): Promise<Told> {
  const given = { services, options: { caDir, yes: true, ...options }, json: true };
  const outcome = await runDefinition(
    defineSetupCa(() => system),
    given,
  );
  const told = outcome.stdout === '' ? {} : (JSON.parse(outcome.stdout) as Partial<Told>);
  return { ...outcome, stores: told.stores ?? [] };
}

function authorityIn(caDir: string): Promise<CertificateAuthority> {
  return CertificateAuthority.open(caDir, { tld: 'alt', world: systemWorld });
}

const states = ({ stores }: Told): string[] => stores.map(({ state }) => state);

function listed(system: TestSystem, folder: string): string {
  return execFileSync('certutil', ['-L', '-d', `sql:${system.outside(folder)}`]).toString();
}

test('every store trusts it, once, and none of them afterwards', { skip }, async (t) => {
  const system = debian(t);
  const caDir = path.join(temporaryFolder(t), 'ca');
  const made = await run(system, caDir);
  assert.equal(made.error, undefined);
  assert.deepEqual(made.stores, [
    { store: 'system (debian)', state: 'added' },
    { store: '/home/u/.pki/nssdb', state: 'added' },
    { store: '/home/u/snap/chromium/current/.pki/nssdb', state: 'added' },
    { store: '/home/u/.mozilla/firefox/a.default', state: 'added' },
    { store: '/home/u/snap/firefox/common/.mozilla/firefox/b', state: 'added' },
  ]);
  const { name, fingerprint } = await authorityIn(caDir);
  for (const { store } of made.stores.slice(1)) {
    assert.match(listed(system, store), new RegExp(`^${name} +C,,\\s*$`, 'm'), store);
  }
  const foreign = new X509Certificate(otherPem()).fingerprint256;
  assert.deepEqual(systemFingerprints(system).toSorted(), [foreign, fingerprint].toSorted());
  assert.match(made.stderr, /browsers that run see this when they are started again/);
  assert.deepEqual(states(await run(system, caDir)), Array<string>(5).fill('trusted'));
  const undone = await run(system, caDir, { undo: true });
  assert.equal(undone.error, undefined);
  assert.deepEqual(states(undone), Array<string>(5).fill('removed'));
  assert.deepEqual(systemFingerprints(system), [foreign]);
  // With the links that lead nowhere, which a tree does not show.
  const links = await system.list('/etc/ssl/certs');
  const left = [...links, ...Object.keys(system.tree())].filter((file) =>
    /altnet|\.pki|setup-ca/.test(file),
  );
  assert.deepEqual(left, [], 'the databases that were made are gone');
  assert.doesNotMatch(listed(system, '/home/u/.mozilla/firefox/a.default'), /AltNet/);
  const { stdout } = await run(system, caDir, { undo: true });
  assert.match(stdout, /"unchanged"/);
});

test('programs that ask the system take it, for .alt alone', { skip }, async (t) => {
  const system = debian(t);
  const caDir = path.join(temporaryFolder(t), 'ca');
  await run(system, caDir);
  const issuer = execFileSync('openssl', [
    'x509',
    '-in',
    system.outside(bundle),
    '-noout',
    '-text',
  ]);
  assert.match(issuer.toString(), /X509v3 Name Constraints: critical\s+Permitted:\s+DNS:alt/);
});

test(
  'without root the stores of the user are changed, and the line for the rest is told',
  { skip },
  async (t) => {
    const system = debian(t, { isRoot: false });
    const caDir = path.join(temporaryFolder(t), 'a folder');
    const made = await run(system, caDir);
    assert.equal(made.error, undefined);
    assert.equal(made.stores[0]?.state, 'waiting');
    assert.deepEqual(states(made).slice(1), Array<string>(4).fill('added'));
    assert.match(made.stderr, /run: sudo \S+\/bin\/altnet setup ca --ca-dir '.*a folder'\n/);
    assert.equal(await system.exists(bundle), false);
    await run(debianAgain(system, { isRoot: true, sudoUser: 'u' }), caDir);
    const undone = await run(system, caDir, { undo: true });
    assert.deepEqual(states(undone), ['waiting', 'removed', 'removed', 'removed', 'removed']);
    assert.match(undone.stderr, /--undo\n/);
  },
);

/** The same machine for another user. */
function debianAgain(system: TestSystem, { isRoot, sudoUser }: TestSystemOptions): TestSystem {
  const again = Object.create(system) as TestSystem;
  return Object.defineProperties(again, {
    isRoot: { value: isRoot },
    sudoUser: { value: sudoUser },
    run: { value: system.run.bind(system) },
    outside: { value: system.outside.bind(system) },
  });
}

test(
  'with sudo only the system is changed, and no authority is made for root',
  { skip },
  async (t) => {
    const system = debian(t, { sudoUser: 'u' });
    const caDir = path.join(temporaryFolder(t), 'ca');
    const { error } = await run(system, caDir);
    assert.match(String(error), /there is none yet; run this first as u, without sudo/);
    await authorityIn(caDir);
    const made = await run(system, caDir);
    assert.deepEqual(made.stores, [{ store: 'system (debian)', state: 'added' }]);
    assert.match(made.stderr, /for the browsers of u run the same without sudo/);
  },
);

test('of an authority that was replaced nothing stays trusted', { skip }, async (t) => {
  const system = debian(t);
  const caDir = path.join(temporaryFolder(t), 'ca');
  await run(system, caDir);
  const first = await authorityIn(caDir);
  rmSync(caDir, { recursive: true });
  assert.deepEqual(states(await run(system, caDir)), Array<string>(5).fill('added'));
  const second = await authorityIn(caDir);
  assert.notEqual(first.name, second.name);
  const names = listed(system, '/home/u/.pki/nssdb');
  assert.ok(names.includes(second.name) && !names.includes(first.name));
  rmSync(caDir, { recursive: true });
  const undone = await run(system, caDir, { undo: true });
  assert.deepEqual(states(undone), Array<string>(5).fill('removed'), 'also without the authority');
});

test(
  'another certificate of the same name stays, and so does a database with others',
  { skip },
  async (t) => {
    const system = debian(t);
    const [caDir, otherDir] = [temporaryFolder(t), temporaryFolder(t)].map((each) => `${each}/ca`);
    await run(system, caDir ?? '');
    const database = system.outside('/home/u/.pki/nssdb');
    const foreign = await authorityIn(otherDir ?? '');
    execFileSync('certutil', ['-A', '-d', `sql:${database}`, '-n', 'Other', '-t', 'C,,', '-a'], {
      input: foreign.pem,
    });
    await run(system, caDir ?? '', { undo: true });
    assert.match(listed(system, '/home/u/.pki/nssdb'), /^Other/m);
  },
);

test('what was lost of the journal is found by the authority', { skip }, async (t) => {
  const system = debian(t);
  const caDir = path.join(temporaryFolder(t), 'ca');
  await run(system, caDir);
  await system.remove(journal);
  assert.deepEqual(
    states(await run(system, caDir, { undo: true })),
    Array<string>(5).fill('removed'),
  );
  system.put(journal, '{"version":1,"name":"--evil","fingerprint":"","databases":[]}');
  assert.match(String((await run(system, caDir)).error), /setup-ca\.json: it is damaged/);
});

test('a database that cannot be asked is not said to be free of it', { skip }, async (t) => {
  const system = debian(t);
  const caDir = path.join(temporaryFolder(t), 'ca');
  await run(system, caDir);
  const again = debianAgain(system, { isRoot: false });
  const bare = Object.create(again) as TestSystem;
  Object.defineProperty(bare, 'run', {
    value: (program: string, words: readonly string[]) =>
      program === 'certutil' ? noProgram : again.run(program, words),
  });
  const kept = await run(bare, caDir, { undo: true });
  assert.match(String(kept.error), /4 stores/);
  assert.deepEqual(states(kept), ['waiting', 'failed', 'failed', 'failed', 'failed']);
  assert.match(kept.stores[1]?.why ?? '', /libnss3-tools/);
  const broken = '/home/u/.mozilla/firefox/a.default/cert9.db';
  const { bytes } = (await system.read(broken)) ?? assert.fail();
  system.put(broken, 'x'.repeat(5000));
  assert.deepEqual(states(await run(system, caDir, { undo: true })).toSorted(), [
    'failed',
    ...Array<string>(4).fill('removed'),
  ]);
  await system.write(broken, { bytes, mode: 0o600 });
  assert.deepEqual(states(await run(system, caDir, { undo: true })), ['removed']);
  assert.equal(await system.exists(journal), false);
});

test('without certutil it says what to install; elsewhere it says what to do', async (t) => {
  const caDir = path.join(temporaryFolder(t), 'ca');
  const bare = testSystem(t);
  const { error, stores } = await run(bare, caDir);
  assert.match(String(error), /1 store: the lines above say why/);
  assert.match(stores[0]?.why ?? '', /libnss3-tools/);
  for (const platform of ['darwin', 'win32'] as const) {
    const system = testSystem(t, { platform });
    for (const options of [{}, { print: true }, { undo: true }]) {
      const { stdout } = await run(system, caDir, options);
      assert.match(stdout, platform === 'darwin' ? /add-trusted-cert -d/ : /certutil -addstore/);
    }
    assert.deepEqual(system.tree(), {});
  }
});

test('printing makes nothing, and says what trust means', async (t) => {
  const system = testSystem(t, { isRoot: false });
  mkdirSync(system.outside('/usr/local/share/ca-certificates'), { recursive: true });
  const caDir = path.join(temporaryFolder(t), 'ca');
  const options = { caDir, print: true };
  const { stdout } = await runDefinition(
    defineSetupCa(() => system),
    { services, options },
  );
  assert.match(stdout, /can sign for names under \.alt and for nothing else/);
  assert.match(stdout, /\nmake the authority in .*\nin the store of the system, as root:\nwrite /);
  assert.equal(Object.keys(system.tree()).length, 4);
  assert.deepEqual(
    await CertificateAuthority.find(caDir, { tld: 'alt', world: systemWorld }),
    undefined,
  );
});

test('the overview tells who trusts it', { skip }, async (t) => {
  const system = debian(t);
  const data = temporaryFolder(t);
  const found = async (): Promise<string> => {
    const { parts } = await inspectSetup({ system, data });
    const ca = parts.find(({ part }) => part === 'ca');
    return `${ca?.state}: ${ca?.found.replace(/AltNet.*/, 'it')}`;
  };
  assert.equal(await found(), 'not set up: there is no certificate authority yet');
  const caDir = path.join(data, 'ca');
  await authorityIn(caDir);
  assert.equal(await found(), 'not set up: 0 of 5 stores trust it');
  await run(debianAgain(system, { isRoot: false, sudoUser: undefined }), caDir);
  assert.equal(await found(), 'in part: 4 of 5 stores trust it');
  await run(system, caDir);
  assert.equal(await found(), 'set up: 5 of 5 stores trust it');
});
