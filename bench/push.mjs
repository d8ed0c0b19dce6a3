// @ts-check
import { createECDH, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import webPush from 'web-push'
import { createDeliveryComparison } from './delivery.mjs'
import { inGroups } from './in-groups.mjs'
import { createNotification } from './notification.mjs'
import { withSink } from './sink-child.mjs'

const count = 4_000
const concurrency = 50
const subject = 'mailto:mono@example.com'

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
    return await withSink('bench/push-sink.mjs', { args: [certificateFile], signal }, async (sink) => {
      const userIds = await registerDevices(means.database, sink.port)
      const keys = webPush.generateVAPIDKeys()
      const trust = { NODE_EXTRA_CA_CERTS: certificateFile }
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
            worker: { script: 'apps/push-worker/dist/main.js', env: { ...trust, ...toEnv(keys, sink.port) } },
            reference: {
              script: 'bench/reference-push.mjs',
              args: [means.database.url, subject, keys.publicKey, keys.privateKey, concurrency],
              env: trust,
            },
          },
          { ...means, sink },
        )
      const held = await compare(create(100, 2))
      await compare(create(1, undefined))
      return held
    })
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** @param {number} perMessage */
function describe(perMessage) {
  return `${count.toLocaleString('en')} devices, ${perMessage} to a message, ${concurrency} requests at a time`
}

/**
 * @param {{ publicKey: string, privateKey: string }} keys
 * @param {number} port
 */
function toEnv({ publicKey, privateKey }, port) {
  return {
    VAPID_SUBJECT: subject,
    VAPID_PUBLIC_KEY: publicKey,
    VAPID_PRIVATE_KEY: privateKey,
    PUSH_ENDPOINT_ALLOW: `localhost:${port}`,
    PUSH_CONCURRENCY: String(concurrency),
  }
}

/**
 * Users with one device each, all with keys of their own.
 * @param {import('./database.mjs').BenchDatabase} database
 * @param {number} port
 * @returns {Promise<string[]>} their ids
 */
async function registerDevices(database, port) {
  const userIds = Array.from({ length: count }, (_, index) => `user-${index}`)
  const { tenantId } = createNotification([])
  await database.queryRow(
    `INSERT INTO push.devices (tenant_id, user_id, channel, address, p256dh, auth)
     SELECT $1, id, 'web', $2 || id, p256dh, auth FROM unnest($3::text[], $4::text[], $5::text[]) AS d(id, p256dh, auth)`,
    [
      tenantId,
      `https://localhost:${port}/push/`,
      userIds,
      userIds.map(() => createECDH('prime256v1').generateKeys('base64url')),
      userIds.map(() => randomBytes(16).toString('base64url')),
    ],
  )
  await database.queryRow('ANALYZE push.devices')
  return userIds
}
