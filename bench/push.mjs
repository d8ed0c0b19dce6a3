// @ts-check
import { createECDH, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import webPush from 'web-push'
import { pushDescription, registerDevices } from '../apps/push-worker/test/description.mjs'
import { createDeliveryComparison } from './delivery.mjs'
import { inGroups } from './in-groups.mjs'
import { createNotification } from './notification.mjs'
import { comparePhones } from './phones.mjs'
import { withSink } from './sink-child.mjs'

const count = 4_000
const concurrency = 50

/**
 * @typedef {Omit<import('./delivery.mjs').DeliveryMeans, 'sink'>} Means
 * @typedef {(comparison: import('./compare.mjs').Comparison) => Promise<boolean>} Compare
 */

/**
 * Sends notifications to devices at a push service on this machine: many to a message, as an application sends them,
 * and one.
 * @param {Means} means
 * @param {{ compare: Compare, signal: AbortSignal }} options
 * @returns {Promise<boolean>}
 */
export async function comparePush(means, { compare, signal }) {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  const certificateFile = join(directory, 'sink.pem')
  try {
    const isWebHeld = await withSink('bench/push-sink.mjs', { args: [certificateFile], signal }, async (sink) => {
      const userIds = await giveDevices(means.database, sink.port)
      const keys = webPush.generateVAPIDKeys()
      const addresses = { pushPort: sink.port, certificateFile, vapid: keys, smtpUrl: 'smtp://127.0.0.1:1' }
      const env = { ...pushDescription.createEnvironment?.(addresses), PUSH_CONCURRENCY: String(concurrency) }
      const create = (/** @type {number} */ perMessage, /** @type {number | undefined} */ bar) =>
        createDeliveryComparison(
          {
            title: `push: push-worker against web-push, ${describe(perMessage)}`,
            bar,
            count,
            queue: 'push.notifications',
            ledger: 'push.deliveries',
            publish: (messageQueue) =>
              inGroups(userIds, perMessage).map((ids) => messageQueue.sendPushNotification(createNotification(ids))),
            worker: { script: 'apps/push-worker/dist/main.js', env },
            reference: {
              script: 'bench/reference-push.mjs',
              args: [means.database.url, keys.publicKey, keys.privateKey, concurrency],
              env: { NODE_EXTRA_CA_CERTS: certificateFile },
            },
          },
          { ...means, sink },
        )
      const held = [await compare(create(100, 2)), await compare(create(1, 1.5))]
      return !held.includes(false)
    })
    const arePhonesHeld = await comparePhones(means, { compare, signal })
    return isWebHeld && arePhonesHeld
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** @param {number} perMessage */
function describe(perMessage) {
  return `${count.toLocaleString('en')} devices, ${perMessage} to a message, ${concurrency} requests at a time`
}

/**
 * Users with one device each, all with keys of their own.
 * @param {import('./database.mjs').BenchDatabase} database
 * @param {number} port
 * @returns {Promise<string[]>} their ids
 */
async function giveDevices(database, port) {
  const userIds = Array.from({ length: count }, (_, index) => `user-${index}`)
  const devices = userIds.map((id) => ({
    endpoint: `https://localhost:${port}/push/${id}`,
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  }))
  await registerDevices(database.queryRow, userIds, devices)
  await database.queryRow('ANALYZE push.devices')
  return userIds
}
