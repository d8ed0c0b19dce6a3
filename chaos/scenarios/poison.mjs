// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

const rounds = 20

/** @type {{ code: string, body: string | Buffer, properties?: import('amqplib').Options.Publish }[]} */
const bad = [
  { code: 'INVALID_JSON', body: '{"not": json}' },
  { code: 'INVALID_JSON', body: Buffer.from([0x22, 0xff, 0x22]) },
  { code: 'INVALID_MESSAGE', body: '{}' },
  { code: 'INVALID_MESSAGE', body: '[]' },
  { code: 'INVALID_MESSAGE', body: 'null' },
  { code: 'INVALID_JSON', body: '' },
  { code: 'UNKNOWN_TYPE', body: '{}', properties: { type: 'nobody.knows' } },
  { code: 'BODY_TOO_LARGE', body: JSON.stringify('x'.repeat(1024 * 1024)) },
  { code: 'INVALID_HEADERS', body: '{}', properties: { headers: { 'x-attempts': -1e9 } } },
  { code: 'INVALID_HEADERS', body: '{}', properties: { headers: { 'x-schema-version': 2 } } },
]

/** @type {import('../scenario.mjs').Scenario} */
export const poison = {
  name: 'poison',
  what: `${rounds * bad.length} bad messages among the good ones of each queue; these are given up, and no others`,
  seconds: 20,
  isTest: true,
  goesOnWithin: 10,
  async fault({ queues, sendPoison, short }) {
    for (let round = 0; round < (short ? 2 : rounds); round += 1) {
      for (const queue of queues) {
        await sendPoison(
          queue,
          bad.map((each, index) => ({ id: `poison-${round}-${index}`, ...each })),
        )
      }
      await sleep(200)
    }
  },
}
