/**
 * What the program's parts may say to its log. A constant message plus fields; no secret at any
 * level, no text that a peer chose at info or above: what an error says may quote one, so there
 * `why` is its reason (reason.ts). docs/LOGS.md has a sample of each line at info and above.
 *
 * error: this node cannot do its work. warn: an operator should look. info: a change of state that
 * an operator expects to see. debug: for who works on the code.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

const ignore = (): void => undefined;
export const silentLogger: Logger = { error: ignore, warn: ignore, info: ignore, debug: ignore };
