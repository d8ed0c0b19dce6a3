// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { pushUsers, registerDevices } from '../../apps/push-worker/test/description.mjs'
import { queueNames, toMessageId, workerOf } from '../workers.mjs'

/** @typedef {import('../workers.mjs').QueueName} QueueName */
/** @typedef {{ query: (sql: string, params?: unknown[]) => Promise<any[]>, mailUrl: string, pushUrl: string }} Sources */

const pollMs = 500

/**
 * The ids of all effects, those that come twice twice.
 * @param {QueueName} queue
 * @param {Sources} sources
 */
export async function readEffects(queue, { query, mailUrl, pushUrl }) {
  const effects = await workerOf(queue).readEffects({
    query,
    listPushes: () => readJson(`${pushUrl}/received`),
    // MailDev has moved its interface in version 3.
    listMails: () => readJson(`${mailUrl}/api/email`).catch(() => readJson(`${mailUrl}/email`)),
  })
  return effects.map(({ id }) => id)
}

/** @param {string} url @returns {Promise<any>} */
async function readJson(url) {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: expected success, found ${response.status}`)
  return await response.json()
}

/** Gives each user a device at the push service. @param {Sources} sources */
export async function subscribePushUsers({ query, pushUrl }) {
  const devices = []
  for (const _user of pushUsers) {
    const response = await fetch(`${pushUrl}/subscribe`, { method: 'POST' })
    devices.push(/** @type {import('@mono/test-support').PushDevice} */ (await response.json()))
  }
  await registerDevices(query, pushUsers, devices)
}

/**
 * Sends messages to each queue, by their numbers.
 * @param {import('@mono/message-queue').MessageQueue} messageQueue
 * @param {{ from: number, to: number }} range
 */
export async function sendAll(messageQueue, { from, to }) {
  const sent = []
  for (let index = from; index < to; index += 1) {
    for (const queue of queueNames) {
      const { createPayload, send } = workerOf(queue)
      const id = toMessageId(queue, index)
      sent.push(send(messageQueue, createPayload(index, id), id))
    }
    // The client takes 10,000 that wait; a wave is four of these.
    if (sent.length % 4000 === 0) await Promise.all(sent.splice(0))
  }
  await Promise.all(sent)
}

/**
 * Waits until every message up to this number has its effect, then says what is wrong with the effects. Rows of chat and
 * audit cannot come twice, whatever the worker does: their keys see to it.
 * @param {Sources} sources
 * @param {{ count: number, timeoutMs: number }} options
 * @returns {Promise<string[]>}
 */
export async function findEffectFaults(sources, { count, timeoutMs }) {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const faults = []
    let missing = 0
    for (const queue of queueNames) {
      const sent = new Set(Array.from({ length: count }, (_, index) => toMessageId(queue, index)))
      const found = await readEffects(queue, sources)
      const done = new Set(found)
      const strange = [...done].filter((id) => !sent.has(id))
      const open = count - (done.size - strange.length)
      missing += open
      if (open > 0) faults.push(`${queue}: ${open} of ${count} not done`)
      if (strange.length > 0) faults.push(`${queue}: ${strange.length} done that were not sent, such as ${strange[0]}`)
      if (found.length > done.size) faults.push(`${queue}: ${found.length - done.size} done twice`)
    }
    if (missing === 0 || performance.now() > deadline) return faults
    await sleep(pollMs)
  }
}
