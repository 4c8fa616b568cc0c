/**
 * A problem as its reader wants it: a page for browsers, JSON for programs that ask for it, plain
 * text for everybody else, such as somebody at a terminal.
 */
import { sanitize } from '../base/plain-text.ts';
import { type Html, html } from './html.ts';
import { formatPage, pageHeaders } from './page.ts';
import { type Advice, type Problem, sentenceOf } from './problem.ts';

export interface FormedProblem {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ProblemReader {
  /** The header of the request. Which of these it names first in weight does not matter. */
  readonly accept: string | undefined;
  /** A link to the gateway's own page, from wherever the reader is. */
  readonly frontLink: string;
}

export function formProblem(problem: Problem, { accept, frontLink }: ProblemReader): FormedProblem {
  if (accept !== undefined) {
    if (/\btext\/html\b|\bapplication\/xhtml\+xml\b/i.test(accept)) {
      return { text: formatProblem(problem, frontLink), headers: pageHeaders };
    }
    if (/\bapplication\/(?:[\w.-]+\+)?json\b/i.test(accept)) {
      return { text: `${JSON.stringify(jsonOf(problem))}\n`, headers: jsonHeaders };
    }
  }
  return { text: textOf(problem), headers: textHeaders };
}

const jsonHeaders = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' };
const textHeaders = {
  'content-type': 'text/plain; charset=utf-8',
  'x-content-type-options': 'nosniff',
};

function formatProblem(
  { status, title, text, facts = [], advice }: Problem,
  frontLink: string,
): string {
  const body = html`<p class="status">${status}</p>
    <h1>${title}</h1>
    <p>${text}</p>
    ${formatList(facts.map((fact) => html`<code>${fact}</code>`))}
    <h2>What to try</h2>
    ${formatList(advice.map(formatAdvice))}
    <p class="note"><a href="${frontLink}">AltNet gateway: open another site</a></p>`;
  return formatPage({ title, body });
}

function formatAdvice(advice: Advice): Html {
  if (typeof advice === 'string') return html`${advice}`;
  return html`<a href="${advice.href}">${advice.text}</a>`;
}

function formatList(items: readonly Html[]): Html {
  return items.length === 0
    ? html``
    : html`<ul>
        ${items.map((item) => html`<li>${item}</li>`)}
      </ul>`;
}

function textOf({ status, title, text, facts = [], advice }: Problem): string {
  const lines = [
    `${status}: ${title}`,
    '',
    text,
    ...facts.map((fact) => `  ${fact}`),
    '',
    'What to try:',
    ...advice.map((one) => `- ${sentenceOf(one)}`),
  ];
  return `${lines.map(sanitize).join('\n')}\n`;
}

/** `error` as the API has it. */
function jsonOf({ status, title, text, facts = [], advice }: Problem): object {
  return { error: `${title}. ${text}`, status, title, text, facts, advice: advice.map(sentenceOf) };
}
