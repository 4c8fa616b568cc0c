/**
 * Schemas of requests are compiled when a request first needs them: all of them at once took a
 * fifth of the start of a node, and few nodes are asked for more than a handful. It must not know
 * which schemas there are.
 */

/** Of the framework's own kind: says whether the data are as they should be, and keeps why not. */
export interface Validate {
  (data: unknown): unknown;
  errors?: unknown;
}

/** The part of a schema compiler that matters here. */
export interface SchemaCompiler {
  compile(schema: object): Validate;
}

/** Makes this compiler answer at once, and work when what it answered is first called. */
export function compileAtFirstUse(compiler: SchemaCompiler): void {
  const compile = compiler.compile.bind(compiler);
  compiler.compile = (schema) => {
    let compiled: Validate | undefined;
    const validate: Validate = (data) => {
      compiled ??= compile(schema);
      const holds = compiled(data);
      validate.errors = compiled.errors;
      return holds;
    };
    return validate;
  };
}
