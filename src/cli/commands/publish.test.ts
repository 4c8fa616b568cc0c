/** `publish` as a person sees it; what a watch does is tested in src/node/watch-site.test.ts. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { type DefinitionOutcome, runDefinition } from '../../../test/support/cli.ts';
import { FixedServices, sampleIds, samples } from '../../../test/support/node-services.ts';
import type { PublishInput, PublishResult } from '../../api/ports-sites.ts';
import { AltNetError } from '../../base/errors.ts';
import { definition } from './publish.ts';

/** Publishes two versions with a failure between them, then Ctrl-C. */
async function watch(
  t: TestContext,
  options: Record<string, unknown>,
): Promise<DefinitionOutcome & { asked: PublishInput[] }> {
  const folder = temporaryFolder(t);
  const change = (text: string): void => writeFileSync(path.join(folder, 'index.html'), text);
  change('one');
  const end = new AbortController();
  const asked: PublishInput[] = [];
  const services = new FixedServices();
  services.publish = async (input): Promise<PublishResult> => {
    asked.push(input as PublishInput);
    const { name, version, ...rest } = samples.publish;
    const named = options['name'] === undefined ? rest : { ...rest, name, version };
    if (asked.length === 1) {
      change('two!');
      return named as PublishResult;
    }
    if (asked.length === 2) {
      change('three');
      throw new AltNetError('STORE_FULL', { bytes: 2e6, bytesMax: 1e6 });
    }
    setImmediate(() => end.abort());
    return { ...named, root: sampleIds.value } as PublishResult;
  };
  const { signal } = end;
  const given = { services, operands: [folder], options: { watch: true, ...options }, signal };
  return { ...(await runDefinition(definition, given)), asked };
}

test('the first version is told at length, the others in a line, failures between them', async (t) => {
  const { stdout, stderr, error, asked } = await watch(t, { name: 'alice', keep: true });
  assert.equal(error, undefined, 'Ctrl-C is how it ends');
  assert.match(stdout, /^published 3 files, 4\.1 kB\nroot {6}0e0e.*\ncopies .*1 could not be/s);
  const [last] = stdout.trimEnd().split('\n').slice(-1);
  assert.match(
    last ?? '',
    /^\d\d:\d\d:\d\d alice\.alt version 2: 3 files, 4\.1 kB; copies: 2 of 6 \(3 nodes had no room/,
  );
  assert.match(
    stderr,
    /^altnet: watching for changes; Ctrl-C ends it\naltnet: 2\.0 MB .*\naltnet: still watching/,
  );
  assert.deepEqual(
    asked.map(({ name, keep, replaces }) => [name, keep, replaces]),
    [undefined, sampleIds.root, sampleIds.root].map((replaces) => ['alice', true, replaces]),
  );
});

test('without a name a version has the address of its own', async (t) => {
  const { stdout } = await watch(t, {});
  const line = / new version: 3 files, .*; http:\/\/alice\.localhost:8080\/\n$/;
  assert.match(stdout, line);
});

test('a failure after the site is there says what is left of it', async (t) => {
  const folder = temporaryFolder(t);
  const root = sampleIds.cid;
  const stopped = async (
    phase: 'reading' | 'announcing' | 'naming' | 'copying',
    { error = new AltNetError('ABORTED', {}), ...options }: { error?: Error; name?: string } = {},
  ): Promise<string> => {
    const services = new FixedServices();
    services.publish = (_input, { onProgress } = {}): Promise<PublishResult> => {
      const done = { phase, bytes: 1, bytesTotal: 2, files: 1, peers: 0 };
      onProgress?.({ ...done, ...(phase !== 'reading' && { root }) });
      return Promise.reject(error);
    };
    return (await runDefinition(definition, { services, operands: [folder], options })).stderr;
  };
  const name = 'alice';
  assert.equal(await stopped('reading', { name }), '');
  assert.equal(
    await stopped('copying'),
    `altnet: the site is published; copies that are missing are made while the node runs; altnet unpublish ${root} takes it back\n`,
  );
  assert.equal(
    await stopped('copying', { name }),
    'altnet: the site is published and alice points to it; copies that are missing are made while the node runs\n',
  );
  const unnamed = `altnet: the site is held here as ${root}, but alice does not point to it; the same command tries again, altnet unpublish ${root} takes it back\n`;
  assert.equal(await stopped('announcing', { name }), unnamed);
  const error = new AltNetError('NAME_TAKEN', { name: 'alice.alt', owner: 'ab' });
  assert.equal(await stopped('naming', { name, error }), unnamed);
  const alone = new AltNetError('NO_PEERS', { what: 'alice.alt' });
  assert.match(
    await stopped('naming', { name, error: alone }),
    /as soon as others are in reach\n$/,
  );
});

test('a name that this node does not resolve is not said to open here', async (t) => {
  const folder = temporaryFolder(t);
  const services = new FixedServices();
  const outcome = async (elsewhere: Pick<PublishResult, 'elsewhere'>): Promise<string> => {
    services.publish = async () => ({ ...samples.publish, ...elsewhere });
    const given = { services, operands: [folder], options: { name: 'alice' } };
    return (await runDefinition(definition, given)).stdout;
  };
  assert.doesNotMatch(await outcome({}), /does not open/);
  assert.match(
    await outcome({ elsewhere: true }),
    /^alice\.alt does not open at this node, which trusts other registrars;/m,
  );
});
