/**
 * The command line by transcripts (test/transcripts/README.md): what a person types, and every line
 * that comes back. `UPDATE_TRANSCRIPTS=1` writes them anew; read the difference before you keep it.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { Api } from '../../src/api/api.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { splitWords } from '../../src/cli/argv.ts';
import { writeRunFile } from '../../src/node/runfile.ts';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';
import { type CliOutcome, runCli } from '../support/cli.ts';
import { FixedServices } from '../support/node-services.ts';

const folder: string = path.join(import.meta.dirname, '../transcripts');
const token = 'correct-horse-battery-staple';

interface Step {
  /** Remarks, the command and its input: what stays when the transcript is written anew. */
  readonly given: readonly string[];
  readonly expected: readonly string[];
}

function isGiven(line: string): boolean {
  return /^(\$|<|#) /.test(line);
}

function parseTranscript(text: string): Step[] {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((part) => {
      const lines = part.split('\n');
      return {
        given: lines.filter(isGiven),
        expected: lines.filter((line) => !isGiven(line)),
      };
    });
}

/** A working folder with a site, an empty folder, and, for "with-…", a node on `data`. */
async function workingFolder(t: TestContext, name: string): Promise<string> {
  const cwd = temporaryFolder(t);
  mkdirSync(path.join(cwd, 'empty'));
  mkdirSync(path.join(cwd, 'site'));
  writeFileSync(path.join(cwd, 'site/index.html'), '<h1>Hello</h1>');
  if (!name.startsWith('with-')) return cwd;
  const data = path.join(cwd, 'data');
  mkdirSync(data);
  const options = { host: '127.0.0.1', port: 0 };
  const api = new Api({ services: new FixedServices(), token, log: silentLogger }, options);
  await api.start();
  atEnd(t, () => api.stop());
  await writeRunFile(data, `http://127.0.0.1:${api.address().port}`);
  writeFileSync(path.join(data, 'registrar-token.txt'), token, { mode: 0o600 });
  return cwd;
}

async function runStep({ given }: Step, cwd: string): Promise<string[]> {
  const command = given.find((line) => line.startsWith('$ ')) ?? '';
  const [program, ...argv] = splitWords(command.slice(2));
  assert.equal(program, 'altnet', `a transcript runs altnet: ${command}`);
  const input = given.filter((line) => line.startsWith('< ')).map((line) => line.slice(2));
  return describeOutcome(await runCli(argv, { cwd, stdin: input.join('\n') }), cwd);
}

function describeOutcome({ code, stdout, stderr }: CliOutcome, cwd: string): string[] {
  const lines = (text: string): string[] =>
    text.replaceAll(cwd, '[folder]').split('\n').slice(0, -1);
  assert.ok([stdout, stderr].every((text) => text === '' || text.endsWith('\n')));
  return [
    ...lines(stdout),
    ...lines(stderr).map((line) => `! ${line}`),
    ...(code === 0 ? [] : [`= ${code}`]),
  ];
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(`transcript ${file}`, async (t) => {
    const full = path.join(folder, file);
    const steps = parseTranscript(readFileSync(full, 'utf8'));
    assert.ok(steps.length > 0);
    const cwd = await workingFolder(t, file);
    const actual: string[] = [];
    for (const step of steps) {
      const isRemark = step.given.every((line) => line.startsWith('# '));
      const lines = isRemark ? [] : await runStep(step, cwd);
      actual.push([...step.given, ...lines].join('\n'));
      if (process.env['UPDATE_TRANSCRIPTS'] === undefined) {
        assert.deepEqual(lines, step.expected, `${file}: ${step.given.join(' ')}`);
      }
    }
    if (process.env['UPDATE_TRANSCRIPTS'] !== undefined) {
      writeFileSync(full, `${actual.join('\n\n')}\n`);
    }
  });
}
