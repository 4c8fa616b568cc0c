/**
 * The example site is the first thing that a new user sees: its links lead somewhere, it needs
 * nothing from outside, and its contents page tells the truth.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const folder: string = path.join(import.meta.dirname, '../../examples/guide');
const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
const files: string[] = readdirSync(folder, { recursive: true, encoding: 'utf8' });
const pages: string[] = files.filter((file) => file.endsWith('.html'));
const numbered: string[] = pages.filter((file) => file !== '404.html');

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

const headings = (html: string): string[] => all(html, /<h2 id="[^"]+">(.+?)<\/h2>/gs);

test('every link and every source of the guide leads to a file or heading that exists', () => {
  for (const page of numbered) {
    for (const target of all(read(page), /(?:href|src)="([^"]*)"/g)) {
      const [file = '', anchor] = target.split('#');
      const goal = file === '' ? page : file;
      assert.ok(files.includes(goal), `${page} links to ${target}, which does not exist`);
      if (anchor === undefined) continue;
      assert.ok(read(goal).includes(` id="${anchor}"`), `${page}: no id for ${target}`);
    }
  }
});

test('404.html, shown at any depth, uses nothing but links from the root of the site', () => {
  const html = read('404.html');
  for (const target of all(html, /(?:href|src)="([^"]*)"/g)) {
    assert.match(target, /^\//);
    assert.ok(target === '/' || files.includes(target.slice(1)), target);
  }
});

test('the guide asks for nothing from outside and runs no script', () => {
  for (const file of files.filter((name) => /\.(html|css|svg)$/.test(name))) {
    const text = read(file).replace('xmlns="http://www.w3.org/2000/svg"', '');
    assert.doesNotMatch(text, /<script|@import|(?:href|src)="(?:[a-z]+:|\/\/)|url\(/i, file);
  }
});

test('every page has a language, a title, one h1, and an alternative text for every image', () => {
  for (const page of pages) {
    const html = read(page);
    assert.match(html, /^<!doctype html>\n/);
    assert.match(html, /<html lang="en">/);
    assert.equal(all(html, /<title>([^<]+)<\/title>/g).length, 1, page);
    assert.equal(all(html, /<h1>(.+?)<\/h1>/gs).length, 1, page);
    for (const image of html.match(/<img[^>]*>/g) ?? []) assert.match(image, /alt="/, page);
    const ids = all(html, / id="([^"]+)"/g);
    assert.equal(new Set(ids).size, ids.length, `${page} uses an id twice`);
  }
});

test('the contents page lists every page and heading, in order', () => {
  const listed = all(read('contents.html'), /<li><a href="([^"]+#[^"]+)">/g);
  const order = ['index', 'alt', 'publish', 'links', 'how', 'trust'].map((name) => `${name}.html`);
  assert.deepEqual(
    [...order, 'contents.html'].toSorted(),
    numbered.toSorted(),
    'a page is missing from this test',
  );
  const expected = order.flatMap((page) =>
    all(read(page), /<h2 id="([^"]+)">/g).map((id) => `${page}#${id}`),
  );
  assert.deepEqual(listed, expected);
  const titles = order.flatMap((page) => headings(read(page)));
  assert.deepEqual(all(read('contents.html'), /<li><a href="[^"]+#[^"]+">(.+?)<\/a>/gs), titles);
});
