/** JSON as callers of the API may send it: no input of theirs is nested more than a little. */

export const jsonDepthMax = 16;

/** Whether lists and objects are nested deeper than that, whatever else may be wrong with `text`. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (isInText) {
      if (char === '\\') at++;
      else if (char === '"') isInText = false;
    } else if (char === '"') isInText = true;
    else if (char === '[' || char === '{') {
      depth++;
      if (depth > jsonDepthMax) return true;
    } else if (char === ']' || char === '}') depth--;
  }
  return false;
}
