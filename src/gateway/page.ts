/**
 * The look of the gateway's own pages: one frame, light and dark, nothing loaded from anywhere. It
 * knows nothing of what they say.
 */
import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';

const style = `
:root {
  color-scheme: light dark;
  --ink: #1d2433; --dim: #5b6576; --line: #dfe3ea;
  --page: #f6f7f9; --card: #fff; --accent: #2563c9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e7eaf0; --dim: #9aa4b5; --line: #323a49;
    --page: #151922; --card: #1d222d; --accent: #7fb0ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 8vh 1rem 2rem;
  background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif;
}
main {
  max-width: 42rem; margin: 0 auto; padding: 2rem; overflow-wrap: anywhere;
  background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem;
}
h1 { margin: 0 0 0.75rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 0.25rem; font-size: 1rem; }
p { margin: 0.5rem 0; }
ul { margin: 0.25rem 0; padding-left: 1.25rem; }
a { color: var(--accent); }
code { font-size: 0.9em; }
.status { margin: 0; color: var(--dim); font-size: 0.875rem; font-variant-numeric: tabular-nums; }
nav { margin-bottom: 1rem; font-size: 1.125rem; }
nav h1 { display: inline; font-size: inherit; }
.note { margin-top: 1.5rem; color: var(--dim); font-size: 0.875rem; }
form { display: flex; gap: 0.5rem; margin: 1rem 0; }
input, button { padding: 0.5rem 1rem; font: inherit; border-radius: 0.4rem; }
input {
  flex: 1; min-width: 0;
  color: inherit; background: var(--page); border: 1px solid var(--line);
}
button { color: var(--card); background: var(--accent); border: 0; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.3rem 0; vertical-align: top; text-align: left; }
th { color: var(--dim); font-size: 0.875rem; font-weight: normal; }
td { border-top: 1px solid var(--line); }
th + th, td + td { padding-left: 1rem; text-align: right; white-space: nowrap; color: var(--dim); }
td + td { font-variant-numeric: tabular-nums; }
td a { text-decoration: none; }
td a:hover { text-decoration: underline; }
@media (max-width: 30rem) {
  body { padding: 1rem 0.5rem; }
  main { padding: 1.25rem; }
}
`;

/** One value, so that no formatter can part the text from its hash. */
const styleElement = new Html(`<style>${style}</style>`);
const styleHash = createHash('sha256').update(style).digest('base64');

/**
 * No script, no foreign resource, no frame; the one form leads to the hosts of sites, and browsers
 * apply form-action to the redirect that follows, too.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  'img-src data:', // the empty icon, so that browsers ask for none
  "form-action 'self' http: https:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': contentSecurityPolicy,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** A whole document. */
export function formatPage({ title, body }: { title: string; body: Html }): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        ${styleElement}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.text;
}
