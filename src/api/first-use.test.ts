import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileAtFirstUse, type SchemaCompiler, type Validate } from './first-use.ts';

test('a schema is compiled once, when it is first needed, and says what is wrong', () => {
  const compiled: object[] = [];
  const compiler: SchemaCompiler = {
    compile(schema) {
      compiled.push(schema);
      const validate: Validate = (data) => {
        validate.errors = data === 'good' ? null : [`${String(data)} is not good`];
        return validate.errors === null;
      };
      return validate;
    },
  };
  compileAtFirstUse(compiler);
  const [first, second] = [{ title: 'first' }, { title: 'second' }];
  const validate = compiler.compile(first);
  compiler.compile(second);
  assert.deepEqual(compiled, []);
  assert.equal(validate('bad'), false);
  assert.deepEqual(validate.errors, ['bad is not good']);
  assert.equal(validate('good'), true);
  assert.equal(validate.errors, null);
  assert.deepEqual(compiled, [first]);
});
