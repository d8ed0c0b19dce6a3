// @ts-check

const app = 'apps/audit-worker'
const storing = `${app}/test/audit-store.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const audit = [
  {
    name: 'audit-bisect',
    guards: 'one event that PostgreSQL refuses does not fail its batch',
    file: `${app}/src/audit-store.ts`,
    find: 'if (!isRefusal(error)) throw toRecordError(error)',
    replace: 'if (rows.length > 1 || !isRefusal(error)) throw toRecordError(error)',
    tests: { file: `${app}/src/audit-store.test.ts`, name: 'found by halving' },
  },
  {
    name: 'audit-partition-attached',
    guards: 'an event overtaken by its partition is not blamed',
    file: `${app}/src/audit-store.ts`,
    find: "return isDataFault(error) && codeOf(error) !== '23514'",
    replace: 'return isDataFault(error)',
    tests: { file: `${app}/src/audit-store.test.ts`, name: 'partition just attached' },
  },
  {
    name: 'audit-result-per-message',
    guards: 'an event that is refused fails its message',
    file: `${app}/src/handle-audit-batch.ts`,
    find: 'if (message) failures.set(message, error)',
    replace: 'void [message, error]',
    tests: { file: `${app}/src/handle-audit-batch.test.ts`, name: 'only the messages whose event was refused' },
  },
  {
    name: 'audit-partitions-first',
    guards: 'the partition of an event is made before the event is recorded',
    file: `${app}/src/handle-audit-batch.ts`,
    find: 'await partitions.ensure(',
    replace: 'void partitions.ensure(',
    tests: { file: `${app}/src/handle-audit-batch.test.ts`, name: 'before it is recorded' },
  },
  {
    name: 'audit-once',
    guards: 'an event is recorded once',
    file: `${app}/src/audit-store.ts`,
    find: '\n  ON CONFLICT DO NOTHING`',
    replace: '`',
    tests: { file: storing, name: 'an event is recorded once' },
  },
  {
    name: 'audit-ordered',
    guards: 'batches that hold the same events do not deadlock: their rows are in one order',
    file: `${app}/src/audit-store.ts`,
    find: 'const ordered = rows.toSorted(compareKeys)',
    replace: 'const ordered = [...rows]',
    tests: { file: storing, name: 'do not deadlock' },
  },
  {
    name: 'audit-partition-lock',
    guards: 'workers that need the same month at once do not trip over each other',
    file: `${app}/src/partitions.ts`,
    find: "      PERFORM pg_advisory_xact_lock(hashtext('audit.events'), 0);\n",
    replace: '',
    tests: { file: `${app}/test/partitions.test.ts`, name: 'on eight connections' },
  },
]
