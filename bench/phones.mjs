// @ts-check
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import webPush from 'web-push'
import { createDeliveryComparison } from './delivery.mjs'
import { inGroups } from './in-groups.mjs'
import { createNotification } from './notification.mjs'
import { withSink } from './sink-child.mjs'

/** Devices, by how many are to a message. */
const counts = { 100: 12_000, 1: 4_000 }
const concurrency = 100
/** Until a server answers that is not on this machine. */
const distantMs = 20

/** What the benchmark knows of a channel: its settings, and the plain library. */
const channels = {
  fcm: {
    title: 'push: FCM by push-worker against firebase-admin',
    library: 'bench/reference-fcm.mjs',
    addressOf: (/** @type {number} */ index) => `fcm-token-${index}`,
    /** @param {string} directory @param {string} origin */
    async configure(directory, origin) {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const file = join(directory, 'service-account.json')
      const account = {
        type: 'service_account',
        project_id: 'bench',
        client_email: 'bench@bench.iam.gserviceaccount.com',
        private_key_id: 'key-1',
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        token_uri: `${origin}/token`,
      }
      await writeFile(file, JSON.stringify(account))
      return { env: { FCM_SERVICE_ACCOUNT_FILE: file, FCM_ORIGIN: origin }, secret: file }
    },
  },
  apns: {
    title: 'push: APNs by push-worker against node-apn',
    library: 'bench/reference-apns.mjs',
    addressOf: (/** @type {number} */ index) => index.toString(16).padStart(64, '0'),
    /** @param {string} directory @param {string} origin */
    async configure(directory, origin) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const file = join(directory, 'apns.p8')
      await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
      const ids = { APNS_KEY_ID: 'BENCHKEY01', APNS_TEAM_ID: 'BENCHTEAM1', APNS_TOPIC: 'com.example.app' }
      return { env: { APNS_KEY_FILE: file, ...ids, APNS_ORIGIN: origin }, secret: file }
    },
  },
}

/**
 * Sends notifications to phones: many to a message at a server that is not on this machine, which has a bar; at one that
 * answers at once; and one to a message.
 * @param {import('./push.mjs').Means} means
 * @param {{ compare: import('./push.mjs').Compare, signal: AbortSignal }} options
 * @returns {Promise<boolean>}
 */
export async function comparePhones(means, { compare, signal }) {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  const certificateFile = join(directory, 'sink.pem')
  try {
    const held = []
    for (const channel of /** @type {const} */ (['fcm', 'apns'])) {
      const userIds = await giveDevices(means.database, channel)
      for (const answerAfterMs of [distantMs, 0]) {
        const args = [certificateFile, String(answerAfterMs)]
        const isHeld = await withSink('bench/phone-sink.mjs', { args, signal }, async (sink) => {
          const create = await prepare(means, { channel, userIds, sink, directory, certificateFile, answerAfterMs })
          const isBarHeld = await compare(create(100, answerAfterMs === distantMs ? 0.9 : undefined))
          await compare(create(1, undefined))
          return isBarHeld
        })
        held.push(isHeld)
      }
    }
    return !held.includes(false)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/**
 * @param {import('./push.mjs').Means} means
 * @param {object} where
 * @param {keyof typeof channels} where.channel
 * @param {string[]} where.userIds
 * @param {import('./sink-child.mjs').Sink} where.sink
 * @param {string} where.directory
 * @param {string} where.certificateFile
 * @param {number} where.answerAfterMs
 */
async function prepare(means, { channel, userIds, sink, directory, certificateFile, answerAfterMs }) {
  const { title, library, configure } = channels[channel]
  const { env, secret } = await configure(directory, `https://localhost:${sink.port}`)
  const vapid = webPush.generateVAPIDKeys()
  const ownEnv = {
    VAPID_SUBJECT: 'mailto:mono@example.com',
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    NODE_EXTRA_CA_CERTS: certificateFile,
    PUSH_CONCURRENCY: String(concurrency),
    ...env,
  }
  const where = `${concurrency} requests at a time, answered ${answerAfterMs === 0 ? 'at once' : `after ${answerAfterMs} ms`}`
  return (/** @type {keyof typeof counts} */ perMessage, /** @type {number | undefined} */ bar) => {
    const count = counts[perMessage]
    return createDeliveryComparison(
      {
        title: `${title}, ${count.toLocaleString('en')} devices, ${perMessage} to a message, ${where}`,
        bar,
        count,
        queue: 'push.notifications',
        ledger: 'push.deliveries',
        publish: (messageQueue) =>
          inGroups(userIds.slice(0, count), perMessage).map((ids) =>
            messageQueue.sendPushNotification(createNotification(ids)),
          ),
        worker: { script: 'apps/push-worker/dist/main.js', env: ownEnv },
        reference: {
          script: library,
          args: [means.database.url, secret, sink.port, concurrency, count],
          env: { NODE_EXTRA_CA_CERTS: certificateFile },
        },
      },
      { ...means, sink },
    )
  }
}

/**
 * Users with one device each, and no other devices.
 * @param {import('./database.mjs').BenchDatabase} database
 * @param {keyof typeof channels} channel
 * @returns {Promise<string[]>} their ids
 */
async function giveDevices(database, channel) {
  const userIds = Array.from({ length: counts[100] }, (_, index) => `user-${index}`)
  await database.queryRow('TRUNCATE push.devices')
  await database.queryRow(
    `INSERT INTO push.devices (tenant_id, user_id, channel, address)
     SELECT 42, user_id, $1, address FROM unnest($2::text[], $3::text[]) AS device(user_id, address)`,
    [channel, userIds, userIds.map((_, index) => channels[channel].addressOf(index))],
  )
  await database.queryRow('ANALYZE push.devices')
  return userIds
}
