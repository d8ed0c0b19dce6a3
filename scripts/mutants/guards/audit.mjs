// @ts-check
import { promises } from '../promises.mjs'

const app = 'apps/audit-worker'
const storing = `${app}/test/audit-store.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const audit = [
  {
    name: 'audit-bisect',
    promise: promises.deadLettered,
    guards: 'one event that PostgreSQL refuses does not fail its batch',
    file: `${app}/src/audit-store.ts`,
    find: 'if (!isRefusal(error)) throw toRecordError(error)',
    replace: 'if (rows.length > 1 || !isRefusal(error)) throw toRecordError(error)',
    tests: { file: `${app}/src/audit-store.test.ts`, name: 'found by halving' },
  },
  {
    name: 'audit-result-per-message',
    promise: promises.deadLettered,
    guards: 'an event that is refused fails its message',
    file: `${app}/src/handle-audit-batch.ts`,
    find: 'if (message) failures.set(message, error)',
    replace: 'void [message, error]',
    tests: { file: `${app}/src/handle-audit-batch.test.ts`, name: 'only the messages whose event was refused' },
  },
  {
    name: 'audit-once',
    promise: promises.storedOnce,
    guards: 'an event is recorded once, whatever its time',
    file: `${app}/src/insert-events.ts`,
    find: ' JOIN identified USING (tenant_id, event_id) ON CONFLICT DO NOTHING',
    replace: ' ON CONFLICT DO NOTHING',
    tests: { file: storing, name: 'the same event with another time' },
  },
  {
    name: 'audit-conflict',
    promise: promises.deadLettered,
    guards: 'another event with the id of a recorded one is not taken for it',
    file: `${app}/src/record-events.ts`,
    find: 'if (inserted === rows.length) return []',
    replace: 'if (inserted >= 0) return []',
    tests: { file: storing, name: 'another event with the id of a recorded one' },
  },
]
