/**
 * What a command is: how it is described to the parser, and what it does with the words. The same
 * definition serves the shell and the prompt of a running node.
 */
import type { Command } from 'commander';
import type { NodeServices } from '../api/ports.ts';
import type { Folders } from './folders.ts';
import type { OutputStream, Terminal } from './tui.ts';
import type { OptionValues } from './values.ts';

/**
 * running: needs the running node. any: where none runs, a short-lived node of its own does.
 * keys: works on the key files. itself: is a node. system: works on the machine around the node.
 */
export type CommandNeed = 'running' | 'any' | 'keys' | 'itself' | 'system';

export interface CommandInput {
  /** The operands, in order; as many as the definition asks for. */
  readonly operands: readonly string[];
  readonly options: OptionValues;
}

export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** The folder that relative paths start from. */
  readonly cwd: string;
  readonly folders: Folders;
  /** The process around; undefined at the prompt of a node. */
  readonly shell: Shell | undefined;
  /** The node, found or started at the first call. Rejects with NO_NODE. */
  readonly services: () => Promise<NodeServices>;
}

/** What only a command that a shell started may use. */
export interface Shell {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WritableStream & OutputStream;
  /** Further commands, for the prompt of the node that this command becomes. */
  readonly prompt: PromptCommands;
}

export interface PromptCommands {
  /** All commands there: "publish", "link put" …, for completion. */
  readonly words: readonly string[];
  /** Undefined when help was asked for, which `write` has then been given. Throws USAGE. */
  parse(argv: readonly string[], write: (text: string) => void): Promise<ParsedCommand | undefined>;
}

export interface ParsedCommand {
  readonly definition: CommandDefinition;
  readonly input: CommandInput;
}

export interface CommandDefinition {
  readonly needs: CommandNeed;
  /** With 'any': what the short-lived node fetched serves the next try, after one that failed. */
  readonly resumes?: true;
  /** Adds operands, options and remarks for `--help`. */
  describe(command: Command): void;
  /** Prints its result; rejects when it failed. */
  run(context: CommandContext, input: CommandInput): Promise<void>;
}

/** The operand at `index`; the parser has made sure that it is there. */
export function operand({ operands }: CommandInput, index: number): string {
  return operands[index] ?? '';
}
