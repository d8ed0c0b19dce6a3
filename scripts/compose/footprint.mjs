// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from '../environment.mjs'
import { step } from '../services/progress.mjs'
import { docker } from './docker.mjs'

/** `NODE_IMAGE` of docker-compose.yml. */
const nodeImage = environment.NODE_IMAGE || 'node:24-bookworm-slim'
const imageBarBytes = 40e6
const startLimitMs = 60_000
const pollMs = 500

/**
 * Prints how big each worker's image is, how soon a worker consumes, and what it takes when idle; only the first does
 * not depend on how busy the machine is, and has a bar.
 * @param {import('./fleet.mjs').Fleet} fleet that runs one of each, and has nothing to do
 * @param {import('./run-fleet-test.mjs').Report} report
 */
export async function reportFootprints(fleet, { print, check }) {
  const containers = await fleet.listWorkers()
  /** @type {Map<string, number>} */
  const startSeconds = new Map()
  // One after the other: those that start together share the processors.
  for (const { id, name } of containers) {
    await step(`starting ${name} by itself`, async () => {
      await docker('restart', id)
      startSeconds.set(id, await readStartSeconds(id, name))
    })
  }
  const base = await readImageSize(nodeImage)
  for (const container of containers) {
    const { id, name } = container
    const imageBytes = (await readImageSize(await inspect(id, '{{.Image}}'))) - base
    const sizes = `image ${toMegabytes(imageBytes)} above Node's`
    const start = `consumes after ${startSeconds.get(id)?.toFixed(1)} s`
    const residentBytes = await fleet.metric(container, 'process_resident_memory_bytes')
    print(`  ${name.padEnd(40)} ${sizes}, ${start}, resident ${toMegabytes(residentBytes)}`)
    check(residentBytes > 0, `${name} does not tell its resident memory`)
    check(
      imageBytes > 0 && imageBytes < imageBarBytes,
      `${name}: expected an image less than ${toMegabytes(imageBarBytes)} above Node's, found ${toMegabytes(imageBytes)}`,
    )
  }
}

const toMegabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`

/** A consumer in one of these states would get the next message. */
const registeredStates = new Set(['consuming', 'standby'])

/** From the start of the container until the worker consumes, by its log. @param {string} id @param {string} name */
async function readStartSeconds(id, name) {
  const startedAt = await inspect(id, '{{.State.StartedAt}}')
  const deadline = performance.now() + startLimitMs
  for (;;) {
    const log = await docker('logs', '--since', startedAt, id)
    const registered = log
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line))
      .find(({ msg, state }) => msg === 'Consumer state changed' && registeredStates.has(state))
    if (registered !== undefined) return (Date.parse(registered.time) - Date.parse(startedAt)) / 1000
    if (performance.now() > deadline) throw new Error(`${name}: expected its log to say that it consumes, found ${log}`)
    await sleep(pollMs)
  }
}

/** @param {string} id @param {string} format */
const inspect = (id, format) => docker('inspect', '--format', format, id)

/** @param {string} image */
const readImageSize = async (image) => Number(await docker('image', 'inspect', '--format', '{{.Size}}', image))
