/** Which form of the metrics an Accept header asks for. Pure. */
import type { TextFormat } from './registry.ts';

const forms: ReadonlyMap<string, TextFormat | 'json'> = new Map([
  ['application/openmetrics-text', 'openmetrics'],
  ['text/plain', 'prometheus'],
  ['application/json', 'json'],
]);
/** Of more the header has no use. */
const typesMax = 32;

/** JSON for who names neither text form: a browser, or a program that takes anything. */
export function askedForm(accept: string | undefined): TextFormat | 'json' {
  let best: { form: TextFormat | 'json'; quality: number } = { form: 'json', quality: 0 };
  for (const part of (accept ?? '').split(',').slice(0, typesMax)) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const form = forms.get(type);
    const quality = qualityOf(parameters);
    if (form !== undefined && quality > best.quality) best = { form, quality };
  }
  return best.form;
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}
