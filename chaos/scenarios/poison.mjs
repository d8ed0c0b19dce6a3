// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'

const rounds = 20

/** @type {{ body: string | Buffer, properties?: import('amqplib').Options.Publish }[]} */
const bad = [
  { body: '{"not": json}' },
  { body: Buffer.from([0x22, 0xff, 0x22]) },
  { body: '{}' },
  { body: '[]' },
  { body: 'null' },
  { body: '' },
  { body: '{}', properties: { type: 'nobody.knows' } },
  { body: JSON.stringify('x'.repeat(1024 * 1024)) },
  { body: '{}', properties: { headers: { 'x-attempts': -1e9 } } },
  { body: '{}', properties: { headers: { 'x-schema-version': 2 } } },
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
