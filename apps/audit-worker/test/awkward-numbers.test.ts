import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findPython, migrate, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'

const count = 1_000
const script = fileURLToPath(new URL('send-numbers.py', import.meta.url))
const python = await findPython()
const title = `${count} numbers from Python are recorded with their value, and without an exponent with their digits`

test.skipIf(!python)(python ? title : `${title} (not installed here)`, async ({ vhost, database, workers }) => {
  await migrate('audit-worker', database.url)
  const worker = workers.spawn('audit-worker', { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url })
  await worker.ready()
  const { stdout } = await promisify(execFile)(python ?? '', [script, String(count), '1'], {
    env: { RABBITMQ_URL: vhost.url },
    maxBuffer: 16 * 1024 * 1024,
  })
  const sent = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
  expect(sent).toHaveLength(count)
  const countRecorded = async () => (await database.query('SELECT FROM audit.events')).length
  await waitFor(async () => (await countRecorded()) === count, { what: 'all to be recorded', timeoutMs: 60_000 })

  const [ids, numbers] = [sent.map(([id]) => id), sent.map(([, number]) => number)]
  const altered = await database.query(
    `SELECT sent.number, changes->>'amount' AS recorded
     FROM unnest($1::text[], $2::text[]) AS sent (id, number) LEFT JOIN audit.events ON event_id = sent.id
     WHERE changes->>'amount' IS NULL OR (changes->>'amount')::numeric <> sent.number::numeric
     OR (sent.number !~* 'e' AND sent.number !~ '^-0[.0]*$' AND changes->>'amount' <> sent.number)`,
    [ids, numbers],
  )
  expect(altered).toEqual([])
  await worker.terminate()
})
